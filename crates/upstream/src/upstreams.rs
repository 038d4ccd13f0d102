use std::{cell::RefCell, collections::HashMap, rc::Rc};

use bytes::Bytes;
use foldhash::fast::FixedState;
use futures_util::future::Either;
use http_body::Body;
use tokio::time::Instant;

use crate::{
    answer::Answer,
    error::{BoxError, NoAnswer},
    http1, http2, negotiated,
    peer::{Limits, Peer, Scheme},
    pool::{Local, Pool},
    request::Outgoing,
};

/// The connections of one thread to all its servers. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Upstreams(Rc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    local: Rc<Local>,
    /// A list each, because the caller's numbers are not trusted to name one server only.
    pools: RefCell<HashMap<u64, Vec<Rc<Pool>>, FixedState>>,
}

impl Upstreams {
    /// No connections yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends the request and waits for the head of its answer.
    ///
    /// An idle connection is used if there is one, the latest first. If it turns out dead before the server has said
    /// anything, the request is sent again on a fresh one, provided that nothing of it had been written, or that it
    /// has no body and its method is idempotent (RFC 9110 §9.2.2) or it carries an `Idempotency-Key` or
    /// `X-Idempotency-Key`.
    ///
    /// What is sent of the request is its body, which is taken from it; the rest stays with the caller.
    ///
    /// # Errors
    ///
    /// Whatever kept the server from answering, and whether the request is still whole, so that another server can be
    /// asked: see [`NoAnswer`].
    ///
    /// # Panics
    ///
    /// Outside of a `LocalSet` or `LocalRuntime`.
    pub fn send<B>(
        &self,
        peer: &Peer<'_>,
        limits: &Limits,
        request: &mut Outgoing<B>,
    ) -> impl Future<Output = Result<Answer<B>, NoAnswer>>
    where
        B: Body<Data = Bytes> + Unpin + 'static,
        B::Error: Into<BoxError>,
    {
        let pool = self.pool(peer);
        match peer.scheme {
            // Boxed, because a request over HTTP/1 should not carry the state of one over HTTP/2.
            Scheme::H2c if request.upgrade.is_none() => {
                Either::Right(Either::Left(Box::pin(http2::send(pool, limits, request))))
            }
            Scheme::Https(https)
                if request.upgrade.is_none() && https.tls.negotiating().is_some() =>
            {
                Either::Right(Either::Right(Box::pin(negotiated::send(
                    pool, limits, request,
                ))))
            }
            Scheme::Http | Scheme::H2c | Scheme::Https(_) => {
                Either::Left(http1::send(pool, limits, request))
            }
        }
    }

    fn pool(&self, peer: &Peer<'_>) -> Rc<Pool> {
        let mut pools = self.0.pools.borrow_mut();
        let same_number = pools.entry(peer.pool).or_default();
        if let Some(pool) = same_number
            .iter()
            .find(|pool| pool.server.as_peer() == *peer)
        {
            return Rc::clone(pool);
        }
        let pool = Rc::new(Pool::new(Rc::clone(&self.0.local), peer));
        same_number.push(Rc::clone(&pool));
        pool
    }

    /// Closes idle connections that are past their time or that the server has closed. Call it about once a second:
    /// connections have no timers of their own.
    pub fn sweep(&self, now: Instant) {
        self.visit(|_, pool| pool.sweep(now));
    }

    /// Closes idle connections of all pools but those `keep` wants, as after a reload.
    pub fn retain(&self, keep: impl Fn(u64) -> bool) {
        self.visit(|number, pool| {
            if !keep(number) {
                pool.close_idle();
            }
        });
    }

    /// Pools without connections and requests are forgotten.
    fn visit(&self, look: impl Fn(u64, &Pool)) {
        self.0.pools.borrow_mut().retain(|&number, same_number| {
            same_number.retain(|pool| {
                look(number, pool);
                !pool.is_empty() || Rc::strong_count(pool) > 1
            });
            !same_number.is_empty()
        });
    }

    /// What has happened on this thread so far?
    #[must_use]
    pub fn stats(&self) -> Stats {
        let n_idle = |pools: &Vec<Rc<Pool>>| pools.iter().map(|pool| pool.n_idle()).sum::<usize>();
        Stats {
            idle: self.0.pools.borrow().values().map(n_idle).sum(),
            ..self.0.local.stats.get()
        }
    }
}

/// What has a thread done for its requests?
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Idle HTTP/1 connections at this moment.
    pub idle: usize,
    /// Connections made.
    pub dialed: u64,
    /// Connections that could not be made.
    pub dial_failures: u64,
    /// Requests that found an idle or shared connection.
    pub reused: u64,
    /// Idle connections found closed, or with bytes nobody asked for, before they were used.
    pub stale: u64,
    /// Requests repeated on a fresh connection because a reused one failed.
    pub retried: u64,
}
