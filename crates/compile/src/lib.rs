//! What does a configuration mean? Turns Traefik's dynamic configuration into one immutable value
//! that serves requests, and a report of what became of each element.
//!
//! ```text
//! watch ─► translate ─► merge ─► [compile] ─► publish
//! ```
//!
//! Start at [`compile()`]. Mirrors `pkg/server/{router,service,middleware}` of Traefik 3.7.

mod asked;
mod compile;
pub mod compiled;
mod error;
mod findings;
mod health_check;
mod middleware;
mod options;
mod outcome;
pub mod reason;
pub mod report;
mod router;
mod server;
mod service;
mod status;
mod tls;
mod transport;
mod tree;
mod users;

pub use compile::{Generation, compile};
pub use compiled::Compiled;
pub use options::{EntryPointOptions, Options};
pub use report::Report;
