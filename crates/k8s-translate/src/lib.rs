//! What configuration do the objects of a Kubernetes cluster ask for?
//!
//! ```text
//! watch ─► [translate] ─► merge ─► compile ─► publish
//! ```
//!
//! [`translate()`] is a pure function of a [`Cluster`] and the provider's [`Options`]. It never fails:
//! what does not work is left out and becomes a diagnostic that names the object, the place in it,
//! a stable [`reason`] and what to do.
//!
//! ```
//! use traefikrs_k8s_translate::{Cluster, Options, manifest, translate};
//!
//! let text = "
//! apiVersion: traefik.io/v1alpha1
//! kind: IngressRoute
//! metadata: {name: web, namespace: apps}
//! spec:
//!   routes:
//!   - match: Host(`example.com`)
//!     services: [{name: whoami, port: 80}]
//! ";
//! let mut cluster = Cluster::new();
//! for document in manifest::documents(text) {
//!     cluster.apply_manifest(document.object?, None);
//! }
//! let translation = translate(&cluster, &Options::default());
//! assert_eq!(
//!     translation.diagnostics[0].to_string(),
//!     "error[ServiceNotFound] IngressRoute apps/web at spec.routes[0].services[0].name: \
//!      Service apps/whoami does not exist; create it or correct the reference (route dropped)",
//! );
//! # Ok::<(), manifest::SyntaxError>(())
//! ```
//!
//! Mirrors `pkg/provider/kubernetes/crd` of Traefik 3.7.15 for HTTP: the same names, defaults and
//! references. It differs where that is unsafe or loses what a user asked for:
//!
//! - a route or object that fails leaves nothing behind, also no services;
//! - an object that does not decode is dropped alone, a route that does not decode as well;
//! - children of an IngressRoute without routes are dropped instead of becoming unprotected roots;
//! - a TLSOption whose client authorities are all missing refuses clients instead of asking nothing;
//! - a ServersTransport's faulty TLS version or timeout never makes the rest less strict;
//! - Secrets are content, also when they look like the path of a file;
//! - endpoints are told apart by address and port, and terminating ones are used if there are no others;
//! - a port number that is declared for UDP and TCP means the TCP one;
//! - certificates add up over stores, so that a store nobody asks takes none away;
//! - the names of TLSOptions are normalised like the references to them;
//! - where two objects define one name, the older one does, then the first by name.

pub mod manifest;
pub mod reason;

mod cluster;
mod elements;
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
