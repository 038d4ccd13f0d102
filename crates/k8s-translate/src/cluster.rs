//! The objects that a translation looks at.

use std::collections::BTreeMap;

use serde_json::Value;
use traefikrs_config::Diagnostic;
use traefikrs_config::diagnostic::{Consequence, Location, Subject};
use traefikrs_crd as crd;

use crate::problem::Problem;
use crate::reason;

mod admit;
mod core;
mod object;

pub(crate) use self::core::{ConfigMap, EndpointSlice, Node, Secret, Service, ServicePort};
use self::object::Metadata;
pub(crate) use self::object::{IngressRoute, Key, Object};

/// Which kinds of objects does translation read? All others are passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `v1` Service.
    Service,
    /// `discovery.k8s.io/v1` EndpointSlice.
    EndpointSlice,
    /// `v1` Secret.
    Secret,
    /// `v1` ConfigMap.
    ConfigMap,
    /// `v1` Node.
    Node,
    /// `traefik.io/v1alpha1` IngressRoute.
    IngressRoute,
    /// `traefik.io/v1alpha1` Middleware.
    Middleware,
    /// `traefik.io/v1alpha1` TraefikService.
    TraefikService,
    /// `traefik.io/v1alpha1` ServersTransport.
    ServersTransport,
    /// `traefik.io/v1alpha1` TLSOption.
    TlsOption,
    /// `traefik.io/v1alpha1` TLSStore.
    TlsStore,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Service,
        Self::EndpointSlice,
        Self::Secret,
        Self::ConfigMap,
        Self::Node,
        Self::IngressRoute,
        Self::Middleware,
        Self::TraefikService,
        Self::ServersTransport,
        Self::TlsOption,
        Self::TlsStore,
    ];

    /// The kind that an object of this `apiVersion` and `kind` has.
    pub fn of(api_version: &str, kind: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|known| known.as_str() == kind && known.api_version() == api_version)
    }

    /// As in an object's `kind`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Service => "Service",
            Self::EndpointSlice => "EndpointSlice",
            Self::Secret => "Secret",
            Self::ConfigMap => "ConfigMap",
            Self::Node => "Node",
            Self::IngressRoute => "IngressRoute",
            Self::Middleware => "Middleware",
            Self::TraefikService => "TraefikService",
            Self::ServersTransport => "ServersTransport",
            Self::TlsOption => "TLSOption",
            Self::TlsStore => "TLSStore",
        }
    }

    /// As in an object's `apiVersion`.
    pub const fn api_version(self) -> &'static str {
        match self {
            Self::Service | Self::Secret | Self::ConfigMap | Self::Node => "v1",
            Self::EndpointSlice => "discovery.k8s.io/v1",
            _ => "traefik.io/v1alpha1",
        }
    }
}

/// Runs the same code on the objects of a kind, whatever their type.
macro_rules! each_kind {
    ($cluster:expr, $kind:expr, $objects:ident => $body:expr) => {
        match $kind {
            Kind::Service => each_kind!(@one $cluster.services, $objects, $body),
            Kind::EndpointSlice => each_kind!(@one $cluster.endpoint_slices, $objects, $body),
            Kind::Secret => each_kind!(@one $cluster.secrets, $objects, $body),
            Kind::ConfigMap => each_kind!(@one $cluster.config_maps, $objects, $body),
            Kind::Node => each_kind!(@one $cluster.nodes, $objects, $body),
            Kind::IngressRoute => each_kind!(@one $cluster.ingress_routes, $objects, $body),
            Kind::Middleware => each_kind!(@one $cluster.middlewares, $objects, $body),
            Kind::TraefikService => each_kind!(@one $cluster.traefik_services, $objects, $body),
            Kind::ServersTransport => each_kind!(@one $cluster.servers_transports, $objects, $body),
            Kind::TlsOption => each_kind!(@one $cluster.tls_options, $objects, $body),
            Kind::TlsStore => each_kind!(@one $cluster.tls_stores, $objects, $body),
        }
    };
    (@one $field:expr, $objects:ident, $body:expr) => {{
        let $objects = &mut $field;
        $body
    }};
}

pub(crate) type Objects<T> = BTreeMap<Key, Object<T>>;

/// What is in the cluster? The objects that translation reads, decoded one by one, so that an
/// object that does not decode is a diagnostic of its own and nothing else.
///
/// ```
/// use traefikrs_k8s_translate::Cluster;
///
/// let mut cluster = Cluster::new();
/// assert!(cluster.apply(serde_json::json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "a", "namespace": "b" } })));
/// assert!(!cluster.apply(serde_json::json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "a", "namespace": "b" } })));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Cluster {
    pub(crate) services: Objects<Service>,
    pub(crate) endpoint_slices: Objects<EndpointSlice>,
    pub(crate) secrets: Objects<Secret>,
    pub(crate) config_maps: Objects<ConfigMap>,
    pub(crate) nodes: Objects<Node>,
    pub(crate) ingress_routes: Objects<IngressRoute>,
    pub(crate) middlewares: Objects<crd::MiddlewareSpec>,
    pub(crate) traefik_services: Objects<crd::TraefikServiceSpec>,
    pub(crate) servers_transports: Objects<crd::ServersTransportSpec>,
    pub(crate) tls_options: Objects<crd::TLSOptionSpec>,
    pub(crate) tls_stores: Objects<crd::TLSStoreSpec>,
    /// About objects that could not be taken in.
    pub(crate) strays: Vec<Diagnostic>,
}

impl Cluster {
    /// A cluster without objects.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in an object as an API server holds it, in place of an older version of it.
    ///
    /// Says whether translation reads objects of its kind.
    pub fn apply(&mut self, mut object: Value) -> bool {
        let Some(kind) = kind_of(&object) else {
            return false;
        };
        without_nulls(kind, &mut object);
        let metadata = Metadata::of(&object);
        self.keep(kind, metadata, None, object, Vec::new());
        true
    }

    /// Takes in an object as a user wrote it: fills in what an API server would, says which fields
    /// it would drop, and remembers where the object came from.
    ///
    /// Says whether translation reads objects of its kind.
    pub fn apply_manifest(&mut self, mut object: Value, location: Option<Location>) -> bool {
        let Some(kind) = kind_of(&object) else {
            self.strays
                .extend(unserved(&object).map(|stray| stray.located(location)));
            return false;
        };
        let mut findings = Vec::new();
        without_nulls(kind, &mut object);
        admit::admit(kind, &mut object, &mut findings);
        let metadata = Metadata::of(&object);
        if metadata.name.is_empty() {
            let subject = Subject::object(kind.as_str(), metadata.namespace, "");
            let problem = Problem::error(
                reason::NAME_MISSING,
                "metadata.name",
                "the object has no name; give it one",
            );
            let finding = problem.leads_to(Consequence::ObjectDropped);
            self.strays.push(finding.diagnostic(subject, location));
            return true;
        }
        if let Some(earlier) = self.location_of(kind, &metadata.key()) {
            let problem = Problem::warning(
                reason::DEFINED_TWICE,
                "",
                format!("also defined at {earlier}; only the last definition counts"),
            );
            findings.push(problem.leads_to(Consequence::None));
        }
        self.keep(kind, metadata, location, object, findings);
        true
    }

    /// Forgets an object; says whether it was there.
    pub fn delete(&mut self, kind: Kind, namespace: &str, name: &str) -> bool {
        let key = Key {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        };
        each_kind!(self, kind, objects => objects.remove(&key).is_some())
    }

    /// Forgets all objects of a kind, as before a new list of them.
    pub fn reset(&mut self, kind: Kind) {
        each_kind!(self, kind, objects => objects.clear());
    }

    fn keep(
        &mut self,
        kind: Kind,
        metadata: Metadata,
        location: Option<Location>,
        object: Value,
        findings: Vec<Problem>,
    ) {
        each_kind!(self, kind, objects => {
            let key = metadata.key();
            objects.insert(key, Object::decode(metadata, location, object, findings));
        });
    }

    fn location_of(&mut self, kind: Kind, key: &Key) -> Option<Location> {
        each_kind!(self, kind, objects => objects.get(key).and_then(|object| object.location.clone()))
    }
}

fn kind_of(object: &Value) -> Option<Kind> {
    Kind::of(object["apiVersion"].as_str()?, object["kind"].as_str()?)
}

/// What to say about an object that has no kind of ours, where its author likely expected an effect.
fn unserved(object: &Value) -> Option<Diagnostic> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (api_version, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
    let metadata = Metadata::of(object);
    let problem = if kind.is_empty() {
        Problem::warning(
            reason::KIND_MISSING,
            "kind",
            "not a Kubernetes object: it has no `kind`",
        )
    } else if api_version.starts_with("traefik.io/")
        || api_version.starts_with("traefik.containo.us/")
    {
        let message = if Kind::of("traefik.io/v1alpha1", &kind).is_some() {
            format!("{api_version} is not read; write `apiVersion: traefik.io/v1alpha1`")
        } else {
            format!("objects of kind {kind} are not served yet")
        };
        Problem::warning(reason::KIND_NOT_SERVED, "apiVersion", message)
    } else {
        return None;
    };
    let subject = Subject::object(
        if kind.is_empty() { "object" } else { &kind },
        metadata.namespace,
        metadata.name,
    );
    Some(
        problem
            .leads_to(Consequence::NotServed)
            .diagnostic(subject, None),
    )
}

/// Takes `null`s out, which mean "unset" to Kubernetes; a plugin's own settings keep theirs.
fn without_nulls(kind: Kind, object: &mut Value) {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.retain(|_, value| !value.is_null());
                fields.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let plugin = match kind {
        Kind::Middleware => object
            .get_mut("spec")
            .and_then(Value::as_object_mut)
            .and_then(|spec| spec.remove("plugin")),
        _ => None,
    };
    strip(object);
    if let Some(plugin) = plugin.filter(|plugin| !plugin.is_null()) {
        object["spec"]["plugin"] = plugin;
    }
}

#[cfg(test)]
mod tests;
