//! One request, from its head to the head of its answer.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::rc::Rc;

use http::header::CONNECTION;
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use traefikrs_compile::compiled::{Route, ServiceKind, Target};
use traefikrs_gourl::{host, routing_path};
use traefikrs_router::{RequestView, RouteTable};

use crate::answer::{self, Answer};
use crate::body::{RequestBody, ResponseBody};
use crate::connection::Connection;
use crate::forward::{self, Outbound};
use crate::intake::{self, Intake};
use crate::{internal, pick};

/// Answers a request; there is always an answer.
pub(crate) async fn serve(
    connection: Rc<Connection>,
    request: Request<Incoming>,
) -> Result<Response<ResponseBody>, Infallible> {
    let in_flight = connection.begin();
    let (mut parts, incoming) = request.into_parts();
    let mut answer = match intake::take_in(&connection, &mut parts) {
        Ok(intake) => {
            let body = RequestBody::new(incoming, || connection.read_deadline());
            respond(&connection, parts, intake, body).await
        }
        Err(refusal) => *refusal,
    };
    if connection.says_close() {
        answer
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(answer.map(|content| ResponseBody::new(content, in_flight)))
}

/// Routes, applies, picks and forwards, all by one configuration.
async fn respond(
    connection: &Rc<Connection>,
    parts: Parts,
    intake: Intake,
    body: RequestBody,
) -> Answer {
    let generation = connection.entry_point.worker.generation();
    let Some(routes) = generation
        .entry_points
        .get(&connection.entry_point.options.name)
    else {
        return answer::not_found();
    };
    let arrived_at = intake.host.clone();
    let canonical_host = host::canonical(text(&arrived_at));
    let mut route = match find(
        &routes.http,
        connection.peer,
        &parts,
        &intake,
        &canonical_host,
    ) {
        Some(route) => route,
        None => return answer::not_found(),
    };
    if routes.denied.denies(parts.uri.path()) {
        return answer::empty(StatusCode::BAD_REQUEST);
    }
    let mut service = loop {
        match &route.target {
            Target::Service(service) => break service,
            Target::Children(children) => {
                match find(children, connection.peer, &parts, &intake, &canonical_host) {
                    Some(child) => route = child,
                    None => return answer::not_found(),
                }
            }
            Target::NotServed => return answer::empty(StatusCode::SERVICE_UNAVAILABLE),
        }
    };
    loop {
        match &service.kind {
            ServiceKind::Weighted(weighted) => match pick::child(weighted) {
                Some(child) => service = child,
                None => return answer::no_server(),
            },
            ServiceKind::LoadBalancer(balancer) => {
                let Some(server) = pick::server(balancer) else {
                    return answer::no_server();
                };
                let outbound = Outbound {
                    parts,
                    intake,
                    body,
                };
                return forward::forward(connection, balancer, server, outbound).await;
            }
            ServiceKind::Internal(internal) => {
                return internal::answer(*internal, &connection.entry_point.worker, &parts);
            }
        }
    }
}

fn find<'t>(
    table: &'t RouteTable<std::sync::Arc<Route>>,
    peer: SocketAddr,
    parts: &Parts,
    intake: &Intake,
    canonical_host: &str,
) -> Option<&'t std::sync::Arc<Route>> {
    table.find(&RequestView {
        method: parts.method.as_str(),
        host: canonical_host,
        raw_host: text(&intake.host),
        flattened_host: None,
        path: &routing_path(parts.uri.path()),
        query: parts.uri.query().map(str::as_bytes),
        headers: &parts.headers,
        peer: Some(peer.ip()),
    })
}

/// A host, whose bytes have been checked to be ASCII.
fn text(host: &HeaderValue) -> &str {
    host.to_str().unwrap_or_default()
}
