//! One request, from its head to the head of its answer.

use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;

use futures_util::FutureExt;
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use traefikrs_gourl::host;
use traefikrs_gourl::query::Semicolons;
use traefikrs_middleware::Context;

use crate::answer::{self, Answer};
use crate::apply::Passed;
use crate::body::{RequestBody, Upload};
use crate::connection::Connection;
use crate::forward::{Error, Request};
use crate::http1::Leg;
use crate::intake::{self, Seen};
use crate::route::{self, Picked};
use crate::worker::Generation;
use crate::{compose, elsewhere, forward};

/// A request as it was asked.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) parts: Parts,
    /// The host of an absolute target, which counts instead of the `Host` header.
    pub(crate) host: Option<HeaderValue>,
    /// The target has no path, not even `/`.
    pub(crate) has_no_path: bool,
    /// The path goes on behind a `#`.
    pub(crate) has_fragment: bool,
}

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
    /// Who is told of interim answers.
    pub(crate) client: Option<Rc<Leg>>,
}

/// Answers a request; there is always an answer.
///
/// All by one configuration, the one that is in force now. It is one future, because each layer of futures copies what
/// it is given. A client of HTTP/1 is told of interim answers, and watched: the request ends when the client goes.
pub(crate) async fn answer(
    connection: &Rc<Connection>,
    asked: Asked,
    body: RequestBody,
    client: Option<&Rc<Leg>>,
) -> Answer {
    // Traefik: what panics fails alone, and is answered as long as nothing is sent.
    AssertUnwindSafe(find_answer(connection, asked, body, client))
        .catch_unwind()
        .await
        .unwrap_or_else(|_panicked| answer::fault(StatusCode::INTERNAL_SERVER_ERROR))
}

async fn find_answer(
    connection: &Rc<Connection>,
    mut asked: Asked,
    body: RequestBody,
    client: Option<&Rc<Leg>>,
) -> Answer {
    let worker = &connection.entry_point.worker;
    let generation = worker.generation();
    let mut passed = Passed::default();
    let intake = match intake::take_in(connection, &mut asked) {
        Ok(intake) => intake,
        Err(answer) => return *answer,
    };
    let mut inbound = Inbound {
        parts: asked.parts,
        context: Context::new(connection.peer, false),
        upgrade: intake.upgrade,
        seen: intake.seen,
        semicolons: connection.entry_point.options.http.semicolons,
        client: client.map(Rc::clone),
    };
    inbound.context.path_is_empty = intake.path_is_empty;
    let picked = match lead(
        connection,
        &generation,
        &intake.host,
        &mut inbound,
        &mut passed,
    ) {
        Ok(picked) => picked,
        Err(answer) => return passed.back(*answer, &inbound.context),
    };
    let context = inbound.context.clone();
    let body = Upload::Client(body);
    let answer = match picked {
        Picked::Server(mut turn) => {
            let peer = forward::peer(connection, turn.server);
            let limits = forward::limits_of(connection, &turn);
            let answered = match Request::new(connection, &turn, inbound, body) {
                Ok(mut request) => {
                    let first = {
                        let outgoing = &mut request.outgoing;
                        let sending = pin!(worker.upstreams.send(&peer, &limits, outgoing));
                        while_awaited(client, sending).await
                    };
                    match first {
                        Some(Ok(answered)) => Ok(answered),
                        Some(Err(failed)) => {
                            let asking =
                                elsewhere::ask(connection, &mut turn, &mut request, failed);
                            while_awaited(client, asking)
                                .await
                                .unwrap_or(Err(Error::ClientGone))
                        }
                        None => Err(Error::ClientGone),
                    }
                }
                Err(error) => Err(error),
            };
            forward::answer(connection, turn, answered, &mut passed)
        }
        Picked::Composed(composed) => {
            let answering = compose::answer(composed, inbound, body, connection);
            while_awaited(client, answering)
                .await
                .unwrap_or_else(|| answer::bare(Error::ClientGone.status()))
        }
    };
    passed.back(answer, &context)
}

/// Goes on with `work` for as long as the client waits for it.
async fn while_awaited<F: Future + Unpin>(
    client: Option<&Rc<Leg>>,
    mut work: F,
) -> Option<F::Output> {
    poll_fn(|cx| match Pin::new(&mut work).poll(cx) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => match client {
            Some(leg) => leg.poll_gone(cx).map(|()| None),
            None => Poll::Pending,
        },
    })
    .await
}

/// Follows the route of a request to whoever answers; the error is the answer it gets on the way.
fn lead<'g>(
    connection: &Connection,
    generation: &'g Generation,
    host: &HeaderValue,
    inbound: &mut Inbound,
    passed: &mut Passed<'g>,
) -> Result<Picked<'g>, Box<Answer>> {
    let entry_point = &connection.entry_point;
    let routes = generation
        .compiled
        .entry_points
        .get(&entry_point.options.name)
        .ok_or_else(|| Box::new(answer::not_found()))?;
    let canonical_host = host::canonical(route::text(host));
    route::lead(
        routes,
        &canonical_host,
        inbound,
        passed,
        &entry_point.worker,
    )
}
