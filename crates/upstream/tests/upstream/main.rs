//! What a caller sees of servers that behave, and of those that do not.

mod fuzz;
mod http2;
mod request;
mod response;
mod stale;
mod streaming;
mod support;
mod timeouts;
mod upgrade;
