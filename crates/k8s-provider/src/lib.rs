//! Configuration from Kubernetes objects, watched.
//!
//! ```text
//! [watch] ─► translate ─► merge ─► compile ─► publish
//! ```
//!
//! [`ManifestProvider`] takes the objects from files, for tests, edges and clusters without access;
//! what it makes of them is what it would be in a cluster.
//!
//! ```
//! use traefikrs_config::static_config::KubernetesManifests;
//! use traefikrs_k8s_provider::ManifestProvider;
//! use traefikrs_provider::Aggregator;
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! # runtime.block_on(async {
//! # let directory = tempfile::tempdir()?;
//! std::fs::write(
//!     directory.path().join("route.yml"),
//!     "{apiVersion: traefik.io/v1alpha1, kind: IngressRoute, metadata: {name: api, namespace: apps}, spec: {routes: [{match: PathPrefix(`/api`), kind: Rule, services: [{kind: TraefikService, name: api@internal}]}]}}",
//! )?;
//! let options = KubernetesManifests {
//!     path: directory.path().display().to_string(),
//!     ..KubernetesManifests::default()
//! };
//! let mut aggregator = Aggregator::new(None);
//! aggregator.add(ManifestProvider::new(&options)?);
//! let running = aggregator.start();
//!
//! let mut snapshots = running.snapshots();
//! let snapshot = snapshots.wait_for(|snapshot| snapshot.is_complete()).await?.clone();
//! let http = snapshot.configurations["kubernetescrd"].http.clone().unwrap();
//! assert_eq!(http.routers.len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Mirrors `pkg/provider/kubernetes/crd` of Traefik 3.7, which reads from an API server only.

mod manifest;

pub use manifest::ManifestProvider;
