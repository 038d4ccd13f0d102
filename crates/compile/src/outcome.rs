//! What became of the services and middlewares that somebody asked for?

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use traefikrs_config::elements::Elements;
use traefikrs_config::{QualifiedName, dynamic};
use traefikrs_lb::ServerState;
use traefikrs_middleware::Middleware;

use crate::asked::{Added, Ask};
use crate::compiled::{HealthCheck, PoolId, Service, ServiceKind};
use crate::error::BuildError;
use crate::report::{RouterReport, Verdict};

/// What became of a service or middleware.
#[derive(Debug, Clone)]
pub(crate) struct Outcome<T> {
    pub(crate) result: Result<T, BuildError>,
    pub(crate) verdict: Verdict,
    pub(crate) asked: Box<[Ask]>,
    /// Of how many elements the longest row that hangs on this one is made.
    pub(crate) height: usize,
}

impl Outcome<Arc<Service>> {
    fn health_check(&self) -> Option<&Arc<HealthCheck>> {
        match &self.result.as_ref().ok()?.kind {
            ServiceKind::LoadBalancer(servers) => servers.health_check.as_ref(),
            _ => None,
        }
    }

    /// What checks found about servers, by URL.
    pub(crate) fn checked(&self) -> HashMap<Arc<str>, Arc<ServerState>> {
        let checks = self.health_check().into_iter();
        let servers = checks.flat_map(|check| &check.servers);
        servers
            .map(|server| (Arc::clone(&server.name), Arc::clone(&server.state)))
            .collect()
    }
}

pub(crate) type OutcomeByName<T> = Elements<Outcome<T>, QualifiedName>;

/// What became of all that somebody asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outcomes {
    pub(crate) services: OutcomeByName<Arc<Service>>,
    pub(crate) middlewares: OutcomeByName<Vec<Middleware>>,
}

impl Outcomes {
    /// Replaces what is stale by what was built anew.
    pub(crate) fn replace(
        &mut self,
        stale: &Stale,
        services: Added<Arc<Service>>,
        middlewares: Added<Vec<Middleware>>,
    ) {
        for ask in stale.iter() {
            self.forget(ask);
        }
        self.services.extend(services.outcomes);
        self.middlewares.extend(middlewares.outcomes);
    }

    /// Forgets what nobody asks for any more, and names it.
    pub(crate) fn sweep(&mut self, routers: &Elements<RouterReport, QualifiedName>) -> Vec<Ask> {
        let mut wanted = HashSet::new();
        let mut open: Vec<&Ask> = routers.values().flat_map(|report| &*report.asked).collect();
        while let Some(ask) = open.pop() {
            if wanted.insert(ask) {
                open.extend(self.asked_by(ask));
            }
        }
        let services = self.services.keys().cloned().map(Ask::Service);
        let middlewares = self.middlewares.keys().cloned().map(Ask::Middleware);
        let all = services.chain(middlewares);
        let unwanted: Vec<_> = all.filter(|ask| !wanted.contains(ask)).collect();
        for ask in &unwanted {
            self.forget(ask);
        }
        unwanted
    }

    /// What an element asked for when it was built.
    pub(crate) fn asked_by(&self, ask: &Ask) -> &[Ask] {
        let asked = match ask {
            Ask::Service(name) => self.services.get(name.as_str()).map(|it| &*it.asked),
            Ask::Middleware(name) => self.middlewares.get(name.as_str()).map(|it| &*it.asked),
            Ask::Transport(_) | Ask::Server(..) => None,
        };
        asked.unwrap_or_default()
    }

    /// The checks of all services.
    pub(crate) fn health_checks(&self) -> Arc<[Arc<HealthCheck>]> {
        let checks = self.services.values().filter_map(|it| it.health_check());
        checks.cloned().collect()
    }

    /// The pools that servers have.
    pub(crate) fn pools(&self) -> HashSet<PoolId> {
        let asked = self.services.values().flat_map(|outcome| &*outcome.asked);
        let pools = asked.filter_map(|ask| match ask {
            Ask::Server(_, pool) => Some(*pool),
            _ => None,
        });
        pools.collect()
    }

    fn forget(&mut self, ask: &Ask) {
        match ask {
            Ask::Service(name) => drop(self.services.remove(name.as_str())),
            Ask::Middleware(name) => drop(self.middlewares.remove(name.as_str())),
            Ask::Transport(_) | Ask::Server(..) => {}
        }
    }
}

/// Elements about which nothing can be reused: their configuration has changed, or that of something
/// they were built from.
#[derive(Debug, Default)]
pub(crate) struct Stale(HashSet<Ask>);

impl Stale {
    /// What has changed between two configurations, and what follows for what was built of the first.
    pub(crate) fn new(before: &dynamic::Http, now: &dynamic::Http, built: &Outcomes) -> Self {
        let name = |name| QualifiedName::of(name, "");
        let changes = now.services.changes_since(&before.services);
        let services = changes.map(|change| Ask::Service(name(change.name)));
        let changes = now.middlewares.changes_since(&before.middlewares);
        let middlewares = changes.map(|change| Ask::Middleware(name(change.name)));
        let transports = &now.servers_transports;
        let changes = transports.changes_since(&before.servers_transports);
        let transports = changes.map(|change| Ask::Transport(name(change.name)));
        let mut stale = Self(services.chain(middlewares).chain(transports).collect());
        if !stale.is_empty() {
            while stale.spread(&built.middlewares, Ask::Middleware)
                | stale.spread(&built.services, Ask::Service)
            {}
        }
        stale
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn contains(&self, ask: &Ask) -> bool {
        self.0.contains(ask)
    }

    pub(crate) fn touches(&self, asked: &[Ask]) -> bool {
        asked.iter().any(|ask| self.contains(ask))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Ask> {
        self.0.iter()
    }

    /// Adds the elements that were built from something stale; says whether there was a new one.
    fn spread<T>(&mut self, built: &OutcomeByName<T>, ask_for: fn(QualifiedName) -> Ask) -> bool {
        let before = self.0.len();
        for (name, outcome) in built {
            if self.touches(&outcome.asked) {
                self.0.insert(ask_for(name.clone()));
            }
        }
        self.0.len() > before
    }
}
