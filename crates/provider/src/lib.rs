//! Where does the dynamic configuration come from, and when does a change count?
//!
//! ```text
//! [watch] ─► translate ─► merge ─► compile ─► publish
//! ```
//!
//! A [`Provider`] watches one source and sends what the source asks for; an [`Aggregator`] keeps the
//! latest of each, passes on only what differs, and offers all of them as a [`Snapshot`] to watch.
//!
//! ```
//! use std::time::Duration;
//! use traefikrs_provider::{Aggregator, FileProvider};
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! # runtime.block_on(async {
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("routes.yml");
//! std::fs::write(&path, "http: {routers: {web: {rule: Path(`/`), service: web}}}")?;
//! let mut aggregator = Aggregator::new(None);
//! aggregator.add(FileProvider::file(path));
//! let running = aggregator.start();
//!
//! let mut snapshots = running.snapshots();
//! let snapshot = snapshots.wait_for(|snapshot| snapshot.is_complete()).await?.clone();
//! assert!(snapshot.configurations["file"].http.is_some());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Mirrors `pkg/provider`, `pkg/provider/file`, `pkg/provider/http` and `pkg/provider/aggregator` of Traefik 3.7.

pub mod files;

mod aggregate;
mod file;
mod http;
mod known;
mod provider;
mod throttle;

pub use self::http::{HttpProvider, InvalidOption};
pub use aggregate::{Aggregator, Running, Snapshot};
pub use file::FileProvider;
pub use provider::{Provider, Update, Updates};
