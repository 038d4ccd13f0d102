//! Stub.

mod answer;
mod apply;
mod body;
mod clock;
mod connection;
mod dataplane;
mod entry_point;
mod forward;
mod hop_by_hop;
mod intake;
mod internal;
mod listen;
mod options;
mod pick;
pub mod proxy_protocol;
mod route;
mod serve;
mod socket;
mod tunnel;
mod worker;

pub use dataplane::{Api, Dataplane, Running, StartError};
pub use options::{
    EntryPointOptions, ForwardedHeaders, HttpOptions, KeepAlive, LifeCycle, Options, PingOptions,
    Timeouts, Trust,
};
