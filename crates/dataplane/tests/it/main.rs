//! A data plane on loopback, asked over raw sockets, in front of servers that do as they are told.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails, in its helpers too"
)]

mod answers;
mod balancing;
mod bodies;
mod cancellation;
mod connections;
mod elsewhere;
mod failover;
mod failures;
mod h2c;
mod headers;
mod http2;
mod interim;
mod mirroring;
mod panics;
mod paths;

mod proxy_protocol;
mod refusals;
mod routes;
mod shutdown;
mod streaming;
mod streams;
mod support;
mod trailers;
mod unshared;
mod upgrades;
