//! One cluster in, one configuration out.

use std::rc::Rc;

use serde_json::Map;
use traefikrs_config::Diagnostic;
use traefikrs_config::diagnostic::Consequence;
use traefikrs_config::dynamic::Configuration;

use crate::cluster::{Key, Kind, Objects};
use crate::elements::{Elements, Owner};
use crate::ingress_route::{Routes, class, is_of_class};
use crate::middleware::Building;
use crate::problem::Problem;
use crate::service::Draft;
use crate::tls::Certificates;
use crate::traefik_service::Parent;
use crate::view::View;
use crate::{Cluster, Options, reason};

/// What a cluster asks for, and what of it does not work.
#[derive(Debug, Clone, Default)]
pub struct Translation {
    /// The configuration; names are not qualified by their provider yet.
    pub configuration: Configuration,
    /// One entry for each thing that does not work or is likely not meant.
    pub diagnostics: Vec<Diagnostic>,
}

/// What configuration do these objects ask for?
///
/// Total and deterministic: every cluster gives a configuration, a broken object disables itself
/// and is reported, and the order in which objects were applied does not matter. Where two objects
/// would define the same element, the older one does.
///
/// ```
/// use traefikrs_k8s_translate::{Cluster, Options, translate};
///
/// let mut cluster = Cluster::new();
/// cluster.apply(serde_json::json!({
///     "apiVersion": "traefik.io/v1alpha1",
///     "kind": "IngressRoute",
///     "metadata": { "name": "api", "namespace": "apps" },
///     "spec": { "routes": [{ "match": "PathPrefix(`/api`)", "services": [{ "kind": "TraefikService", "name": "api@internal" }] }] },
/// }));
/// let translation = translate(&cluster, &Options::default());
/// let http = translation.configuration.http.unwrap_or_default();
/// assert_eq!(http.routers.values().map(|router| &*router.service).collect::<Vec<_>>(), ["api@internal"]);
/// assert_eq!(translation.diagnostics, []);
/// ```
pub fn translate(cluster: &Cluster, options: &Options) -> Translation {
    let view = View::new(cluster, options);
    let mut build = Build {
        view: &view,
        elements: Elements::new(options.safe_naming, cluster.strays.clone()),
        certificates: Certificates::default(),
    };
    build.kubernetes_objects();
    // The order decides which kind wins a name: a later one does.
    build.tls_stores();
    build.ingress_routes();
    build.tls_options();
    build.middlewares();
    build.traefik_services();
    build.servers_transports();
    build.finish()
}

struct Build<'a> {
    view: &'a View<'a>,
    elements: Elements,
    certificates: Certificates,
}

impl Build<'_> {
    fn ingress_routes(&mut self) {
        let view = self.view;
        for (key, object) in view.selected(&view.cluster.ingress_routes) {
            let (class, deprecated) = class(object);
            let owner = Owner::new(Kind::IngressRoute, key, object);
            // Traefik: the annotation is worth a warning even on objects of another class.
            let mut problems: Vec<Problem> = deprecated.into_iter().collect();
            if is_of_class(&view.options.ingress_class, class) {
                problems.extend(object.findings.iter().cloned());
                if let Some(content) = &object.content {
                    let routes = Routes { view, key, content };
                    self.routes(&routes, &owner, &mut problems);
                }
            }
            self.elements.report(&owner, problems);
        }
    }

    fn routes(&mut self, routes: &Routes<'_>, owner: &Rc<Owner>, problems: &mut Vec<Problem>) {
        let spec = &routes.content.spec;
        let namespace = &routes.key.namespace;
        if let Err(problem) = self
            .view
            .route_certificate(namespace, spec, &mut self.certificates)
        {
            problems.push(problem.leads_to(Consequence::DefaultUsed));
        }
        let parents = match routes.parents() {
            Ok(parents) => parents,
            Err(problem) => {
                problems.push(problem.leads_to(Consequence::ObjectDropped));
                return;
            }
        };
        for (index, route) in routes.content.routes.iter().enumerate() {
            let Some(route) = route else { continue };
            let mut draft = Draft::default();
            match routes.route(index, route, &parents, &mut draft) {
                Ok(routed) => {
                    self.elements.add_services(draft.services, owner);
                    self.elements.add(
                        |elements| &mut elements.http.routers,
                        "router",
                        routed.key,
                        routed.router,
                        owner,
                    );
                }
                Err(problem) => problems.push(problem.leads_to(Consequence::RouteDropped)),
            }
            problems.extend(draft.warnings);
        }
    }

    fn middlewares(&mut self) {
        let view = self.view;
        for (key, object) in view.selected(&view.cluster.middlewares) {
            let owner = Owner::new(Kind::Middleware, key, object);
            let mut problems = object.findings.clone();
            if let Some(spec) = &object.content {
                let name = view.names.object(&key.namespace, &key.name);
                let building = Building {
                    view,
                    namespace: &key.namespace,
                    key: &name,
                    spec,
                };
                let mut draft = Draft::default();
                match building.middleware(&mut draft) {
                    Ok(middleware) => {
                        self.elements.add_services(draft.services, &owner);
                        self.elements.add(
                            |elements| &mut elements.http.middlewares,
                            "middleware",
                            name,
                            middleware,
                            &owner,
                        );
                    }
                    Err(problem) => problems.push(problem.leads_to(Consequence::ObjectDropped)),
                }
                problems.extend(draft.warnings);
            }
            self.elements.report(&owner, problems);
        }
    }

    fn traefik_services(&mut self) {
        let view = self.view;
        for (key, object) in view.selected(&view.cluster.traefik_services) {
            let owner = Owner::new(Kind::TraefikService, key, object);
            let mut problems = object.findings.clone();
            if let Some(spec) = &object.content {
                let name = view.names.object(&key.namespace, &key.name);
                let parent = Parent {
                    namespace: &key.namespace,
                    key: &name,
                };
                let mut draft = Draft::default();
                match view.composed_service(parent, spec, &mut draft) {
                    Ok(service) => {
                        draft.services.push((name, service));
                        self.elements.add_services(draft.services, &owner);
                    }
                    Err(problem) => problems.push(problem.leads_to(Consequence::ObjectDropped)),
                }
                problems.extend(draft.warnings);
            }
            self.elements.report(&owner, problems);
        }
    }

    fn servers_transports(&mut self) {
        let view = self.view;
        for (key, object) in view.selected(&view.cluster.servers_transports) {
            let owner = Owner::new(Kind::ServersTransport, key, object);
            let mut problems = object.findings.clone();
            if let Some(spec) = &object.content {
                let name = view.names.object(&key.namespace, &key.name);
                let transport = view.transport(&key.namespace, spec, &mut problems);
                self.elements.add(
                    |elements| &mut elements.http.servers_transports,
                    "servers transport",
                    name,
                    transport,
                    &owner,
                );
            }
            self.elements.report(&owner, problems);
        }
    }

    fn tls_options(&mut self) {
        let view = self.view;
        let objects = &view.cluster.tls_options;
        let several = self.several_defaults(objects);
        for (key, object) in view.selected(objects) {
            let owner = Owner::new(Kind::TlsOption, key, object);
            let mut problems = object.findings.clone();
            if let Some(spec) = &object.content {
                let options = view.options(&key.namespace, spec, &mut problems);
                let named = view.names.object(&key.namespace, &key.name);
                match self.default_or(named, key, &several) {
                    Ok(name) => self.elements.add(
                        |elements| &mut elements.tls.options,
                        "TLS option",
                        name,
                        options,
                        &owner,
                    ),
                    Err(problem) => problems.push(problem),
                }
            }
            self.elements.report(&owner, problems);
        }
    }

    fn tls_stores(&mut self) {
        let view = self.view;
        let objects = &view.cluster.tls_stores;
        let several = self.several_defaults(objects);
        for (key, object) in view.selected(objects) {
            let owner = Owner::new(Kind::TlsStore, key, object);
            let mut problems = object.findings.clone();
            if let Some(spec) = &object.content {
                self.tls_store(key, spec, &several, &owner, &mut problems);
            }
            self.elements.report(&owner, problems);
        }
    }

    fn tls_store(
        &mut self,
        key: &Key,
        spec: &traefikrs_crd::TLSStoreSpec,
        several: &[String],
        owner: &Rc<Owner>,
        problems: &mut Vec<Problem>,
    ) {
        let view = self.view;
        let named = view.names.store(&key.namespace, &key.name);
        let name = self.default_or(named, key, several);
        if let (Err(problem), false) = (&name, self.may_be_default(key)) {
            problems.push(problem.clone());
            return;
        }
        if key.name != "default" {
            let message = "only the store `default` is ever asked; move the certificates there";
            problems.push(Problem::warning(
                reason::STORE_NEVER_ASKED,
                "metadata.name",
                message,
            ));
        }
        // Traefik: where several stores are called `default`, their certificates stay in that store.
        let store_name = name.clone().unwrap_or_else(|_| "default".to_owned());
        match view.store(
            &key.namespace,
            &store_name,
            spec,
            &mut self.certificates,
            problems,
        ) {
            Ok(store) => match name {
                Ok(name) => self.elements.add(
                    |elements| &mut elements.tls.stores,
                    "TLS store",
                    name,
                    store,
                    owner,
                ),
                Err(problem) => problems.push(problem),
            },
            Err(problem) => problems.push(problem.leads_to(Consequence::ObjectDropped)),
        }
    }

    /// The namespaces of all objects called `default`, where there is more than one that counts.
    fn several_defaults<T>(&self, objects: &Objects<T>) -> Vec<String> {
        let namespaces: Vec<String> = objects
            .iter()
            .filter(|(key, object)| {
                key.name == "default" && self.view.selects(key, object) && self.may_be_default(key)
            })
            .map(|(key, _)| key.namespace.clone())
            .collect();
        if namespaces.len() > 1 {
            namespaces
        } else {
            Vec::new()
        }
    }

    fn may_be_default(&self, key: &Key) -> bool {
        let chosen = &self.view.options.default_tls_resources_namespace;
        chosen.is_empty() || *chosen == key.namespace
    }

    /// The name of a TLSOption or TLSStore, which is special when the object is called `default`.
    fn default_or(&self, named: String, key: &Key, several: &[String]) -> Result<String, Problem> {
        if key.name != "default" {
            return Ok(named);
        }
        if !self.may_be_default(key) {
            let chosen = &self.view.options.default_tls_resources_namespace;
            let message = format!(
                "only a `default` in namespace `{chosen}` counts (`defaultTLSResourcesNamespace`)"
            );
            let problem = Problem::warning(
                reason::DEFAULT_IN_OTHER_NAMESPACE,
                "metadata.namespace",
                message,
            );
            return Err(problem.leads_to(Consequence::ObjectDropped));
        }
        if several.is_empty() {
            return Ok("default".to_owned());
        }
        let namespaces = several.join(", ");
        let message = format!(
            "the namespaces {namespaces} each define a `default`, so none of them counts; keep one"
        );
        let problem = Problem::error(reason::SEVERAL_DEFAULTS, "metadata.name", message);
        Err(problem.leads_to(Consequence::ObjectDropped))
    }

    /// What is wrong with Kubernetes' own objects by themselves.
    fn kubernetes_objects(&mut self) {
        let cluster = self.view.cluster;
        self.findings(Kind::Service, &cluster.services);
        self.findings(Kind::EndpointSlice, &cluster.endpoint_slices);
        self.findings(Kind::Secret, &cluster.secrets);
        self.findings(Kind::ConfigMap, &cluster.config_maps);
        if !self.view.options.disable_cluster_scope_resources {
            self.findings(Kind::Node, &cluster.nodes);
        }
    }

    fn findings<T>(&mut self, kind: Kind, objects: &Objects<T>) {
        for (key, object) in objects {
            if !object.findings.is_empty()
                && (kind == Kind::Node || self.view.options.watches(&key.namespace))
            {
                self.elements
                    .report(&Owner::new(kind, key, object), object.findings.clone());
            }
        }
    }

    fn finish(self) -> Translation {
        let Elements {
            http,
            mut tls,
            mut diagnostics,
            ..
        } = self.elements;
        tls.certificates = self.certificates.into_list();
        // In the order of the files; the sort is stable, so an object's own stay in their order.
        diagnostics.sort_by(|a, b| (&a.location, &a.subject).cmp(&(&b.location, &b.subject)));
        diagnostics.dedup();
        Translation {
            configuration: Configuration {
                http: Some(http),
                tcp: Some(Map::new()),
                udp: Some(Map::new()),
                tls: Some(tls),
            },
            diagnostics,
        }
    }
}
