//! What configuration do the objects of a Kubernetes cluster ask for?
//!
//! ```text
//! watch ─► [translate] ─► merge ─► compile ─► publish
//! ```

pub mod manifest;
pub mod reason;

mod cluster;
mod endpoint;
mod hint;
mod ingress_route;
mod middleware;
mod name;
mod options;
mod problem;
mod reference;
mod secret;
mod servers_transport;
mod service;
mod tls;
mod traefik_service;
mod translate;
mod view;

pub use cluster::{Cluster, Kind};
pub use options::{InvalidSelector, LabelSelector, Options};
pub use translate::{Translation, translate};
