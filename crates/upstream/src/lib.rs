//! Asks a server and streams its answer, on the thread that needs it.
//!
//! The last stage of a request's journey: accept ─► handshake ─► route ─► apply ─► pick ─► **forward**.
//! [`Upstreams`] keeps the connections of one thread; [`Upstreams::send`] takes a connection from it or makes one,
//! writes an [`Outgoing`] request and gives an [`Answer`], whose body drives what is left of the request.
//! There is no second task and no channel between the caller and the socket of an HTTP/1 exchange, and nothing here is
//! `Send`: run it on a current-thread runtime, and for HTTP/2 inside a `LocalSet` or a `LocalRuntime`.

mod answer;
mod error;
mod peer;
mod request;
mod upstreams;

pub use crate::{
    answer::{Answer, UpgradedIo, UpstreamBody},
    error::{BoxError, Error, MalformedBody, MalformedHead},
    peer::{Host, Limits, Peer, Scheme},
    request::{InvalidTarget, Outgoing, Target},
    upstreams::{Stats, Upstreams},
};
