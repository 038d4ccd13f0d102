//! Services: names become servers, balancers and other services.

use std::collections::BTreeMap;
use std::sync::Arc;

use traefikrs_config::elements::Elements;
use traefikrs_config::{QualifiedName, dynamic};
use traefikrs_lb::strategy::Strategy;
use traefikrs_lb::{Balancer, Settings};

use crate::asked::{Added, Ask, Building};
use crate::compiled::{
    HealthCheck, InternalService, LoadBalancer, Server, ServerHost, Service, ServiceKind,
    Transport, Weighted,
};
use crate::error::BuildError;
use crate::health_check::health_check;
use crate::middleware::Middlewares;
use crate::outcome::{OutcomeByName, Stale};
use crate::reason::{HEALTH_CHECK_IMPOSSIBLE, SERVER_URL_UNUSABLE, SERVICE_UNUSABLE};
use crate::report::Verdict;
use crate::server::ServerUrl;
use crate::transport::{Pools, Transports};

pub(crate) mod balancing;
mod composition;

/// Deeper nesting is refused: each request walks down it.
const MAX_DEPTH: usize = 64;

/// The services of one configuration, built on demand and once.
pub(crate) struct Services<'c> {
    configured: &'c Elements<dynamic::Service>,
    transports: &'c Transports,
    pub(crate) building: Building<'c, Arc<Service>>,
    previous: Option<Previous<'c>>,
    pools: Pools,
    verdicts: BTreeMap<QualifiedName, Verdict>,
}

/// What a generation leaves to the next: services that did not change go on with their balancers,
/// and servers that stay keep their connections.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Previous<'c> {
    pub(crate) configured: &'c Elements<dynamic::Service>,
    pub(crate) built: &'c OutcomeByName<Arc<Service>>,
    pub(crate) pools: &'c Pools,
}

impl<'c> Previous<'c> {
    /// Whose turn it was in this service, and what was known of its servers.
    fn balancer(self, name: &QualifiedName) -> Option<&'c Balancer> {
        match &self.built.get(name.as_str())?.result.as_ref().ok()?.kind {
            ServiceKind::LoadBalancer(servers) => Some(&servers.balancer),
            ServiceKind::Weighted(services) => Some(&services.balancer),
            _ => None,
        }
    }
}

impl<'c> Services<'c> {
    pub(crate) fn new(
        http: &'c dynamic::Http,
        transports: &'c Transports,
        previous: Option<Previous<'c>>,
        base: &'c OutcomeByName<Arc<Service>>,
        stale: &'c Stale,
    ) -> Self {
        Self {
            configured: &http.services,
            transports,
            building: Building::new(Ask::Service, base, stale),
            previous,
            pools: Pools::following(previous.map(|previous| previous.pools)),
            verdicts: BTreeMap::new(),
        }
    }

    /// What was built, and its pools.
    pub(crate) fn finish(self) -> (Added<Arc<Service>>, Pools) {
        (self.building.finish(self.verdicts), self.pools)
    }

    /// The service of this name, built at the first call.
    pub(crate) fn service(
        &mut self,
        name: &QualifiedName,
        middlewares: &mut Middlewares<'c>,
    ) -> Result<Arc<Service>, BuildError> {
        self.nested(name, &mut Vec::new(), middlewares)
    }

    fn nested(
        &mut self,
        name: &QualifiedName,
        path: &mut Vec<QualifiedName>,
        middlewares: &mut Middlewares<'c>,
    ) -> Result<Arc<Service>, BuildError> {
        if let Some(built) = self.building.ask(name) {
            return built;
        }
        let Some(configured) = self.configured.get(name.as_str()) else {
            return Err(missing(name));
        };
        if path.contains(name) {
            self.building.depends_on_order = true;
            return Err(self.recursion(name, path));
        }
        if path.len() >= MAX_DEPTH {
            self.building.depends_on_order = true;
            return Err(BuildError::invalid(format!(
                "services are nested more than {MAX_DEPTH} deep"
            )));
        }
        path.push(name.clone());
        let mark = self.building.log.mark();
        let mark_of_middlewares = middlewares.building.log.mark();
        let built = self.build(name, configured, path, middlewares);
        path.pop();
        if let Err(error) = &built {
            self.verdict(name)
                .disable(error.reason(SERVICE_UNUSABLE), "", error.to_string());
        }
        let asked = self.building.log.since(mark);
        let asked = asked.chain(middlewares.building.log.since(mark_of_middlewares));
        let asked = asked.collect();
        self.building.add(name, built.clone(), asked);
        built
    }

    fn recursion(&mut self, name: &QualifiedName, path: &[QualifiedName]) -> BuildError {
        let circle: Vec<_> = path
            .iter()
            .chain([name])
            .map(|name| format!("service:{name}"))
            .collect();
        let error = BuildError::invalid(format!(
            "could not instantiate service {name}: recursion detected in {}",
            circle.join("->")
        ));
        self.verdict(name)
            .disable(SERVICE_UNUSABLE, "", error.to_string());
        error
    }

    fn build(
        &mut self,
        name: &QualifiedName,
        configured: &'c dynamic::Service,
        path: &mut Vec<QualifiedName>,
        middlewares: &mut Middlewares<'c>,
    ) -> Result<Arc<Service>, BuildError> {
        let kind = self.kind(name, configured, path, middlewares)?;
        let stack = middlewares.stack(&configured.middlewares, name)?;
        if middlewares.unchanged(&configured.middlewares, name)
            && let Some(before) = self.unchanged(name, configured, &kind)
        {
            return Ok(before);
        }
        Ok(Arc::new(Service {
            name: name.clone(),
            stack,
            ways: composition::ways(&kind)?,
            kind,
        }))
    }

    fn kind(
        &mut self,
        name: &QualifiedName,
        configured: &'c dynamic::Service,
        path: &mut Vec<QualifiedName>,
        middlewares: &mut Middlewares<'c>,
    ) -> Result<ServiceKind, BuildError> {
        if let Some(internal) = internal_service(name) {
            return Ok(ServiceKind::Internal(internal));
        }
        let dynamic::Service {
            load_balancer,
            highest_random_weight,
            weighted,
            mirroring,
            failover,
            ..
        } = configured;
        let n_kinds = usize::from(load_balancer.is_some())
            + usize::from(highest_random_weight.is_some())
            + usize::from(weighted.is_some())
            + usize::from(mirroring.is_some())
            + usize::from(failover.is_some());
        if n_kinds > 1 {
            return Err(BuildError::invalid(
                "cannot create service: multi-types service not supported, consider declaring two different pieces of service instead",
            ));
        }
        if let Some(load_balancer) = load_balancer {
            return self
                .load_balancer(name, load_balancer)
                .map(ServiceKind::LoadBalancer);
        }
        if let Some(weighted) = weighted {
            let settings = Settings {
                sticky: balancing::cookie(weighted.sticky.as_ref(), name),
                ..Settings::default()
            };
            let follows_health = weighted.health_check.is_some();
            return self.weighted(
                name,
                &weighted.services,
                settings,
                follows_health,
                path,
                middlewares,
            );
        }
        if let Some(hashed) = highest_random_weight {
            let settings = Settings {
                strategy: Strategy::Hrw,
                ..Settings::default()
            };
            let follows_health = hashed.health_check.is_some();
            return self.weighted(
                name,
                &hashed.services,
                settings,
                follows_health,
                path,
                middlewares,
            );
        }
        if let Some(mirroring) = mirroring {
            return self.mirroring(name, mirroring, path, middlewares);
        }
        if let Some(failover) = failover {
            return self.failover(name, failover, path, middlewares);
        }
        Err(BuildError::invalid(format!(
            "the service \"{name}\" does not have any type defined"
        )))
    }

    fn weighted(
        &mut self,
        name: &QualifiedName,
        services: &[dynamic::WeightedService],
        settings: Settings,
        follows_health: bool,
        path: &mut Vec<QualifiedName>,
        middlewares: &mut Middlewares<'c>,
    ) -> Result<ServiceKind, BuildError> {
        let mut children = Vec::new();
        for child in services {
            let built = self.part(name, &child.name, path, middlewares);
            children.push(built.map_err(|error| match settings.strategy {
                Strategy::Hrw => error,
                _ => error.within(&format!("building HTTP service \"{}\"", child.name)),
            })?);
            if follows_health {
                self.must_report(name, &child.name)?;
            }
        }
        let members = services.iter().map(balancing::service);
        let previous = self.previous.and_then(|previous| previous.balancer(name));
        Ok(ServiceKind::Weighted(Weighted {
            children: children.into(),
            balancer: Balancer::new(members, settings, previous),
            follows_health,
        }))
    }

    fn load_balancer(
        &mut self,
        name: &QualifiedName,
        configured: &dynamic::LoadBalancer,
    ) -> Result<LoadBalancer, BuildError> {
        let settings = balancing::settings(name, configured)?;
        let transport = self.transport(name, configured)?;
        let servers = configured
            .servers
            .iter()
            .map(|server| self.server(name, server, &transport))
            .collect::<Result<Box<[_]>, _>>()?;
        let members = servers
            .iter()
            .zip(&configured.servers)
            .map(|(server, configured)| balancing::server(&server.url, configured));
        let previous = self.previous.and_then(|previous| previous.balancer(name));
        let balancer = Balancer::new(members, settings, previous);
        let check = configured.health_check.as_ref();
        let health_check =
            check.map(|check| Arc::new(self.health_check(name, check, &transport, &balancer)));
        Ok(LoadBalancer {
            balancer,
            health_check,
            servers,
            pass_host_header: configured.pass_host_header.unwrap_or(true),
            transport,
        })
    }

    fn transport(
        &mut self,
        name: &QualifiedName,
        configured: &dynamic::LoadBalancer,
    ) -> Result<Arc<Transport>, BuildError> {
        // Traefik: a transport that nobody is asked by need not exist.
        let is_needed = !configured.servers.is_empty() || configured.health_check.is_some();
        let reference = match configured.servers_transport.as_str() {
            reference if is_needed && !reference.is_empty() => name.resolve(reference),
            _ => QualifiedName::new("default", "internal"),
        };
        self.building.log.push(Ask::Transport(reference.clone()));
        if let Some(transport) = self.transports.get(&reference) {
            return Ok(Arc::clone(transport));
        }
        let problem = format!("getting RoundTripper: servers transport not found {reference}");
        Err(BuildError::invalid(match configured.servers.first() {
            Some(server) => {
                format!(
                    "error building proxy for server URL {}: {problem}",
                    server.url
                )
            }
            None => problem,
        }))
    }

    fn health_check(
        &mut self,
        name: &QualifiedName,
        configured: &dynamic::HealthCheck,
        transport: &Arc<Transport>,
        balancer: &Balancer,
    ) -> HealthCheck {
        let states = balancer.states();
        let states = states.map(|(name, state)| (Arc::clone(name), Arc::clone(state)));
        let locate = |url: &str| self.located(url, transport).map(|(server, _)| server);
        let (check, problems) = health_check(name, configured, transport, states, locate);
        for problem in problems {
            self.verdict(name)
                .warn(HEALTH_CHECK_IMPOSSIBLE, "healthCheck", problem);
        }
        check
    }

    fn server(
        &mut self,
        service: &QualifiedName,
        configured: &dynamic::Server,
        transport: &Arc<Transport>,
    ) -> Result<Server, BuildError> {
        let (mut server, path) = self.located(&configured.url, transport)?;
        self.building
            .log
            .push(Ask::Server(Arc::clone(&server.url), server.pool));
        if server.host == ServerHost::Nowhere {
            let message = format!(
                "server URL {}: requests to it fail: expected http, https or h2c, and a host",
                configured.url
            );
            self.verdict(service)
                .warn(SERVER_URL_UNUSABLE, "servers", message);
        }
        if configured.preserve_path {
            server.base_path = path.strip_suffix('/').unwrap_or(&path).into();
        }
        Ok(server)
    }

    /// The server of a URL, and the URL's path.
    fn located(
        &mut self,
        url: &str,
        transport: &Arc<Transport>,
    ) -> Result<(Server, String), BuildError> {
        let parsed =
            ServerUrl::parse(url).map_err(|error| BuildError::invalid(error.to_string()))?;
        let scheme = transport.scheme(url, &parsed)?;
        let previous = self.previous.map(|previous| previous.pools);
        let pool = self
            .pools
            .id(previous, transport, parsed.scheme, &parsed.host_header);
        Ok(parsed.into_server(url, scheme, pool))
    }

    /// The same service of the generation before, when nothing that it is made of has changed.
    fn unchanged(
        &self,
        name: &QualifiedName,
        configured: &dynamic::Service,
        kind: &ServiceKind,
    ) -> Option<Arc<Service>> {
        let previous = self.previous?;
        let before = previous.built.get(name.as_str())?.result.as_ref().ok()?;
        let same = previous
            .configured
            .get(name.as_str())
            .map(|before| &**before)
            == Some(configured)
            && match (&before.kind, kind) {
                (ServiceKind::LoadBalancer(before), ServiceKind::LoadBalancer(now)) => {
                    before.transport == now.transport
                }
                (ServiceKind::Weighted(before), ServiceKind::Weighted(now)) => before
                    .children
                    .iter()
                    .zip(&now.children)
                    .all(|(before, now)| Arc::ptr_eq(before, now)),
                (ServiceKind::Mirroring(before), ServiceKind::Mirroring(now)) => {
                    Arc::ptr_eq(&before.main, &now.main)
                        && before
                            .mirrors
                            .iter()
                            .zip(&now.mirrors)
                            .all(|(before, now)| Arc::ptr_eq(before, now))
                }
                (ServiceKind::Failover(before), ServiceKind::Failover(now)) => {
                    Arc::ptr_eq(&before.main, &now.main)
                        && Arc::ptr_eq(&before.fallback, &now.fallback)
                }
                (ServiceKind::Internal(before), ServiceKind::Internal(now)) => before == now,
                _ => false,
            };
        same.then(|| Arc::clone(before))
    }

    fn verdict(&mut self, name: &QualifiedName) -> &mut Verdict {
        self.verdicts.entry(name.clone()).or_default()
    }
}

fn missing(name: &QualifiedName) -> BuildError {
    if !name.is_internal() {
        return BuildError::invalid(format!("the service \"{name}\" does not exist"));
    }
    match name.name() {
        "dashboard" | "prometheus" | "rest" | "acme-http" => {
            BuildError::not_served(format!("{name} is not served yet"))
        }
        name @ ("api" | "ping") => BuildError::invalid(format!("{name} is not enabled")),
        _ => BuildError::invalid(format!("unknown internal service {name}")),
    }
}

fn internal_service(name: &QualifiedName) -> Option<InternalService> {
    if !name.is_internal() {
        return None;
    }
    match name.name() {
        "ping" => Some(InternalService::Ping),
        "noop" => Some(InternalService::Noop),
        "api" => Some(InternalService::Api),
        _ => None,
    }
}
