//! The objects that a translation looks at.

use serde_json::Value;
use traefikrs_config::diagnostic::Location;

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

/// What is in the cluster? The objects that translation reads, decoded one by one, so that an
/// object that does not decode is a diagnostic of its own and nothing else.
#[derive(Debug, Clone, Default)]
pub struct Cluster {}

impl Cluster {
    /// A cluster without objects.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in an object as an API server holds it, in place of an older version of it.
    ///
    /// Says whether translation reads objects of its kind.
    pub fn apply(&mut self, _object: Value) -> bool {
        true
    }

    /// Takes in an object as a user wrote it: fills in what an API server would, says which fields
    /// it would drop, and remembers where the object came from.
    ///
    /// Says whether translation reads objects of its kind.
    pub fn apply_manifest(&mut self, _object: Value, _location: Option<Location>) -> bool {
        true
    }

    /// Forgets an object; says whether it was there.
    pub fn delete(&mut self, _kind: Kind, _namespace: &str, _name: &str) -> bool {
        true
    }

    /// Forgets all objects of a kind, as before a new list of them.
    pub fn reset(&mut self, _kind: Kind) {}
}
