//! Who answers this request?

use std::sync::Arc;

use http::header::HOST;
use http::{HeaderValue, StatusCode};
use traefikrs_compile::compiled::{
    EntryPointRoutes, LoadBalancer, Route, Server, Service, ServiceKind, Target,
};
use traefikrs_gourl::routing_path;
use traefikrs_middleware::path;
use traefikrs_router::{RequestView, RouteTable};

use crate::answer::{self, Answer};
use crate::apply::Passed;
use crate::serve::Inbound;
use crate::worker::Worker;
use crate::{internal, pick};

/// Follows a request to a server; the error is the answer it gets on the way.
pub(crate) fn lead<'g>(
    routes: &'g EntryPointRoutes,
    canonical_host: &str,
    inbound: &mut Inbound,
    passed: &mut Passed<'g>,
    worker: &Worker,
) -> Result<(&'g LoadBalancer, &'g Server), Box<Answer>> {
    let service = route(routes, canonical_host, inbound, passed)?;
    pick(service, inbound, passed, worker)
}

fn route<'g>(
    routes: &'g EntryPointRoutes,
    canonical_host: &str,
    inbound: &mut Inbound,
    passed: &mut Passed<'g>,
) -> Result<&'g Service, Box<Answer>> {
    let mut route = find(&routes.http, canonical_host, inbound)?;
    if routes.denied.denies(inbound.parts.uri.path()) {
        return Err(Box::new(answer::empty(StatusCode::BAD_REQUEST)));
    }
    loop {
        passed.through(&route.stack, inbound)?;
        route = match &route.target {
            Target::Service(service) => return Ok(service),
            Target::Children(children) => find(children, canonical_host, inbound)?,
            Target::NotServed => {
                return Err(Box::new(answer::bare(StatusCode::SERVICE_UNAVAILABLE)));
            }
        };
    }
}

fn pick<'g>(
    service: &'g Service,
    inbound: &mut Inbound,
    passed: &mut Passed<'g>,
    worker: &Worker,
) -> Result<(&'g LoadBalancer, &'g Server), Box<Answer>> {
    let mut service = service;
    loop {
        passed.through(&service.stack, inbound)?;
        service = match &service.kind {
            ServiceKind::LoadBalancer(balancer) => {
                let server = pick::server(balancer).ok_or_else(|| Box::new(answer::no_server()))?;
                return Ok((balancer, server));
            }
            ServiceKind::Weighted(weighted) => {
                pick::child(weighted).ok_or_else(|| Box::new(answer::no_server()))?
            }
            ServiceKind::Internal(internal) => {
                return Err(Box::new(internal::answer(
                    *internal,
                    worker,
                    &inbound.parts,
                )));
            }
        };
    }
}

/// The first route that matches what the request is by now.
fn find<'g>(
    table: &'g RouteTable<Arc<Route>>,
    canonical_host: &str,
    inbound: &Inbound,
) -> Result<&'g Route, Box<Answer>> {
    let parts = &inbound.parts;
    let query = parts
        .uri
        .query()
        .map(|query| inbound.semicolons.apply(query));
    let request = RequestView {
        method: parts.method.as_str(),
        host: canonical_host,
        raw_host: parts.headers.get(HOST).map(text).unwrap_or_default(),
        flattened_host: None,
        path: &routing_path(path(parts, &inbound.context)),
        query: query.as_deref().map(str::as_bytes),
        headers: &parts.headers,
        peer: Some(inbound.context.peer.ip()),
    };
    table
        .find(&request)
        .map(Arc::as_ref)
        .ok_or_else(|| Box::new(answer::not_found()))
}

/// A host, whose bytes have been found to be ASCII.
pub(crate) fn text(host: &HeaderValue) -> &str {
    host.to_str().unwrap_or_default()
}
