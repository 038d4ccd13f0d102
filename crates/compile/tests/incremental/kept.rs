//! What goes on over a change: the very same thing, not one that is alike.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use traefikrs_compile::Generation;
use traefikrs_compile::compiled::LoadBalancer;
use traefikrs_lb::ServerState;

use crate::served::Served;
use crate::written::Written;

/// A generation and what it was made of.
pub(crate) struct Made {
    pub(crate) written: Written,
    pub(crate) generation: Generation,
    pub(crate) served: Served,
}

/// Everything of a generation speaks of the same balancers, checks and pools.
pub(crate) fn check_whole(made: &Made) {
    let compiled = &made.generation.compiled;
    let reports = &made.generation.report.services;
    for (name, balancer) in made.served.balancers() {
        for server in &balancer.servers {
            assert!(compiled.pools.contains(&server.pool), "{name}");
        }
        let states: Vec<_> = balancer.balancer.states().map(|(_, state)| state).collect();
        let is_of_balancer =
            |state: &Arc<ServerState>| states.iter().any(|other| Arc::ptr_eq(other, state));
        if let Some(check) = &balancer.health_check {
            let mut checks = compiled.health_checks.iter();
            assert!(checks.any(|other| Arc::ptr_eq(other, check)), "{name}");
            let mut checked = check.servers.iter();
            assert!(
                checked.all(|server| is_of_balancer(&server.state)),
                "{name}"
            );
        }
        let mut shown = reports[name.as_str()].servers.iter();
        let mut shown = shown.by_ref().filter_map(|server| server.state.as_ref());
        assert!(shown.all(is_of_balancer), "{name}");
    }
}

/// What a change does not touch goes on.
pub(crate) fn check_kept(before: &Made, now: &Made) {
    let is_same =
        |kind, name: &str| before.written.source(kind, name) == now.written.source(kind, name);
    for (name, service) in &now.served.services {
        let Some(known) = before.served.services.get(name) else {
            continue;
        };
        if is_same("services", name) {
            assert!(Arc::ptr_eq(known, service), "{name}");
        }
    }
    let balancers: HashMap<_, _> = before.served.balancers().collect();
    for (name, balancer) in now.served.balancers() {
        if let Some(known) = balancers.get(name) {
            check_servers(known, balancer, is_same);
        }
    }
    check_routes(before, now, is_same);
}

/// A server that stays keeps its connections and what is known of it, whatever else became of its service.
fn check_servers(
    before: &LoadBalancer,
    now: &LoadBalancer,
    is_same: impl Fn(&'static str, &str) -> bool,
) {
    let transport = now.transport.name.as_str();
    let is_same_transport =
        now.transport.name == before.transport.name && is_same("serversTransports", transport);
    for server in &now.servers {
        let mut known = before.servers.iter();
        if let Some(known) = known.find(|known| known.url == server.url) {
            assert_eq!(
                known.pool == server.pool,
                is_same_transport,
                "{}",
                server.url
            );
        }
    }
    for (url, state) in now.balancer.states() {
        let mut known = before.balancer.states();
        if let Some((_, known)) = known.find(|(known, _)| *known == url) {
            assert!(Arc::ptr_eq(known, state), "{url}");
        }
    }
}

fn check_routes(before: &Made, now: &Made, is_same: impl Fn(&'static str, &str) -> bool) {
    let depends_on_order = before.written.has_circles() || now.written.has_circles();
    if depends_on_order || before.written.tls_options() != now.written.tls_options() {
        return;
    }
    let relatives: BTreeSet<_> = before.written.relatives();
    let relatives: BTreeSet<_> = relatives.union(&now.written.relatives()).cloned().collect();
    for ((entry_point, name), route) in &now.served.routes {
        let key = (entry_point.clone(), name.clone());
        if let Some(known) = before.served.routes.get(&key)
            && is_same("routers", name)
            && !relatives.contains(name)
        {
            assert!(Arc::ptr_eq(known, route), "{name}");
        }
    }
}
