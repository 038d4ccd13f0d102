//! What may change while the proxy runs: routers, services, middlewares and TLS material.
//!
//! The types are Traefik's dynamic configuration: same field names, same defaults (those of the file
//! provider), and on output the same omission of zero values. They say what a user wrote; whether it
//! makes sense is decided when it is compiled.

use serde::{Deserialize, Serialize};

mod decode;
mod files;
mod http;
mod middleware;
mod tls;

pub use decode::{Decoder, Origin, decode_text};
pub use http::*;
pub use middleware::*;
pub use tls::*;

/// One provider's whole contribution, or all of them merged.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Configuration {
    /// HTTP routers, services, middlewares and transports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<Http>,
    /// TCP, as written: accepted, not served yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp: Option<serde_json::Map<String, serde_json::Value>>,
    /// UDP, as written: accepted, not served yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub udp: Option<serde_json::Map<String, serde_json::Value>>,
    /// Certificates, TLS options and stores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
}

impl Configuration {
    /// The same configuration, shared with that from before wherever elements are equal.
    #[must_use]
    pub fn shared_with(&self, before: &Self) -> Self {
        let share = |http: &Http| match &before.http {
            Some(before) => http.shared_with(before),
            None => http.clone(),
        };
        Self {
            http: self.http.as_ref().map(share),
            ..self.clone()
        }
    }
}

// Traefik: its JSON omits zero values, so `0`, `""`, `false` and empty lists never appear.
pub(crate) fn is_zero<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
