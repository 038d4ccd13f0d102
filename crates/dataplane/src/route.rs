//! Who answers this request?

use std::sync::Arc;

use http::header::HOST;
use http::{HeaderValue, StatusCode};
use traefikrs_compile::compiled::{
    EntryPointRoutes, Failover, Mirroring, OnStatus, Route, Service, ServiceKind, Target,
};
use traefikrs_gourl::routing_path;
use traefikrs_lb::failover::Choice;
use traefikrs_lb::mirror::Chosen;
use traefikrs_middleware::path;
use traefikrs_router::{RequestView, RouteTable};

use crate::answer::{self, Answer};
use crate::apply::Passed;
use crate::pick::Turn;
use crate::serve::Inbound;
use crate::worker::Worker;
use crate::{internal, pick};

/// Who is to be asked.
pub(crate) enum Picked<'g> {
    /// One server, once.
    Server(Turn<'g>),
    /// More than that.
    Composed(Composed<'g>),
}

/// A service that asks more than one server.
pub(crate) enum Composed<'g> {
    Mirroring {
        mirroring: &'g Mirroring,
        chosen: Chosen,
    },
    Failover {
        failover: &'g Failover,
        on_status: &'g OnStatus,
    },
}

/// Follows a request to whoever answers; the error is the answer it gets on the way.
pub(crate) fn lead<'g>(
    routes: &'g EntryPointRoutes,
    canonical_host: &str,
    inbound: &mut Inbound,
    passed: &mut Passed<'g>,
    worker: &Worker,
) -> Result<Picked<'g>, Box<Answer>> {
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

/// Follows a request from a service to whoever answers.
pub(crate) fn pick<'g>(
    service: &'g Service,
    inbound: &mut Inbound,
    passed: &mut Passed<'g>,
    worker: &Worker,
) -> Result<Picked<'g>, Box<Answer>> {
    let mut service = service;
    loop {
        passed.through(&service.stack, inbound)?;
        service = match &service.kind {
            ServiceKind::LoadBalancer(balancer) => {
                return pick::server(balancer, &pick::client(inbound), worker)
                    .map(Picked::Server)
                    .ok_or_else(|| Box::new(answer::no_server()));
            }
            ServiceKind::Weighted(weighted) => pick::child(weighted, inbound, passed, worker)
                .ok_or_else(|| Box::new(answer::no_server()))?,
            ServiceKind::Mirroring(mirroring) => {
                let chosen = mirroring.choice.next();
                if !chosen.is_empty() {
                    return Ok(Picked::Composed(Composed::Mirroring { mirroring, chosen }));
                }
                &mirroring.main
            }
            ServiceKind::Failover(failover) => match pick::part(failover, inbound, worker) {
                Some(Choice::Main) => match &failover.on_status {
                    Some(on_status) => {
                        return Ok(Picked::Composed(Composed::Failover {
                            failover,
                            on_status,
                        }));
                    }
                    None => &failover.main,
                },
                Some(Choice::Fallback) => &failover.fallback,
                None => {
                    return Err(Box::new(answer::fault(StatusCode::SERVICE_UNAVAILABLE)));
                }
            },
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
