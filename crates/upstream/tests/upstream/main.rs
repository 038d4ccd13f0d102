//! What a caller sees of servers that behave, and of those that do not.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that fails may panic, in its helpers too"
)]

mod fate;
mod http2;
mod request;
mod response;
mod stale;
mod streaming;
mod support;
mod timeouts;
mod tls;
mod upgrade;
