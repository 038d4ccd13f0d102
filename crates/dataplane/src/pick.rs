//! Whose turn is it, and what came of it?

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderValue;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;
use traefikrs_compile::compiled::{Failover, LoadBalancer, Server, Service, Weighted};
use traefikrs_lb::failover::Choice;
use traefikrs_lb::{Client, Outcome, Pick, Ticket};
use traefikrs_upstream as upstream;

use crate::apply::Passed;
use crate::forward::Error;
use crate::serve::Inbound;
use crate::worker::Worker;

/// A server that is asked, and what its balancer wants to know of that.
#[derive(Debug)]
pub(crate) struct Turn<'g> {
    pub(crate) balancer: &'g LoadBalancer,
    pub(crate) server: &'g Server,
    /// Counts the request as under way.
    pub(crate) ticket: Ticket,
    /// What the answer must carry, whatever it is.
    pub(crate) set_cookie: Option<&'g HeaderValue>,
    /// When it was picked, roughly.
    pub(crate) picked: std::time::Instant,
    index: usize,
    /// Absent when nothing is learned, or all that there is.
    began: Option<Instant>,
}

/// The server to ask, if there is one that may be.
pub(crate) fn server<'g>(
    balancer: &'g LoadBalancer,
    client: &Client<'_>,
    worker: &Worker,
) -> Option<Turn<'g>> {
    server_among(balancer, client, worker, |_| true)
}

/// The same with only those that the caller finds eligible, too.
pub(crate) fn server_among<'g>(
    balancer: &'g LoadBalancer,
    client: &Client<'_>,
    worker: &Worker,
    eligible: impl Fn(&Server) -> bool,
) -> Option<Turn<'g>> {
    let now = worker.clock.instant();
    let rng = &mut *worker.rng.borrow_mut();
    let eligible = |index: usize| balancer.servers.get(index).is_some_and(&eligible);
    let pick = balancer.balancer.pick_among(client, now, rng, eligible)?;
    let Pick {
        index,
        set_cookie,
        ticket,
    } = pick;
    Some(Turn {
        balancer,
        server: balancer.servers.get(index)?,
        ticket,
        set_cookie,
        picked: now,
        index,
        began: balancer.balancer.learns().then(Instant::now),
    })
}

/// The service to ask, if there is one.
pub(crate) fn child<'g>(
    weighted: &'g Weighted,
    inbound: &Inbound,
    passed: &mut Passed<'g>,
    worker: &Worker,
) -> Option<&'g Arc<Service>> {
    let now = worker.clock.instant();
    let rng = &mut *worker.rng.borrow_mut();
    let client = client(inbound);
    let may_be_asked = |index| weighted.may_be_asked(index, &client, now);
    let balancer = &weighted.balancer;
    let pick = balancer.pick_among(&client, now, rng, may_be_asked)?;
    passed.set_cookie(pick.set_cookie);
    weighted.children.get(pick.index)
}

/// The part of a failover to ask, if there is one.
pub(crate) fn part(failover: &Failover, inbound: &Inbound, worker: &Worker) -> Option<Choice> {
    failover.choose(&client(inbound), worker.clock.instant())
}

/// Whom balancers know the client by.
pub(crate) fn client(inbound: &Inbound) -> Client<'_> {
    Client {
        ip: inbound.context.peer.ip(),
        headers: &inbound.parts.headers,
    }
}

impl Turn<'_> {
    /// Tells the balancer how it went, as soon as that is known. It is told once.
    pub(crate) fn has_gone<B>(&mut self, answered: Result<&upstream::Answer<B>, &Error>) {
        let Some(began) = self.began.take() else {
            return;
        };
        let Some(outcome) = outcome(answered) else {
            return;
        };
        let now = Instant::now();
        let time = now.saturating_duration_since(began);
        let balancer = &self.balancer.balancer;
        if balancer.observe(self.index, outcome, time, now.into_std()) {
            tracing::warn!(
                server = &*self.server.url,
                "server taken out: it failed too often"
            );
        }
    }
}

/// What the server did; `None` when the client is to blame.
fn outcome<B>(answered: Result<&upstream::Answer<B>, &Error>) -> Option<Outcome> {
    match answered {
        Ok(upstream::Answer::Response { head, .. }) if head.status.is_server_error() => {
            Some(Outcome::AnsweredBadly)
        }
        Ok(_) => Some(Outcome::Answered),
        Err(error) => (!error.is_clients_fault()).then_some(Outcome::Unanswered),
    }
}

/// A body that is counted for as long as it lasts.
#[derive(Debug)]
pub(crate) struct Counted<B> {
    body: B,
    _ticket: Ticket,
}

impl<B> Counted<B> {
    pub(crate) fn new(body: B, ticket: Ticket) -> Self {
        Self {
            body,
            _ticket: ticket,
        }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Counted<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
