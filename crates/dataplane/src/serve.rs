//! One request, from its head to the head of its answer.

use std::rc::Rc;

use http::header::{CONNECTION, EXPECT};
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use traefikrs_gourl::host;
use traefikrs_gourl::query::Semicolons;
use traefikrs_middleware::Context;

use crate::answer::{self, Answer};
use crate::apply::Passed;
use crate::body::{RequestBody, ResponseBody, Upload};
use crate::connection::{Connection, InFlight};
use crate::forward::Error;
use crate::intake::{self, Seen};
use crate::route::{self, Picked};
use crate::worker::Generation;
use crate::{body, compose, forward};

/// A request on its way in.
#[derive(Debug, Clone)]
pub(crate) struct Inbound {
    pub(crate) parts: Parts,
    pub(crate) context: Context,
    /// The protocol that the client wants to switch to.
    pub(crate) upgrade: Option<HeaderValue>,
    pub(crate) seen: Seen,
    /// What a semicolon in the query means to rules and servers; redirects repeat what was written.
    pub(crate) semicolons: Semicolons,
}

/// Answers a request; there is always an answer.
///
/// All by one configuration, the one that is in force now. It is one future, because each layer of futures copies what
/// it is given.
pub(crate) async fn serve(
    connection: Rc<Connection>,
    mut in_flight: InFlight,
    request: Request<Incoming>,
) -> Response<ResponseBody> {
    let worker = &connection.entry_point.worker;
    let generation = worker.generation();
    let (parts, incoming) = request.into_parts();
    // What has not been asked for is not waited for.
    let mut asks_leave = parts.version < Version::HTTP_2
        && parts
            .headers
            .get(EXPECT)
            .is_some_and(|expected| !expected.is_empty());
    let mut inbound = Inbound {
        parts,
        context: Context::new(connection.peer, false),
        upgrade: None,
        seen: Seen::default(),
        semicolons: connection.entry_point.options.http.semicolons,
    };
    let mut passed = Passed::default();
    let mut answer = match lead(&connection, &generation, &mut inbound, &mut passed) {
        Ok(Picked::Server(turn)) => {
            asks_leave = false;
            let context = inbound.context.clone();
            let body = Upload::Client(RequestBody::new(incoming, &connection));
            let (balancer, server) = (turn.balancer, turn.server);
            let peer = forward::peer(&connection, server);
            let limits = forward::limits(&balancer.transport, worker.shared.n_workers);
            let answered = match forward::outgoing(&connection, balancer, server, inbound, body) {
                Ok(outgoing) => worker
                    .upstreams
                    .send(&peer, &limits, outgoing)
                    .await
                    .map_err(Error::from),
                Err(error) => Err(error),
            };
            passed.back(forward::answer(&connection, turn, answered), &context)
        }
        Ok(Picked::Composed(composed)) => {
            asks_leave = false;
            let context = inbound.context.clone();
            let body = Upload::Client(RequestBody::new(incoming, &connection));
            let answer = compose::answer(composed, inbound, body, &connection).await;
            passed.back(answer, &context)
        }
        Err(answer) => {
            drop(RequestBody::new(incoming, &connection));
            passed.back(*answer, &inbound.context)
        }
    };
    if let Some(unread) = connection.take_unread()
        && (wants_close(&answer) || asks_leave || !body::drain(unread, &connection).await)
    {
        connection.is_spoilt();
    }
    // A switch to another protocol ends the requests of a connection in any case, and says so by that.
    if connection.says_close() && answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        answer
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    in_flight.is_answered = true;
    answer.map(|content| ResponseBody::new(content, in_flight))
}

fn wants_close(answer: &Answer) -> bool {
    answer
        .headers()
        .get(CONNECTION)
        .is_some_and(|connection| connection == "close")
}

/// Takes a request in, and follows its route to whoever answers; the error is the answer it gets on the way.
fn lead<'g>(
    connection: &Connection,
    generation: &'g Generation,
    inbound: &mut Inbound,
    passed: &mut Passed<'g>,
) -> Result<Picked<'g>, Box<Answer>> {
    let intake = intake::take_in(connection, &mut inbound.parts)?;
    inbound.context.path_is_empty = intake.path_is_empty;
    inbound.upgrade = intake.upgrade;
    inbound.seen = intake.seen;
    let entry_point = &connection.entry_point;
    let routes = generation
        .compiled
        .entry_points
        .get(&entry_point.options.name)
        .ok_or_else(|| Box::new(answer::not_found()))?;
    let canonical_host = host::canonical(route::text(&intake.host));
    route::lead(
        routes,
        &canonical_host,
        inbound,
        passed,
        &entry_point.worker,
    )
}
