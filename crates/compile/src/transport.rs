//! Servers transports, and the numbers of connection pools.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use http::HeaderValue;
use traefikrs_config::diagnostic::Diagnostic;
use traefikrs_config::elements::Elements;
use traefikrs_config::{QualifiedName, dynamic};
use traefikrs_tls::{Roots, ServerName};

use crate::compiled::{Https, PoolId, Scheme, ServerHost, Transport};
use crate::error::BuildError;
use crate::server::{ServerUrl, UrlScheme};
use crate::tls;

/// Traefik: an unset or zero `maxIdleConnsPerHost` of a named transport is Go's default.
const GO_MAX_IDLE_CONNS_PER_HOST: usize = 2;

impl Transport {
    fn new(
        name: QualifiedName,
        configured: &dynamic::ServersTransport,
        system_roots: &Roots,
        found: &mut Vec<Diagnostic>,
    ) -> Self {
        let tls = tls::of(&name, configured, system_roots, found);
        let timeouts = configured.forwarding_timeouts.clone().unwrap_or_default();
        Self {
            name,
            max_idle_conns_per_host: match usize::try_from(configured.max_idle_conns_per_host) {
                Ok(0) => GO_MAX_IDLE_CONNS_PER_HOST,
                Ok(conns) => conns,
                Err(_negative) => 0,
            },
            dial_timeout: timeouts.dial_timeout.positive(),
            response_header_timeout: timeouts.response_header_timeout.positive(),
            idle_conn_timeout: timeouts.idle_conn_timeout.positive(),
            read_idle_timeout: timeouts.read_idle_timeout.positive(),
            ping_timeout: timeouts.ping_timeout.positive(),
            disable_http2: configured.disable_http2,
            tls,
        }
    }
}

impl Transport {
    /// How a server is spoken to.
    pub(crate) fn scheme(&self, configured: &str, url: &ServerUrl) -> Result<Scheme, BuildError> {
        match url.scheme {
            UrlScheme::Http => Ok(Scheme::Http),
            // Traefik: answers each request with 500.
            UrlScheme::H2c if self.disable_http2 => Err(BuildError::closed(format!(
                "server URL {configured}: servers transport {} disables HTTP/2",
                self.name
            ))),
            UrlScheme::H2c => Ok(Scheme::H2c),
            UrlScheme::Https => {
                let tls = self.tls.as_ref().map_err(Clone::clone)?;
                let server_name = match (&tls.server_name, &url.host) {
                    (Some(name), _) => name.clone(),
                    (None, host) => host.certified().ok_or_else(|| {
                        BuildError::closed(format!(
                            "server URL {configured}: no certificate can be issued to its host"
                        ))
                    })?,
                };
                // A worker that connects should not wait until the system's authorities are read.
                tls.client.prepare();
                Ok(Scheme::Https(Https {
                    tls: tls.client.clone(),
                    server_name,
                }))
            }
        }
    }
}

impl ServerHost {
    /// Who its certificate must be issued to.
    fn certified(&self) -> Option<ServerName<'static>> {
        match self {
            Self::Ip(address) => Some((*address).into()),
            Self::Name(name) => ServerName::try_from(name.to_string()).ok(),
            Self::Nowhere => None,
        }
    }
}

/// Which pool do connections to a server come from? Numbers stay with their key for as long as any
/// generation in a row uses it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pools {
    ids: HashMap<PoolKey, PoolId>,
    next: u64,
}

// Traefik: a changed transport gets new pools, an unchanged one keeps its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct PoolKey {
    transport: Arc<Transport>,
    scheme: UrlScheme,
    authority: HeaderValue,
}

impl Pools {
    /// An empty set that goes on numbering where another stopped.
    pub(crate) fn following(previous: Option<&Self>) -> Self {
        Self {
            ids: HashMap::new(),
            next: previous.map_or(0, |previous| previous.next),
        }
    }

    /// These and those of before, without what nobody uses.
    pub(crate) fn and(&self, before: &Self, used: &HashSet<PoolId>) -> Self {
        let ids = before.ids.iter().chain(&self.ids);
        let ids = ids.filter(|(_, id)| used.contains(id));
        Self {
            ids: ids.map(|(key, id)| (key.clone(), *id)).collect(),
            next: self.next,
        }
    }

    pub(crate) fn id(
        &mut self,
        previous: Option<&Self>,
        transport: &Arc<Transport>,
        scheme: UrlScheme,
        authority: &HeaderValue,
    ) -> PoolId {
        let key = PoolKey {
            transport: Arc::clone(transport),
            scheme,
            authority: authority.clone(),
        };
        let next = &mut self.next;
        *self.ids.entry(key).or_insert_with_key(|key| {
            previous
                .and_then(|previous| previous.ids.get(key))
                .copied()
                .unwrap_or_else(|| {
                    *next += 1;
                    PoolId(*next)
                })
        })
    }
}

/// The transports of a configuration by name, as services refer to them.
#[derive(Debug, Default)]
pub(crate) struct Transports {
    configured: Elements<dynamic::ServersTransport>,
    system_roots: Roots,
    known: BTreeMap<Arc<str>, Known>,
}

#[derive(Debug, Clone)]
struct Known {
    transport: Arc<Transport>,
    found: Vec<Diagnostic>,
}

impl Transports {
    /// One that did not change is the same: its connections go on, and its certificates are not parsed again.
    pub(crate) fn following(
        previous: Option<&Arc<Self>>,
        configured: &Elements<dynamic::ServersTransport>,
        system_roots: &Roots,
    ) -> Arc<Self> {
        let nothing = Arc::default();
        let previous = previous
            .filter(|previous| previous.system_roots == *system_roots)
            .unwrap_or(&nothing);
        let mut configured = configured.clone();
        if !configured.contains_key(DEFAULT) {
            configured.insert(DEFAULT, built_in());
        }
        let mut known = previous.known.clone();
        for change in configured.changes_since(&previous.configured) {
            match change.now {
                Some(now) => {
                    known.insert(
                        Arc::clone(change.name),
                        Known::new(change.name, now, system_roots),
                    );
                }
                None => drop(known.remove(change.name)),
            }
        }
        Arc::new(Self {
            configured,
            system_roots: system_roots.clone(),
            known,
        })
    }

    /// The transport of this name.
    pub(crate) fn get(&self, name: &QualifiedName) -> Option<&Arc<Transport>> {
        self.known.get(name.as_str()).map(|known| &known.transport)
    }

    /// What was found about them.
    pub(crate) fn diagnostics(&self) -> impl Iterator<Item = &Diagnostic> {
        self.known.values().flat_map(|known| &known.found)
    }
}

impl Known {
    fn new(name: &str, configured: &dynamic::ServersTransport, system_roots: &Roots) -> Self {
        let mut found = Vec::new();
        let name = QualifiedName::parse(name, "internal");
        let transport = Transport::new(name, configured, system_roots, &mut found);
        Self {
            transport: Arc::new(transport),
            found,
        }
    }
}

/// What services use that name none.
const DEFAULT: &str = "default@internal";

// Traefik: the default transport comes with the process and keeps more connections than a named one.
fn built_in() -> dynamic::ServersTransport {
    dynamic::ServersTransport {
        max_idle_conns_per_host: 200,
        ..dynamic::ServersTransport::default()
    }
}
