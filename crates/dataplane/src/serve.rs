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
use crate::client::Client;
use crate::compose::{self, Answering};
use crate::connection::Connection;
use crate::forward::{self, Error, Request};
use crate::intake::{self, Seen};
use crate::pick::Turn;
use crate::route::{self, Picked};
use crate::worker::Generation;

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
    pub(crate) client: Option<Client>,
}

/// Answers a request; there is always an answer.
///
/// All by one configuration, the one that is in force now. It is one future, because each layer of futures copies what
/// it is given. The client is told of interim answers, and watched: the request ends when it goes.
pub(crate) fn answer<'a>(
    connection: &'a Rc<Connection>,
    asked: Asked,
    body: RequestBody,
    client: &'a Client,
) -> impl Future<Output = Answer> + 'a {
    // Traefik: what panics fails alone, and is answered as long as nothing is sent.
    AssertUnwindSafe(find_answer(connection, asked, body, client))
        .catch_unwind()
        .map(|answer| {
            answer.unwrap_or_else(|_panicked| answer::fault(StatusCode::INTERNAL_SERVER_ERROR))
        })
}

async fn find_answer(
    connection: &Rc<Connection>,
    asked: Asked,
    body: RequestBody,
    client: &Client,
) -> Answer {
    let generation = connection.entry_point.worker.generation();
    let mut passed = Passed::default();
    let mut context = Context::new(connection.peer, false);
    let (mut turn, mut request) = match begin(
        connection,
        &generation,
        asked,
        body,
        client,
        &mut passed,
        &mut context,
    ) {
        Next::Server(turn, request) => (turn, request),
        Next::Answered(answer) => return passed.back(*answer, &context),
        Next::Composed(answering) => {
            let answer = while_awaited(client, answering)
                .await
                .unwrap_or_else(|| answer::bare(Error::ClientGone.status()));
            return passed.back(answer, &context);
        }
    };
    let answered = {
        let asking = pin!(forward::ask(connection, &mut turn, &mut request));
        while_awaited(client, asking)
            .await
            .unwrap_or(Err(Error::ClientGone))
    };
    let answer = forward::answer(connection, turn, answered, &mut passed);
    passed.back(answer, &context)
}

/// What is left to do when it is clear who answers.
#[expect(
    clippy::large_enum_variant,
    reason = "it is taken apart at once, and the large one is the usual one"
)]
enum Next<'g> {
    Answered(Box<Answer>),
    Server(Turn<'g>, Request),
    Composed(Answering<'g>),
}

/// Does all that waits for nobody, apart from the future that waits: what only this needs, that need not hold.
fn begin<'g>(
    connection: &'g Rc<Connection>,
    generation: &'g Generation,
    mut asked: Asked,
    body: RequestBody,
    client: &Client,
    passed: &mut Passed<'g>,
    context: &mut Context,
) -> Next<'g> {
    let intake = match intake::take_in(connection, &mut asked) {
        Ok(intake) => intake,
        Err(answer) => return Next::Answered(answer),
    };
    context.path_is_empty = intake.path_is_empty;
    let mut inbound = Inbound {
        parts: asked.parts,
        context: context.clone(),
        upgrade: intake.upgrade,
        seen: intake.seen,
        semicolons: connection.entry_point.options.http.semicolons,
        client: Some(client.clone()),
    };
    let picked = lead(connection, generation, &intake.host, &mut inbound, passed);
    *context = inbound.context.clone();
    let body = Upload::Client(body);
    match picked {
        Err(answer) => Next::Answered(answer),
        Ok(Picked::Server(turn)) => match Request::new(connection, &turn, inbound, body) {
            Ok(request) => Next::Server(turn, request),
            Err(error) => {
                let answer = forward::answer(connection, turn, Err(error), passed);
                Next::Answered(Box::new(answer))
            }
        },
        Ok(Picked::Composed(composed)) => {
            Next::Composed(compose::answer(composed, inbound, body, connection))
        }
    }
}

/// Goes on with `work` for as long as the client waits for it.
async fn while_awaited<F: Future + Unpin>(client: &Client, mut work: F) -> Option<F::Output> {
    poll_fn(|cx| match Pin::new(&mut work).poll(cx) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => client.poll_gone(cx).map(|()| None),
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
