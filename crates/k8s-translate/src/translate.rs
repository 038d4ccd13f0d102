//! One cluster in, one configuration out.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Map;
use traefikrs_config::Diagnostic;
use traefikrs_config::diagnostic::{Consequence, Location, Subject};
use traefikrs_config::dynamic::{self, Configuration};

use crate::cluster::{Key, Kind, Object, Objects};
use crate::ingress_route::{Routes, class, is_of_class};
use crate::middleware::Building;
use crate::problem::{Path, Problem};
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
/// assert_eq!(http.routers.values().map(|router| router.service.as_str()).collect::<Vec<_>>(), ["api@internal"]);
/// assert_eq!(translation.diagnostics, []);
/// ```
pub fn translate(cluster: &Cluster, options: &Options) -> Translation {
    let view = View::new(cluster, options);
    let mut build = Build {
        view: &view,
        http: dynamic::Http::default(),
        tls: dynamic::Tls::default(),
        certificates: Certificates::default(),
        owners: BTreeMap::new(),
        diagnostics: cluster.strays.clone(),
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
    http: dynamic::Http,
    tls: dynamic::Tls,
    certificates: Certificates,
    /// Who defined each element so far, by what it is and its name.
    owners: BTreeMap<(&'static str, String), Rc<Owner>>,
    diagnostics: Vec<Diagnostic>,
}

/// The object that is being translated.
#[derive(Debug, Clone, PartialEq)]
struct Owner {
    subject: Subject,
    location: Option<Location>,
}

impl Owner {
    fn new<T>(kind: Kind, key: &Key, object: &Object<T>) -> Rc<Self> {
        Rc::new(Self {
            subject: Subject::object(kind.as_str(), &key.namespace, &key.name),
            location: object.location.clone(),
        })
    }
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
            self.report(&owner, problems);
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
                    self.add_services(draft.services, owner);
                    self.add(
                        |build| &mut build.http.routers,
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
                        self.add_services(draft.services, &owner);
                        self.add(
                            |build| &mut build.http.middlewares,
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
            self.report(&owner, problems);
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
                        self.add_services(draft.services, &owner);
                    }
                    Err(problem) => problems.push(problem.leads_to(Consequence::ObjectDropped)),
                }
                problems.extend(draft.warnings);
            }
            self.report(&owner, problems);
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
                self.add(
                    |build| &mut build.http.servers_transports,
                    "servers transport",
                    name,
                    transport,
                    &owner,
                );
            }
            self.report(&owner, problems);
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
                    Ok(name) => self.add(
                        |build| &mut build.tls.options,
                        "TLS option",
                        name,
                        options,
                        &owner,
                    ),
                    Err(problem) => problems.push(problem),
                }
            }
            self.report(&owner, problems);
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
            self.report(&owner, problems);
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
                Ok(name) => self.add(
                    |build| &mut build.tls.stores,
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
                self.report(&Owner::new(kind, key, object), object.findings.clone());
            }
        }
    }

    fn report(&mut self, owner: &Rc<Owner>, problems: Vec<Problem>) {
        let first = self.diagnostics.len();
        for problem in problems {
            let diagnostic = problem.diagnostic(owner.subject.clone(), owner.location.clone());
            // Routes of one object share parts of it, whose problems are said once.
            if !self.diagnostics[first..].contains(&diagnostic) {
                self.diagnostics.push(diagnostic);
            }
        }
    }

    fn add_services(&mut self, services: Vec<(String, dynamic::Service)>, owner: &Rc<Owner>) {
        for (name, service) in services {
            self.add(
                |build| &mut build.http.services,
                "service",
                name,
                service,
                owner,
            );
        }
    }

    /// Adds an element; one that already has the name is replaced, which is reported if they differ.
    fn add<T: PartialEq>(
        &mut self,
        elements: impl Fn(&mut Self) -> &mut BTreeMap<String, T>,
        what: &'static str,
        name: String,
        element: T,
        owner: &Rc<Owner>,
    ) {
        let differs = elements(self)
            .get(&name)
            .is_some_and(|present| *present != element);
        let earlier = self.owners.insert((what, name.clone()), Rc::clone(owner));
        if let Some(earlier) = earlier.filter(|_| differs) {
            self.collision(what, &name, &earlier, owner);
        }
        elements(self).insert(name, element);
    }

    fn collision(&mut self, what: &str, name: &str, earlier: &Rc<Owner>, owner: &Rc<Owner>) {
        let way_out = if self.view.options.safe_naming {
            ""
        } else {
            " or set `safeNaming`"
        };
        let message = if earlier == owner {
            format!(
                "the {what} `{name}` is defined more than once, and the last definition counts; make them equal{way_out}"
            )
        } else {
            format!(
                "the {what} `{name}` is also defined by {}, whose definition counts; rename one{way_out}",
                owner.subject
            )
        };
        let problem = Problem::warning(reason::NAME_COLLISION, Path::SPEC, message);
        self.report(earlier, vec![problem.leads_to(Consequence::Overridden)]);
    }

    fn finish(mut self) -> Translation {
        // In the order of the files; the sort is stable, so an object's own stay in their order.
        self.diagnostics
            .sort_by(|a, b| (&a.location, &a.subject).cmp(&(&b.location, &b.subject)));
        self.diagnostics.dedup();
        let mut tls = self.tls;
        tls.certificates = self.certificates.into_list();
        Translation {
            configuration: Configuration {
                http: Some(self.http),
                tcp: Some(Map::new()),
                udp: Some(Map::new()),
                tls: Some(tls),
            },
            diagnostics: self.diagnostics,
        }
    }
}
