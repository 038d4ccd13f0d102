use std::rc::Rc;

use bytes::Bytes;
use http_body::Body;
use tokio::time::Instant;

use crate::{
    answer::Answer,
    error::{BoxError, Error},
    peer::{Limits, Peer},
    request::Outgoing,
};

/// The connections of one thread to all its servers. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Upstreams(Rc<()>);

impl Upstreams {
    /// No connections yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends the request and waits for the head of its answer.
    ///
    /// # Errors
    ///
    /// Whatever kept the server from answering: see [`Error`].
    #[expect(clippy::unused_async, reason = "the shape comes before the content")]
    pub async fn send<B>(
        &self,
        _: &Peer<'_>,
        _: &Limits,
        _: Outgoing<B>,
    ) -> Result<Answer<B>, Error>
    where
        B: Body<Data = Bytes> + Unpin + 'static,
        B::Error: Into<BoxError>,
    {
        Err(Error::Closed)
    }

    /// Closes idle connections that are past their time or that the server has closed. Call it about once a second.
    pub fn sweep(&self, _now: Instant) {}

    /// Closes idle connections of all pools but those `keep` wants, as after a reload.
    pub fn retain(&self, _keep: impl Fn(u64) -> bool) {}

    /// What has happened on this thread so far?
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats::default()
    }
}

/// What has a thread done for its requests?
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
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
