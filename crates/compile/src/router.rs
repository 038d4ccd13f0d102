//! Routers: rules become tables, and each route gets its stack and its target.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use traefikrs_config::elements::Elements;
use traefikrs_config::{QualifiedName, dynamic};
use traefikrs_router::{Matcher, Priority, PriorityTooHigh, RouteTable};
use traefikrs_rule::{Rule, Syntax};

use crate::asked::Ask;
use crate::compiled::{Route, Target};
use crate::error::{BuildError, BuildErrorKind};
use crate::middleware::Middlewares;
use crate::options::Options;
use crate::reason;
use crate::report::{RouterReport, Verdict};
use crate::service::Services;
use crate::tree::{RouterTree, is_root};

/// Everything that routers are built from.
pub(crate) struct Routers<'r, 'c> {
    options: &'r Options,
    entry_points: BTreeMap<&'r str, Arc<str>>,
    tls_options: &'r Elements<dynamic::TlsOptions>,
    services: &'r mut Services<'c>,
    middlewares: &'r mut Middlewares<'c>,
    routers: &'r Elements<dynamic::Router>,
    tree: &'r RouterTree,
    verdicts: BTreeMap<QualifiedName, Verdict>,
    children: BTreeMap<QualifiedName, Option<RouteOf>>,
    /// What routers asked for that came as far as to be built.
    asked: BTreeMap<QualifiedName, Box<[Ask]>>,
}

type RouteOf = traefikrs_router::Route<Arc<Route>>;

/// What became of a router.
pub(crate) struct Built {
    /// Its route, for each of its entry points; none for children, which are in their parents.
    pub(crate) route: Option<RouteOf>,
    pub(crate) report: RouterReport,
}

impl<'r, 'c> Routers<'r, 'c> {
    pub(crate) fn new(
        http: &'r dynamic::Http,
        tls_options: &'r Elements<dynamic::TlsOptions>,
        options: &'r Options,
        tree: &'r RouterTree,
        services: &'r mut Services<'c>,
        middlewares: &'r mut Middlewares<'c>,
    ) -> Self {
        let entry_points = options.entry_points.keys();
        Self {
            options,
            entry_points: entry_points
                .map(|name| (name.as_str(), name.as_str().into()))
                .collect(),
            tls_options,
            services,
            middlewares,
            routers: &http.routers,
            tree,
            verdicts: BTreeMap::new(),
            children: BTreeMap::new(),
            asked: BTreeMap::new(),
        }
    }

    /// Builds these routers, as far as they are there. Of a tree of routers they are all or none.
    pub(crate) fn build(
        mut self,
        names: &BTreeSet<QualifiedName>,
    ) -> BTreeMap<QualifiedName, Built> {
        let routers = names.iter().filter_map(|name| {
            let router = self.routers.get(name.as_str())?;
            Some((name, router))
        });
        let routers: Vec<_> = routers.collect();
        for (name, router) in &routers {
            let verdict = self.tree.verdict(name, router);
            self.verdicts.insert((*name).clone(), verdict);
        }
        let mut routes = Vec::with_capacity(routers.len());
        for (name, router) in &routers {
            let using = self.entry_points(name, router);
            let takes_requests = is_root(router) && !using.is_empty();
            let route = takes_requests.then(|| self.root(name, router)).flatten();
            routes.push((using, route));
        }
        let built = routers.into_iter().zip(routes);
        let built = built.map(|((name, router), (using, route))| {
            let asked = self.asked.remove(name);
            // Traefik: the priority of a router that is never built stays as configured.
            let priority = if using.is_empty() && asked.is_none() {
                router.priority
            } else {
                effective_priority(router)
            };
            let report = RouterReport {
                router: Arc::clone(router),
                priority,
                verdict: self.verdicts.remove(name).unwrap_or_default(),
                using,
                asked: asked.unwrap_or_default(),
            };
            (name.clone(), Built { route, report })
        });
        built.collect()
    }

    /// The entry points that exist, in the order of their names.
    fn entry_points(&mut self, name: &QualifiedName, router: &dynamic::Router) -> Box<[Arc<str>]> {
        let mut known = Vec::new();
        for entry_point in &*router.entry_points {
            if let Some(name) = self.entry_points.get(entry_point.as_str()) {
                known.push(Arc::clone(name));
                continue;
            }
            let message = format!("entryPoint \"{entry_point}\" doesn't exist");
            self.verdict(name)
                .warn(reason::ENTRY_POINT_NOT_FOUND, "entryPoints", message);
        }
        if known.is_empty() && is_root(router) {
            let message = "no valid entryPoint for this router";
            self.verdict(name)
                .disable(reason::ENTRY_POINT_NOT_FOUND, "entryPoints", message);
        }
        known.sort_unstable();
        known.dedup();
        known.into()
    }

    fn root(&mut self, name: &QualifiedName, router: &dynamic::Router) -> Option<RouteOf> {
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
        self.route(name, router)
    }

    fn judge_tls(&mut self, name: &QualifiedName, tls: &dynamic::RouterTls) {
        let options = match tls.options.as_str() {
            "" | "default" => None,
            options => Some(name.resolve(options)),
        };
        let known = |options: &QualifiedName| self.tls_options.contains_key(options.as_str());
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

    /// The route of a router, or nothing when it must not take requests; notes what it asks for.
    fn route(&mut self, name: &QualifiedName, router: &dynamic::Router) -> Option<RouteOf> {
        let mark = self.services.building.log.mark();
        let mark_of_middlewares = self.middlewares.building.log.mark();
        let route = self.try_route(name, router);
        let asked = self.services.building.log.since(mark);
        let middlewares = &mut self.middlewares.building;
        let asked = asked.chain(middlewares.log.since(mark_of_middlewares));
        self.asked.insert(name.clone(), asked.collect());
        route
    }

    fn try_route(&mut self, name: &QualifiedName, router: &dynamic::Router) -> Option<RouteOf> {
        let target = self.target(name, router);
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
                    BuildErrorKind::NotServed | BuildErrorKind::Closed => {
                        (Target::NotServed, Default::default())
                    }
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
    ) -> Result<
        Target,
        (
            traefikrs_config::diagnostic::Reason,
            &'static str,
            BuildError,
        ),
    > {
        if self.tree.is_parent(name) {
            let table = self.child_table(name);
            return table
                .map(|table| Target::Children(table.into()))
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
    ) -> Result<RouteTable<Arc<Route>>, BuildError> {
        let names: Vec<_> = self.tree.children(parent).cloned().collect();
        let routes: Vec<_> = names.iter().filter_map(|name| self.child(name)).collect();
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
    fn child(&mut self, name: &QualifiedName) -> Option<RouteOf> {
        if let Some(built) = self.children.get(name) {
            return built.clone();
        }
        let sound = self
            .verdicts
            .get(name)
            .is_none_or(|verdict| verdict.findings.is_empty());
        let route = match self.routers.get(name.as_str()) {
            Some(router) if sound => self.route(name, router),
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
