//! Another server, where the one whose turn it was does not answer.
//!
//! A list of servers is always a little older than the servers: one that has gone stays in it until its end has been
//! noticed, told and compiled. Requests that it can no longer have got go to another one of the same service.
//! docs/decisions/0012 says which, and why.

use std::pin::Pin;

use traefikrs_compile::compiled::Server;
use traefikrs_lb::{Attempts, Client};
use traefikrs_upstream::{self as upstream, Fate, NoAnswer};

use crate::body::Upload;
use crate::connection::Connection;
use crate::forward::{self, Error, Request};
use crate::pick::{self, Turn};

/// What came of asking.
pub(crate) type Answered = Result<upstream::Answer<Upload>, Error>;

/// Asks other servers of the same balancer in place of the one that failed, as long as that is safe. Boxed, because
/// hardly a request comes here.
///
/// Whoever has answered has had the turn. When nobody can be reached, it stays with the first, and so does the error:
/// the client gets what it would have got from it.
pub(crate) fn ask<'a, 'g>(
    connection: &'a Connection,
    turn: &'a mut Turn<'g>,
    request: &'a mut Request,
    failed: NoAnswer,
) -> Pin<Box<dyn Future<Output = Answered> + 'a>> {
    Box::pin(async move {
        let worker = &connection.entry_point.worker;
        let first = Error::from(failed.error);
        turn.has_gone::<Upload>(Err(&first));
        let mut attempts = Attempts::since(turn.picked);
        let mut asked = vec![turn.server.pool];
        let mut fate = failed.request;
        loop {
            attempts.failed(fate == Fate::Repeatable);
            if fate == Fate::Spent || !attempts.another(worker.clock.instant()) {
                return Err(first);
            }
            let client = Client {
                ip: connection.peer.ip(),
                headers: &request.outgoing.headers,
            };
            let eligible = |server: &Server| !asked.contains(&server.pool);
            let next = pick::server_among(turn.balancer, &client, worker, eligible);
            let Some(mut next) = next else {
                return Err(first);
            };
            tracing::debug!(
                instead_of = &*turn.server.url,
                server = &*next.server.url,
                "asking another server"
            );
            asked.push(next.server.pool);
            request.turn_to(next.server)?;
            let peer = forward::peer(connection, next.server);
            let limits = forward::limits_of(connection, &next);
            let outgoing = &mut request.outgoing;
            let failed = match worker.upstreams.send(&peer, &limits, outgoing).await {
                Ok(answer) => {
                    *turn = next;
                    return Ok(answer);
                }
                Err(failed) => failed,
            };
            fate = failed.request;
            let error = Error::from(failed.error);
            if fate == Fate::Spent {
                *turn = next;
                return Err(error);
            }
            next.has_gone::<Upload>(Err(&error));
        }
    })
}
