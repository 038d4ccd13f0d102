//! IngressRoutes: routers and the services they bring along.

use std::sync::Arc;

use traefikrs_config::diagnostic::Consequence;
use traefikrs_config::dynamic;
use traefikrs_crd as crd;
use traefikrs_rule::Syntax;

use crate::cluster::{IngressRoute, Key as ObjectKey, Object};
use crate::name::Slot;
use crate::problem::{Path, Problem};
use crate::reason;
use crate::service::{Draft, Key, Place};
use crate::view::{View, key};

/// An IngressRoute on its way into routers.
pub(crate) struct Routes<'a> {
    pub(crate) view: &'a View<'a>,
    pub(crate) key: &'a ObjectKey,
    pub(crate) content: &'a IngressRoute,
}

/// What one route becomes.
pub(crate) struct Routed {
    pub(crate) key: String,
    pub(crate) router: dynamic::Router,
}

const CLASS: &str = "kubernetes.io/ingress.class";

/// Which class asks an IngressRoute for, and what is odd about how it does?
pub(crate) fn class(object: &Object<IngressRoute>) -> (&str, Option<Problem>) {
    let declared = object
        .content
        .as_ref()
        .and_then(|content| content.spec.ingress_class_name.as_deref());
    match (declared, object.metadata.annotations.get(CLASS)) {
        (Some(class), _) => (class, None),
        (None, Some(class)) if !class.is_empty() => {
            let message =
                format!("the annotation `{CLASS}` is deprecated; write `spec.ingressClassName`");
            let path = format!("metadata.annotations[\"{CLASS}\"]");
            (
                class,
                Some(Problem::warning(reason::DEPRECATED, path, message)),
            )
        }
        _ => ("", None),
    }
}

/// Whether a proxy of class `wanted` looks at objects of this class.
pub(crate) fn is_of_class(wanted: &str, class: &str) -> bool {
    class == wanted || (wanted.is_empty() && class == "traefik")
}

impl Routes<'_> {
    /// Names of the routers that all routes are children of.
    pub(crate) fn parents(&self) -> Result<Vec<String>, Problem> {
        let path = Path::SPEC.field("parentRefs");
        let references = &self.content.spec.parent_refs;
        let mut parents = Vec::new();
        for (index, reference) in references.iter().enumerate() {
            let path = path.index(index);
            let namespace = match reference.namespace.as_str() {
                "" => self.key.namespace.as_str(),
                given => given,
            };
            self.view.check_namespace(
                "IngressRoute",
                &self.key.namespace,
                namespace,
                &reference.name,
                path,
            )?;
            let objects = &self.view.cluster.ingress_routes;
            let dangling = self.view.dangling(
                objects,
                "IngressRoute",
                namespace,
                &reference.name,
                reason::PARENT_NOT_FOUND,
                path.field("name"),
            );
            if let Some(problem) = dangling {
                return Err(problem);
            }
            parents.extend(self.router_keys(namespace, &reference.name));
        }
        // An empty list would make these routes roots: open on the default entry points, and without
        // the parents' middlewares.
        if !references.is_empty() && parents.is_empty() {
            let message =
                "no parent has a route, and without one these routes would not be protected by it";
            return Err(Problem::error(reason::PARENT_WITHOUT_ROUTES, path, message));
        }
        Ok(parents)
    }

    /// The names of the routers of another IngressRoute, also of those that do not come to be.
    fn router_keys(&self, namespace: &str, name: &str) -> Vec<String> {
        let parent = self
            .view
            .cluster
            .ingress_routes
            .get(&key(namespace, name))
            .and_then(|object| object.content.as_ref());
        parent
            .into_iter()
            .flat_map(|parent| parent.routes.iter().enumerate())
            .filter_map(|(index, route)| {
                let rule = &route.as_ref()?.match_rule;
                Some(self.view.names.router(namespace, name, index, rule))
            })
            .collect()
    }

    /// The router of one route.
    pub(crate) fn route(
        &self,
        index: usize,
        route: &crd::Route,
        parents: &[String],
        draft: &mut Draft,
    ) -> Result<Routed, Problem> {
        let path = Path::SPEC.field("routes");
        let path = path.index(index);
        check_kind_and_rule(route, path)?;
        let namespace = &self.key.namespace;
        let key = self
            .view
            .names
            .router(namespace, &self.key.name, index, &route.match_rule);
        let middlewares = self.view.middlewares(
            namespace,
            &route.middlewares,
            path.field("middlewares"),
            Consequence::RouterDisabled,
            &mut draft.warnings,
        )?;
        if !route.syntax.is_empty() {
            let message = "`syntax` is deprecated; write the rule in the current syntax";
            draft.warnings.push(Problem::warning(
                reason::DEPRECATED,
                path.field("syntax"),
                message,
            ));
        }
        draft.warnings.extend(check_rule(route, path));
        let service = self.service(&key, route, path, draft)?;
        let router = dynamic::Router {
            entry_points: self.content.spec.entry_points.clone().into(),
            middlewares: middlewares.into(),
            service: service.into(),
            rule: route.match_rule.as_str().into(),
            parent_refs: parents.into(),
            rule_syntax: route.syntax.as_str().into(),
            priority: route.priority,
            tls: self.tls(draft)?.map(Arc::new),
            observability: Some(self.observability(route).into()),
        };
        Ok(Routed { key, router })
    }

    fn service(
        &self,
        router: &str,
        route: &crd::Route,
        path: Path<'_>,
        draft: &mut Draft,
    ) -> Result<String, Problem> {
        let place = |key| Place {
            parent: &self.key.namespace,
            key,
            native_lb_by_default: self.view.options.native_lb_by_default,
            dangling: Consequence::RouterDisabled,
        };
        let names = self.view.names;
        let path = path.field("services");
        match route.services.as_slice() {
            [] => {
                self.report_idle(path, draft);
                Ok(String::new())
            }
            [only] => {
                let name = names.balancer(router);
                self.view
                    .referred_service(place(Key::Own(&name)), only, path.index(0), draft)
            }
            several => {
                let name = names.list(router);
                let place = |index| place(Key::In(Slot::Listed(&name, index)));
                let services = self.view.weighted_services(place, several, path, draft)?;
                let service = dynamic::Service {
                    weighted: Some(Box::new(dynamic::Weighted {
                        services,
                        ..dynamic::Weighted::default()
                    })),
                    ..dynamic::Service::default()
                };
                draft.services.push((name.clone(), service));
                Ok(name)
            }
        }
    }

    fn report_idle(&self, path: Path<'_>, draft: &mut Draft) {
        let is_a_parent = self
            .view
            .parents
            .contains(&(self.key.namespace.as_str(), self.key.name.as_str()));
        if !is_a_parent {
            let message = "the route has no services and is no other IngressRoute's parent, so nothing answers; add a service";
            let problem = Problem::error(reason::NOTHING_TO_DO, path, message);
            draft
                .warnings
                .push(problem.leads_to(Consequence::RouterDisabled));
        }
    }

    fn tls(&self, draft: &mut Draft) -> Result<Option<dynamic::RouterTls>, Problem> {
        let Some(tls) = &self.content.spec.tls else {
            return Ok(None);
        };
        let path = Path::SPEC.field("tls");
        let options = match &tls.options {
            Some(reference) if !reference.name.is_empty() => self.view.tls_option(
                &self.key.namespace,
                reference,
                path.field("options"),
                &mut draft.warnings,
            )?,
            _ => String::new(),
        };
        Ok(Some(dynamic::RouterTls {
            options,
            cert_resolver: tls.cert_resolver.clone(),
            domains: tls.domains.iter().map(domain).collect(),
        }))
    }

    fn observability(&self, route: &crd::Route) -> dynamic::RouterObservability {
        let given = route.observability.clone().unwrap_or_default();
        dynamic::RouterObservability {
            access_logs: given.access_logs,
            metrics: given.metrics,
            tracing: given.tracing,
            trace_verbosity: given.trace_verbosity,
            metadata: Some(Arc::new(dynamic::Metadata {
                ingress: Some(dynamic::IngressMetadata {
                    kind: "IngressRoute".to_owned(),
                    name: self.key.name.clone(),
                    namespace: self.key.namespace.clone(),
                }),
                kubernetes: None,
            })),
        }
    }
}

fn check_kind_and_rule(route: &crd::Route, path: Path<'_>) -> Result<(), Problem> {
    if !matches!(route.kind.as_str(), "" | "Rule") {
        let message = format!(
            "`{}` is no kind of route; write Rule or leave it out",
            route.kind
        );
        return Err(Problem::error(
            reason::UNKNOWN_ROUTE_KIND,
            path.field("kind"),
            message,
        ));
    }
    if route.match_rule.is_empty() {
        let message = "the rule is empty; write one such as PathPrefix(`/`) to match everything";
        return Err(Problem::error(
            reason::EMPTY_RULE,
            path.field("match"),
            message,
        ));
    }
    Ok(())
}

/// Says early, and with the object's place, what will disable the router.
///
/// Which language a rule without `syntax` is in depends on the static configuration, so it must be
/// wrong in both.
fn check_rule(route: &crd::Route, path: Path<'_>) -> Option<Problem> {
    let wrong = |syntax| {
        let parsed = traefikrs_rule::parse(&route.match_rule, syntax);
        parsed.and_then(|rule| rule.check()).err()
    };
    let error = match route.syntax.as_str() {
        "" => wrong(Syntax::V3).filter(|_| wrong(Syntax::V2).is_some()),
        setting => wrong(Syntax::from_setting(setting)),
    }?;
    let problem = Problem::error(
        reason::INVALID_RULE,
        path.field("match"),
        error.traefik_message(),
    );
    Some(
        problem
            .showing(error.to_string())
            .leads_to(Consequence::RouterDisabled),
    )
}

pub(crate) fn domain(domain: &crd::Domain) -> dynamic::Domain {
    dynamic::Domain {
        main: domain.main.clone(),
        sans: domain.sans.clone(),
    }
}
