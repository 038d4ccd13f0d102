//! Who answers, and how does the answer get back? Takes requests from listening sockets to servers.
//!
//! ```text
//! accept ─► handshake ─► route ─► apply ─► pick ─► forward
//! ```
//!
//! [`Dataplane::start`] listens on every entry point and serves whatever configuration is published at the moment. Each
//! worker is a thread with a runtime, listeners, connections and upstream pools of its own; requests share nothing
//! between threads but the immutable configuration and whose turn a balancer says it is.
//!
//! ```
//! use std::io::{Read, Write};
//! use std::net::TcpStream;
//! use std::sync::Arc;
//!
//! use arc_swap::ArcSwap;
//! use traefikrs_compile::Generation;
//! use traefikrs_dataplane::{Dataplane, EntryPointOptions, Options, PingOptions};
//!
//! let published = Arc::new(ArcSwap::from_pointee(Generation::default()));
//! let options = Options {
//!     workers: 1,
//!     entry_points: vec![EntryPointOptions::new("web", "127.0.0.1:0".parse()?)],
//!     ping: PingOptions::default(),
//!     server_name: None,
//! };
//! let running = Dataplane::start(options, published, None)?;
//!
//! let mut client = TcpStream::connect(running.address("web").expect("it listens"))?;
//! client.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
//! let mut answer = String::new();
//! client.read_to_string(&mut answer)?;
//! assert!(answer.ends_with("404 page not found\n"));
//!
//! running.shutdown();
//! running.wait()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it mirrors
//!
//! Traefik 3.7: `pkg/server/server_entrypoint_tcp.go`, `pkg/middlewares/forwardedheaders`, `pkg/proxy/httputil`,
//! `pkg/server/service/loadbalancer/mirror`, `pkg/server/service/loadbalancer/failover`, and the
//! behaviour of Go's `net/http` server that clients of Traefik see.
//!
//! # Where it differs
//!
//! - `Accept-Encoding` is left alone: nothing is asked for, and decompressed, on behalf of clients that did not ask.
//! - Trailers of requests are passed on, which Traefik loses.
//! - What `Connection` of an answer names is removed even if it also says `close`.
//! - Interim answers are kept from clients of HTTP/1.0 (RFC 9110 §15.2), and those of servers from clients of HTTP/2.
//! - `Transfer-Encoding` in HTTP/1.0, heads with more than 4,096 fields and targets longer than 64 KiB are refused.
//! - Only HTTP/1.1 requests may switch protocols.
//! - Bytes that may not stand in a query are escaped before it is passed on.

mod answer;
mod apply;
mod background;
mod body;
mod client;
mod clock;
mod compose;
mod connection;
mod dataplane;
mod discard;
mod elsewhere;
mod entry_point;
mod failover;
mod forward;
mod health_check;
mod hop_by_hop;
mod http1;
mod http2;
mod intake;
mod internal;
mod listen;
mod mirror;
mod options;
mod pick;
pub mod proxy_protocol;
mod replay;
mod route;
mod serve;
mod stream;
mod target;
mod tunnel;
mod unshared;
mod worker;

pub use dataplane::{Api, Dataplane, Running, StartError};
pub use options::{
    EntryPointOptions, ForwardedHeaders, HttpOptions, KeepAlive, LifeCycle, Options, PingOptions,
    Timeouts, Trust,
};
