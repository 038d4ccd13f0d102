//! Whose turn is it?

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use traefikrs_compile::compiled::{LoadBalancer, Server, Service, Weighted};
use traefikrs_lb::strategy::Wrr;

/// The server to ask, if there is one that may be.
pub(crate) fn server(balancer: &LoadBalancer) -> Option<&Server> {
    let servers = &balancer.servers;
    let index = turns(&balancer.balancer)
        .pick(|index| servers.get(index).is_some_and(|server| !server.fenced))?;
    servers.get(index)
}

/// The service to ask, if there is one.
pub(crate) fn child(weighted: &Weighted) -> Option<&Arc<Service>> {
    let index = turns(&weighted.balancer).pick(|_| true)?;
    weighted.children.get(index)
}

/// A pick that panicked has left turns that are out of order at worst.
fn turns(turns: &Mutex<Wrr>) -> MutexGuard<'_, Wrr> {
    turns.lock().unwrap_or_else(PoisonError::into_inner)
}
