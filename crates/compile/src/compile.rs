//! The one way from a configuration to what serves it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use traefikrs_config::elements::{Change, Elements};
use traefikrs_config::{QualifiedName, dynamic};
use traefikrs_middleware::Middleware;

use crate::asked::{Added, Ask};
use crate::compiled::{Compiled, EntryPointRoutes, Service};
use crate::findings::Findings;
use crate::middleware::Middlewares;
use crate::options::Options;
use crate::outcome::{Outcomes, Stale};
use crate::report::{MiddlewareReport, Report, RouterReport, ServerReport, ServiceReport};
use crate::router::{Built, Routers};
use crate::server::shown;
use crate::service::{self, Services, balancing};
use crate::transport::{Pools, Transports};
use crate::tree::RouterTree;
use crate::users::{Affected, Users};

/// One generation: what serves requests and what became of each element, to be published together.
#[derive(Debug, Default)]
pub struct Generation {
    /// What serves requests.
    pub compiled: Arc<Compiled>,
    /// What became of each element.
    pub report: Report,
    legacy: Legacy,
}

/// What this generation leaves to the next.
#[derive(Debug, Default)]
struct Legacy {
    configured: Configured,
    tree: Arc<RouterTree>,
    transports: Arc<Transports>,
    outcomes: Outcomes,
    pools: Arc<Pools>,
    users: Users,
    findings: Findings,
    /// Whether something came out as it did because of who asked for it first.
    depends_on_order: bool,
}

/// What a generation is made of.
#[derive(Debug, Clone, Default)]
struct Configured {
    http: dynamic::Http,
    tls_options: Elements<dynamic::TlsOptions>,
    options: Options,
}

/// Turns a merged configuration into what serves it.
///
/// Names in the configuration are qualified (`name@provider`) and root routers have their entry
/// points: that is what merging does. It never fails: an element that cannot be built is disabled,
/// reported, and harms only those that need it.
///
/// What did not change since `previous` goes on, and costs nothing: routes and services are the same,
/// services keep their place in the balancer's turn and their connections. The outcome is that of a
/// compilation from nothing; `docs/decisions/0005-what-is-reused.md` says why.
///
/// (Traefik: `pkg/server/router`, `pkg/server/service` and `pkg/server/middleware`.)
///
/// ```
/// use traefikrs_compile::{Options, compile};
/// use traefikrs_config::dynamic::Configuration;
///
/// let configuration: Configuration = serde_json::from_value(serde_json::json!({
///     "http": {
///         "routers": {
///             "web@file": { "entryPoints": ["web"], "rule": "Host(`example.com`)", "service": "whoami" },
///             "bad@file": { "entryPoints": ["web"], "rule": "Hots(`example.com`)", "service": "whoami" },
///         },
///         "services": {
///             "whoami@file": { "loadBalancer": { "servers": [{ "url": "http://10.0.0.1:8080" }] } },
///         },
///     },
/// }))?;
/// let options = Options {
///     entry_points: [("web".to_owned(), Default::default())].into(),
///     ..Options::default()
/// };
///
/// let generation = compile(&configuration, &options, None);
///
/// assert_eq!(generation.compiled.entry_points["web"].http.len(), 1);
/// assert!(generation.report.diagnostics[0].to_string().contains("bad@file"));
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn compile(
    configuration: &dynamic::Configuration,
    options: &Options,
    previous: Option<&Generation>,
) -> Generation {
    let configured = Configured {
        http: configuration.http.clone().unwrap_or_default(),
        tls_options: match &configuration.tls {
            Some(tls) => tls.options.clone(),
            None => Elements::default(),
        },
        options: options.clone(),
    };
    let base = previous.filter(|previous| previous.legacy.is_base_of(&configured));
    let changed = base.map(|base| Next::new(&configured, base, previous).generation());
    let nothing = Generation::default();
    changed
        .filter(|generation| !generation.legacy.depends_on_order)
        .unwrap_or_else(|| Next::new(&configured, &nothing, previous).generation())
}

impl Legacy {
    /// Whether what has changed since can be worked into it. What every router depends on must be
    /// the same, and it must be what it is whatever was built first.
    fn is_base_of(&self, now: &Configured) -> bool {
        !self.depends_on_order
            && self.configured.options == now.options
            && self.configured.tls_options == now.tls_options
    }
}

/// A generation on the way. What nothing touches is taken from the base.
struct Next<'c> {
    now: &'c Configured,
    base: &'c Generation,
    /// The generation before, whose services go on even where nothing can be based on it.
    previous: Option<&'c Legacy>,
    changes: Vec<Change<'c, dynamic::Router>>,
    stale: Stale,
    tree: Arc<RouterTree>,
    transports: Arc<Transports>,
}

/// What had to be built.
struct Fresh {
    routers: BTreeMap<QualifiedName, Built>,
    services: Added<Arc<Service>>,
    pools: Pools,
    middlewares: Added<Vec<Middleware>>,
}

impl<'c> Next<'c> {
    fn new(now: &'c Configured, base: &'c Generation, previous: Option<&'c Generation>) -> Self {
        let legacy = &base.legacy;
        let before = &legacy.configured.http;
        let changes: Vec<_> = now.http.routers.changes_since(&before.routers).collect();
        let tree = if legacy.tree.is_touched_by(&changes) {
            Arc::new(RouterTree::new(&now.http.routers))
        } else {
            Arc::clone(&legacy.tree)
        };
        let previous = previous.map(|previous| &previous.legacy);
        let transports = previous.map(|previous| &previous.transports);
        Self {
            now,
            base,
            previous,
            changes,
            stale: Stale::new(before, &now.http, &legacy.outcomes),
            tree,
            transports: Transports::following(
                transports,
                &now.http.servers_transports,
                &now.options.system_roots,
            ),
        }
    }

    fn generation(self) -> Generation {
        let legacy = &self.base.legacy;
        let names = self.routers_to_build();
        let fresh = self.build(&names);
        let entry_points = self.entry_points(&names, &fresh.routers);
        let is_something_left = self.is_something_left(&names, &fresh);
        let Fresh {
            routers,
            services,
            pools,
            middlewares,
        } = fresh;
        let depends_on_order = services.depends_on_order || middlewares.depends_on_order;

        let mut users = legacy.users.clone();
        let mut touched = users.follow(&self.changes);
        touched.services.extend(services.outcomes.keys().cloned());
        touched
            .middlewares
            .extend(middlewares.outcomes.keys().cloned());
        self.stale.iter().for_each(|ask| touched.add(ask));

        let mut report = self.base.report.clone();
        let mut findings = legacy.findings.clone();
        report_routers(&names, routers, &mut report, &mut findings);
        let mut outcomes = legacy.outcomes.clone();
        outcomes.replace(&self.stale, services, middlewares);
        if is_something_left {
            let swept = outcomes.sweep(&report.routers);
            swept.iter().for_each(|ask| touched.add(ask));
        }
        let health_checks = if touched.services.is_empty() {
            Arc::clone(&self.base.compiled.health_checks)
        } else {
            outcomes.health_checks()
        };
        let (pools, used) = if touched.services.is_empty() {
            (
                Arc::clone(&legacy.pools),
                Arc::clone(&self.base.compiled.pools),
            )
        } else {
            let used = Arc::new(outcomes.pools());
            (Arc::new(pools.and(&legacy.pools, &used)), used)
        };
        self.report_services(&touched, &outcomes, &users, &mut report, &mut findings);
        self.report_middlewares(&touched, &outcomes, &users, &mut report, &mut findings);
        report.diagnostics = self.transports.diagnostics().cloned().collect();
        report.diagnostics.extend(findings.all());
        Generation {
            compiled: Arc::new(Compiled {
                entry_points,
                pools: used,
                health_checks,
            }),
            report,
            legacy: Legacy {
                configured: self.now.clone(),
                tree: self.tree,
                transports: self.transports,
                outcomes,
                pools,
                users,
                findings,
                depends_on_order,
            },
        }
    }

    /// The routers that have changed, those that were built from something stale, and all parents
    /// and children if one of them is among these.
    fn routers_to_build(&self) -> BTreeSet<QualifiedName> {
        let changes = self.changes.iter();
        let changed = changes.map(|change| QualifiedName::of(change.name, ""));
        let mut names: BTreeSet<_> = changed.collect();
        if !self.stale.is_empty() {
            let built = self.base.report.routers.iter();
            let stale = built.filter(|(_, report)| self.stale.touches(&report.asked));
            names.extend(stale.map(|(name, _)| name.clone()));
        }
        let before = &self.base.legacy.tree;
        let members = before.members().union(self.tree.members());
        let is_same_tree = Arc::ptr_eq(before, &self.tree);
        if !is_same_tree || members.clone().any(|member| names.contains(member)) {
            names.extend(members.cloned().collect::<Vec<_>>());
        }
        names
    }

    fn build(&self, names: &BTreeSet<QualifiedName>) -> Fresh {
        let known = &self.base.legacy.outcomes;
        let mut middlewares = Middlewares::new(
            &self.now.http.middlewares,
            self.previous
                .map(|previous| &previous.configured.http.middlewares),
            &known.middlewares,
            &self.stale,
        );
        let previous = self.previous.map(|previous| service::Previous {
            configured: &previous.configured.http.services,
            built: &previous.outcomes.services,
            pools: &previous.pools,
        });
        let mut services = Services::new(
            &self.now.http,
            &self.transports,
            previous,
            &known.services,
            &self.stale,
        );
        let routers = Routers::new(
            &self.now.http,
            &self.now.tls_options,
            &self.now.options,
            &self.tree,
            &mut services,
            &mut middlewares,
        );
        let routers = routers.build(names);
        let (services, pools) = services.finish();
        Fresh {
            routers,
            services,
            pools,
            middlewares: middlewares.finish(),
        }
    }

    fn entry_points(
        &self,
        names: &BTreeSet<QualifiedName>,
        built: &BTreeMap<QualifiedName, Built>,
    ) -> BTreeMap<String, EntryPointRoutes> {
        let before = &self.base.compiled.entry_points;
        let entry_points = self.now.options.entry_points.iter();
        let entry_points = entry_points.map(|(entry_point, options)| {
            let before = before.get(entry_point);
            let mut http = before.map_or_else(Default::default, |before| before.http.clone());
            for name in names {
                http.remove(name.as_str());
            }
            for built in built.values() {
                let mut using = built.report.using.iter();
                if using.any(|name| **name == **entry_point)
                    && let Some(route) = &built.route
                {
                    http.insert(route.clone());
                }
            }
            let denied = options.denied;
            (entry_point.clone(), EntryPointRoutes { denied, http })
        });
        entry_points.collect()
    }

    /// Whether something was asked for that need not be any more.
    fn is_something_left(&self, names: &BTreeSet<QualifiedName>, fresh: &Fresh) -> bool {
        let reports = &self.base.report.routers;
        let before = names.iter().filter_map(|name| reports.get(name.as_str()));
        let before = before.flat_map(|report| &*report.asked);
        let stale = self.stale.iter();
        let stale = stale.flat_map(|ask| self.base.legacy.outcomes.asked_by(ask));
        let mut left: HashSet<&Ask> = before.chain(stale).collect();
        let routers = fresh.routers.values();
        let routers = routers.flat_map(|built| &*built.report.asked);
        let services = fresh.services.outcomes.values();
        let services = services.flat_map(|added| &*added.asked);
        let middlewares = fresh.middlewares.outcomes.values();
        let middlewares = middlewares.flat_map(|added| &*added.asked);
        for ask in routers.chain(services).chain(middlewares) {
            left.remove(ask);
        }
        !left.is_empty()
    }

    fn report_services(
        &self,
        touched: &Affected,
        outcomes: &Outcomes,
        users: &Users,
        report: &mut Report,
        findings: &mut Findings,
    ) {
        let mut reports = Vec::new();
        for name in &touched.services {
            let Some(service) = self.now.http.services.get(name.as_str()) else {
                report.services.remove(name.as_str());
                findings.of_service(name, None);
                continue;
            };
            let outcome = outcomes.services.get(name.as_str());
            let asked = outcome.map_or(&[][..], |outcome| &*outcome.asked);
            let states = outcome.map_or_else(HashMap::new, |outcome| outcome.checked());
            let servers = asked.iter().filter_map(|ask| match ask {
                Ask::Server(url, _) => Some(ServerReport {
                    url: shown(url),
                    state: states.get(url).cloned(),
                }),
                _ => None,
            });
            let judged = ServiceReport {
                service: outcome.map_or_else(
                    || Arc::clone(service),
                    |_built| balancing::shown(name, service),
                ),
                verdict: outcome.map_or_else(Default::default, |outcome| outcome.verdict.clone()),
                used_by: users.of_service(name),
                servers: servers.collect(),
            };
            findings.of_service(name, Some(&judged.verdict));
            reports.push((name.clone(), judged));
        }
        report.services.extend(reports);
    }

    fn report_middlewares(
        &self,
        touched: &Affected,
        outcomes: &Outcomes,
        users: &Users,
        report: &mut Report,
        findings: &mut Findings,
    ) {
        let mut reports = Vec::new();
        for name in &touched.middlewares {
            let Some(middleware) = self.now.http.middlewares.get(name.as_str()) else {
                report.middlewares.remove(name.as_str());
                findings.of_middleware(name, None);
                continue;
            };
            let outcome = outcomes.middlewares.get(name.as_str());
            let judged = MiddlewareReport {
                middleware: Arc::clone(middleware),
                verdict: outcome.map_or_else(Default::default, |outcome| outcome.verdict.clone()),
                used_by: users.of_middleware(name),
            };
            findings.of_middleware(name, Some(&judged.verdict));
            reports.push((name.clone(), judged));
        }
        report.middlewares.extend(reports);
    }
}

fn report_routers(
    names: &BTreeSet<QualifiedName>,
    mut built: BTreeMap<QualifiedName, Built>,
    report: &mut Report,
    findings: &mut Findings,
) {
    let mut reports: Vec<(_, RouterReport)> = Vec::new();
    for name in names {
        let Some(Built { report: judged, .. }) = built.remove(name) else {
            report.routers.remove(name.as_str());
            findings.of_router(name, None);
            continue;
        };
        findings.of_router(name, Some((&judged.router, &judged.verdict)));
        reports.push((name.clone(), judged));
    }
    report.routers.extend(reports);
}
