//! What can be said in Kubernetes objects of `traefik.io/v1alpha1`? Traefik's own definitions, as Rust
//! types and as the schema that an API server checks.
//!
//! ```text
//! watch ─► [objects] ─► translate ─► merge ─► compile ─► publish
//! ```
//!
//! ```
//! use traefikrs_crd::IngressRoute;
//!
//! let object = serde_json::json!({
//!     "apiVersion": "traefik.io/v1alpha1",
//!     "kind": "IngressRoute",
//!     "metadata": { "name": "web", "namespace": "apps" },
//!     "spec": { "routes": [{ "match": "Host(`example.com`)", "services": [{ "name": "whoami", "port": 80 }] }] },
//! });
//! let route: IngressRoute = serde_json::from_value(object)?;
//! assert_eq!(route.spec.routes[0].match_rule, "Host(`example.com`)");
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! The types take whatever the schema's structure allows: words outside an enumeration, empty names
//! and numbers out of range decode, because an object may be older than the schema that would refuse
//! it now. Only the schema checks them. The definitions mirror those of Traefik 3.7; IngressRouteTCP,
//! IngressRouteUDP, MiddlewareTCP and ServersTransportTCP are absent, as TCP and UDP are not served yet.

mod definition;
mod ingress_route;
mod int_or_string;
mod middleware;
mod reference;
mod servers_transport;
mod service;
mod tls_option;
mod tls_store;
mod traefik_service;

pub use definition::{definitions, schema};
pub use ingress_route::*;
pub use int_or_string::IntOrString;
pub use middleware::*;
pub use reference::ObjectRef;
pub use servers_transport::*;
pub use service::*;
pub use tls_option::*;
pub use tls_store::*;
pub use traefik_service::*;

/// Durations in the schema: `10s`, `1m30s`, and bare numbers of seconds.
const DURATION: &str = "^([0-9]+(ns|us|µs|ms|s|m|h)?)+$";

/// Status codes and ranges in the schema: `404`, `500-599`.
const STATUS: &str = "^([1-5][0-9]{2}[,-]?)+$";

// Traefik: its Go types omit zero values.
fn is_zero<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
