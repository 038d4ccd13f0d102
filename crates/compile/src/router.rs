//! Routers: rules become tables, and each route gets its stack and its target.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use traefikrs_config::elements::Elements;
use traefikrs_config::{QualifiedName, dynamic};
use traefikrs_router::{Matcher, Priority, PriorityTooHigh, RouteTable};
use traefikrs_rule::{Rule, Syntax};

use crate::compiled::{EntryPointRoutes, Route, Target};
use crate::error::{BuildError, BuildErrorKind};
use crate::middleware::Middlewares;
use crate::options::Options;
use crate::reason;
use crate::report::{RouterReport, Verdict};
use crate::service::Services;
use crate::tree::{RouterTree, is_root};

/// Everything that routers are built from.
pub(crate) struct Routers<'r, 'c> {
    pub(crate) options: &'r Options,
    pub(crate) tls_options: Option<&'c Elements<dynamic::TlsOptions>>,
    pub(crate) services: &'r mut Services<'c>,
    pub(crate) middlewares: &'r mut Middlewares<'c>,
    routers: Elements<dynamic::Router, QualifiedName>,
    tree: RouterTree,
    verdicts: BTreeMap<QualifiedName, Verdict>,
    children: BTreeMap<QualifiedName, Option<traefikrs_router::Route<Arc<Route>>>>,
    /// Routers that came as far as to be built.
    tried: BTreeSet<QualifiedName>,
}

/// The routes of each entry point, and what became of each router.
pub(crate) type Built = (
    BTreeMap<String, EntryPointRoutes>,
    Elements<RouterReport, QualifiedName>,
);

impl<'r, 'c> Routers<'r, 'c> {
    pub(crate) fn new(
        http: &'c dynamic::Http,
        tls_options: Option<&'c Elements<dynamic::TlsOptions>>,
        options: &'r Options,
        services: &'r mut Services<'c>,
        middlewares: &'r mut Middlewares<'c>,
    ) -> Self {
        let routers: Elements<_, _> = http
            .routers
            .iter()
            .map(|(name, router)| (QualifiedName::of(name, ""), Arc::clone(router)))
            .collect();
        let mut verdicts = BTreeMap::new();
        let tree = RouterTree::new(&routers, &mut verdicts);
        Self {
            options,
            tls_options,
            services,
            middlewares,
            routers,
            tree,
            verdicts,
            children: BTreeMap::new(),
            tried: BTreeSet::new(),
        }
    }

    /// Builds every route and puts it on its entry points.
    pub(crate) fn build(mut self) -> Built {
        let mut routes: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        let mut using = BTreeMap::new();
        let routers = std::mem::take(&mut self.routers);
        for (name, router) in &routers {
            let entry_points = self.entry_points(name, router);
            if is_root(router) && !entry_points.is_empty() {
                let route = self.root(name, router, &routers);
                for entry_point in entry_points.iter().filter(|_| route.is_some()) {
                    routes.entry(entry_point).or_default().extend(route.clone());
                }
            }
            using.insert(name.clone(), entry_points);
        }
        let tables = self.options.entry_points.iter().map(|(name, entry_point)| {
            let routes = routes.remove(name.as_str()).unwrap_or_default();
            let routes = EntryPointRoutes {
                denied: entry_point.denied,
                http: RouteTable::from_iter(routes),
            };
            (name.clone(), routes)
        });
        let tables = tables.collect();
        let reports = routers.iter().map(|(name, router)| {
            let using: Vec<_> = using
                .remove(name)
                .into_iter()
                .flatten()
                .map(str::to_owned)
                .collect();
            // Traefik: the priority of a router that is never built stays as configured.
            let priority = if !using.is_empty() || self.tried.contains(name) {
                effective_priority(router)
            } else {
                router.priority
            };
            let report = RouterReport {
                router: Arc::clone(router),
                priority,
                verdict: self.verdicts.remove(name).unwrap_or_default(),
                using,
            };
            (name.clone(), report)
        });
        (tables, reports.collect())
    }

    /// The entry points that exist, in the order of their names.
    fn entry_points(
        &mut self,
        name: &QualifiedName,
        router: &dynamic::Router,
    ) -> BTreeSet<&'r str> {
        let (known, unknown): (Vec<_>, Vec<_>) = router
            .entry_points
            .iter()
            .map(|entry_point| {
                (
                    entry_point,
                    self.options.entry_points.get_key_value(entry_point),
                )
            })
            .partition(|(_, known)| known.is_some());
        let known: BTreeSet<_> = known
            .into_iter()
            .filter_map(|(_, known)| Some(known?.0.as_str()))
            .collect();
        for (entry_point, _) in unknown {
            let message = format!("entryPoint \"{entry_point}\" doesn't exist");
            self.verdict(name)
                .warn(reason::ENTRY_POINT_NOT_FOUND, "entryPoints", message);
        }
        if known.is_empty() && is_root(router) {
            let message = "no valid entryPoint for this router";
            self.verdict(name)
                .disable(reason::ENTRY_POINT_NOT_FOUND, "entryPoints", message);
        }
        known
    }

    fn root(
        &mut self,
        name: &QualifiedName,
        router: &dynamic::Router,
        routers: &Elements<dynamic::Router, QualifiedName>,
    ) -> Option<traefikrs_router::Route<Arc<Route>>> {
        if router.priority > Priority::MAX_USER.value() && !name.is_internal() {
            let error = PriorityTooHigh(router.priority);
            self.verdict(name)
                .disable(reason::PRIORITY_TOO_HIGH, "priority", error.to_string());
            return None;
        }
        if let Some(tls) = &router.tls {
            self.judge_tls(name, tls);
            return None;
        }
        self.route(name, router, routers)
    }

    fn judge_tls(&mut self, name: &QualifiedName, tls: &dynamic::RouterTls) {
        let options = match tls.options.as_str() {
            "" | "default" => None,
            options => Some(name.resolve(options)),
        };
        let known = |options: &QualifiedName| {
            self.tls_options
                .is_some_and(|known| known.contains_key(options.as_str()))
        };
        match options {
            Some(options) if !known(&options) => {
                let message = format!("building router handler: unknown TLS options: {options}");
                self.verdict(name)
                    .disable(reason::TLS_OPTIONS_NOT_FOUND, "tls.options", message);
            }
            _ => {
                let message = "TLS is not served yet: this router takes no requests";
                self.verdict(name)
                    .disable(reason::NOT_SERVED, "tls", message);
            }
        }
    }

    /// The route of a router, or nothing when it must not take requests.
    fn route(
        &mut self,
        name: &QualifiedName,
        router: &dynamic::Router,
        routers: &Elements<dynamic::Router, QualifiedName>,
    ) -> Option<traefikrs_router::Route<Arc<Route>>> {
        self.tried.insert(name.clone());
        let target = self.target(name, router, routers);
        let guarded = target.and_then(|target| {
            let stack = self
                .middlewares
                .stack(&router.middlewares, name)
                .map_err(|error| (reason::MIDDLEWARE_UNUSABLE, "middlewares", error))?;
            Ok((target, stack))
        });
        let (target, stack) = match guarded {
            Ok(guarded) => guarded,
            Err((reason, path, error)) => {
                self.verdict(name)
                    .disable(error.reason(reason), path, error.to_string());
                match error.kind {
                    BuildErrorKind::Invalid => return None,
                    BuildErrorKind::NotServed => (Target::NotServed, Default::default()),
                }
            }
        };
        let (rule, matcher) = match matcher(router) {
            Ok(matcher) => matcher,
            Err((message, detail)) => {
                self.verdict(name)
                    .disable(reason::INVALID_RULE, "rule", message)
                    .showing(detail);
                return None;
            }
        };
        Some(traefikrs_router::Route {
            matcher,
            priority: Priority::new(router.priority, &rule),
            rank: self.options.precedence.rank(name.as_str()),
            name: Arc::clone(name.text()),
            value: Arc::new(Route {
                name: name.clone(),
                stack,
                target,
            }),
        })
    }

    fn target(
        &mut self,
        name: &QualifiedName,
        router: &dynamic::Router,
        routers: &Elements<dynamic::Router, QualifiedName>,
    ) -> Result<
        Target,
        (
            traefikrs_config::diagnostic::Reason,
            &'static str,
            BuildError,
        ),
    > {
        if self.tree.is_parent(name) {
            let table = self.child_table(name, routers);
            return table
                .map(Target::Children)
                .map_err(|error| (reason::INVALID_ROUTER_TREE, "", error));
        }
        if router.service.is_empty() {
            let error = BuildError::invalid("router must have either a service or child routers");
            return Err((reason::INVALID_ROUTER_TREE, "service", error));
        }
        let service = self
            .services
            .service(&name.resolve(&router.service), self.middlewares);
        service
            .map(Target::Service)
            .map_err(|error| (reason::SERVICE_UNUSABLE, "service", error))
    }

    fn child_table(
        &mut self,
        parent: &QualifiedName,
        routers: &Elements<dynamic::Router, QualifiedName>,
    ) -> Result<RouteTable<Arc<Route>>, BuildError> {
        let names: Vec<_> = self.tree.children(parent).cloned().collect();
        let routes: Vec<_> = names
            .iter()
            .filter_map(|name| self.child(name, routers))
            .collect();
        if routes.is_empty() {
            return Err(BuildError::invalid(format!(
                "building child routers muxer: no child routers could be added to muxer ({} skipped)",
                names.len()
            )));
        }
        Ok(RouteTable::from_iter(routes))
    }

    /// The route of a child, built once however many parents it has.
    ///
    /// Traefik: a child with any finding, be it mild, is left out.
    fn child(
        &mut self,
        name: &QualifiedName,
        routers: &Elements<dynamic::Router, QualifiedName>,
    ) -> Option<traefikrs_router::Route<Arc<Route>>> {
        if let Some(built) = self.children.get(name) {
            return built.clone();
        }
        let sound = self
            .verdicts
            .get(name)
            .is_none_or(|verdict| verdict.findings.is_empty());
        let route = match routers.get(name) {
            Some(router) if sound => self.route(name, router, routers),
            _ => None,
        };
        self.children.insert(name.clone(), route.clone());
        route
    }

    fn verdict(&mut self, name: &QualifiedName) -> &mut Verdict {
        self.verdicts.entry(name.clone()).or_default()
    }
}

/// The priority that counts: by default the length of the rule.
fn effective_priority(router: &dynamic::Router) -> i64 {
    match router.priority {
        0 => i64::try_from(router.rule.len()).unwrap_or(i64::MAX),
        priority => priority,
    }
}

/// A router's rule and its matcher; else Traefik's message and, where it can be drawn, the place.
fn matcher(router: &dynamic::Router) -> Result<(Rule, Matcher), (String, String)> {
    let syntax = Syntax::from_setting(&router.rule_syntax);
    let while_parsing =
        |problem: &str| format!("error while parsing rule {}: {problem}", router.rule);
    let rule = traefikrs_rule::parse(&router.rule, syntax)
        .map_err(|error| (while_parsing(&error.traefik_message()), error.to_string()))?;
    let matcher =
        Matcher::new(&rule).map_err(|error| (while_parsing(&error.to_string()), String::new()))?;
    Ok((rule, matcher))
}
