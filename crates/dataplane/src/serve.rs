//! One request, from its head to the head of its answer.

use std::convert::Infallible;
use std::rc::Rc;

use http::header::CONNECTION;
use http::request::Parts;
use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use traefikrs_gourl::host;
use traefikrs_middleware::Context;

use crate::answer::{self, Answer};
use crate::apply::Passed;
use crate::body::{RequestBody, ResponseBody};
use crate::connection::Connection;
use crate::intake::{self, Intake, Seen};
use crate::{forward, route};

/// A request on its way in.
#[derive(Debug)]
pub(crate) struct Inbound {
    pub(crate) parts: Parts,
    pub(crate) context: Context,
    /// The protocol that the client wants to switch to.
    pub(crate) upgrade: Option<HeaderValue>,
    pub(crate) seen: Seen,
}

/// Answers a request; there is always an answer.
pub(crate) async fn serve(
    connection: Rc<Connection>,
    request: Request<Incoming>,
) -> Result<Response<ResponseBody>, Infallible> {
    let mut in_flight = connection.begin();
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
    in_flight.is_answered = true;
    Ok(answer.map(|content| ResponseBody::new(content, in_flight)))
}

/// Routes, applies, picks and forwards, all by one configuration.
async fn respond(
    connection: &Connection,
    parts: Parts,
    intake: Intake,
    body: RequestBody,
) -> Answer {
    let worker = &connection.entry_point.worker;
    let generation = worker.generation();
    let Some(routes) = generation
        .compiled
        .entry_points
        .get(&connection.entry_point.options.name)
    else {
        return answer::not_found();
    };
    let mut inbound = Inbound {
        parts,
        context: Context::new(connection.peer, false),
        upgrade: intake.upgrade,
        seen: intake.seen,
    };
    let mut passed = Passed::default();
    let canonical_host = host::canonical(route::text(&intake.host));
    match route::lead(routes, &canonical_host, &mut inbound, &mut passed, worker) {
        Ok((balancer, server)) => {
            let context = inbound.context.clone();
            let answer = forward::forward(connection, balancer, server, inbound, body).await;
            passed.back(answer, &context)
        }
        Err(answer) => passed.back(*answer, &inbound.context),
    }
}
