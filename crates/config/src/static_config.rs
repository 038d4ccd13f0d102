//! What stays as it is until the process ends: entry points, providers and the like.
//!
//! Traefik's static configuration, with its options, defaults and sources. Every option of Traefik
//! 3.7.15 is known; those that are not served yet are accepted with one warning each. An option that
//! does not exist refuses the start and is told apart from a typing mistake.
//!
//! ```
//! use traefikrs_config::static_config::{StaticConfiguration, Surroundings};
//!
//! let loaded = StaticConfiguration::load(&Surroundings {
//!     args: &["--entryPoints.web.address=:8000".to_owned(), "--api.insecure".to_owned()],
//!     env: &[],
//!     read: &|_| Err(std::io::ErrorKind::NotFound.into()),
//! })?;
//! let ports: Vec<u16> = loaded.configuration.entry_points.values().map(|entry_point| entry_point.address.port).collect();
//! assert_eq!(ports, [8080, 8000]);
//! # Ok::<(), traefikrs_config::static_config::Refused>(())
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

mod address;
mod entry_point;
mod limit;
mod load;
mod log;
mod options;
mod provider;
mod service;
mod setting;
mod trusted_ip;
mod validate;

pub use address::{Address, Host, InvalidAddress, Protocol};
pub use entry_point::*;
pub use load::{Loaded, Refused, Source, Surroundings};
pub use log::{Log, LogFormat, LogLevel};
pub use provider::{FileProvider, HttpProvider, KubernetesCrd, KubernetesManifests, Providers};
pub use service::{Api, Core, DefaultRuleSyntax, DefaultTransport, DefaultTransportTimeouts, Ping};
pub use trusted_ip::{InvalidTrustedIp, TrustedIp};

/// The whole static configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct StaticConfiguration {
    /// Where requests arrive, by name. Never empty.
    pub entry_points: BTreeMap<String, EntryPoint>,
    /// Where the dynamic configuration comes from.
    pub providers: Providers,
    /// The API, where it is wanted.
    pub api: Option<Api>,
    /// The answer to "are you there?", where it is wanted.
    pub ping: Option<Ping>,
    /// The process's own log.
    pub log: Log,
    /// How servers are reached by services that name no transport.
    pub servers_transport: DefaultTransport,
    /// What rules mean.
    pub core: Core,
    /// Names of the certificate resolvers. They are not served yet.
    pub certificates_resolvers: BTreeSet<String>,
}

/// The entry point of the API and ping.
pub const INTERNAL_ENTRY_POINT: &str = "traefik";

impl StaticConfiguration {
    /// Names of the entry points that a router without any gets, in order.
    ///
    /// Traefik: those with `asDefault`; where none has it, all. Never UDP ones and the internal one.
    pub fn default_entry_points(&self) -> Vec<String> {
        let tcp = |(name, entry_point): &(&String, &EntryPoint)| {
            !entry_point.is_udp() && *name != INTERNAL_ENTRY_POINT
        };
        let chosen: Vec<String> = self
            .entry_points
            .iter()
            .filter(|(_, entry_point)| entry_point.as_default)
            .filter(tcp)
            .map(|(name, _)| name.clone())
            .collect();
        if !chosen.is_empty() {
            return chosen;
        }
        self.entry_points
            .iter()
            .filter(tcp)
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// The shortest time between two changes of one provider, where the user asks for one.
    pub fn providers_throttle(&self) -> Option<Duration> {
        self.providers.providers_throttle_duration?.positive()
    }
}

#[cfg(test)]
mod tests;
