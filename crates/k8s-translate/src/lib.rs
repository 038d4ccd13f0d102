//! What configuration do the objects of a Kubernetes cluster ask for?
//!
//! ```text
//! watch ─► [translate] ─► merge ─► compile ─► publish
//! ```

pub mod manifest;
pub mod reason;

mod cluster;
mod options;
mod translate;

pub use cluster::{Cluster, Kind};
pub use options::{InvalidSelector, LabelSelector, Options};
pub use translate::{Translation, translate};
