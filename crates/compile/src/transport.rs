//! Servers transports, and the numbers of connection pools.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use http::uri::Authority;
use traefikrs_config::{QualifiedName, dynamic};

use crate::compiled::{PoolId, Scheme, Transport};

/// Traefik: an unset or zero `maxIdleConnsPerHost` of a named transport is Go's default.
const GO_MAX_IDLE_CONNS_PER_HOST: usize = 2;

impl Transport {
    pub(crate) fn new(name: QualifiedName, configured: &dynamic::ServersTransport) -> Self {
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
        }
    }
}

/// The parts of a transport that need TLS, which is not spoken to servers yet.
pub(crate) fn unserved_parts(transport: &dynamic::ServersTransport) -> Vec<&'static str> {
    [
        ("serverName", !transport.server_name.is_empty()),
        ("insecureSkipVerify", transport.insecure_skip_verify),
        ("rootCAs", !transport.root_cas.is_empty()),
        ("certificates", !transport.certificates.is_empty()),
        ("peerCertURI", !transport.peer_cert_uri.is_empty()),
        ("cipherSuites", !transport.cipher_suites.is_empty()),
        ("minVersion", !transport.min_version.is_empty()),
        ("maxVersion", !transport.max_version.is_empty()),
        ("spiffe", transport.spiffe.is_some()),
    ]
    .into_iter()
    .filter_map(|(part, set)| set.then_some(part))
    .collect()
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
    scheme: Scheme,
    authority: Authority,
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
        scheme: Scheme,
        authority: &Authority,
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

/// All transports by name, as services refer to them.
pub(crate) fn transports(http: &dynamic::Http) -> BTreeMap<&str, Arc<Transport>> {
    http.servers_transports
        .iter()
        .map(|(name, configured)| {
            let qualified = QualifiedName::parse(name, "internal");
            (&**name, Arc::new(Transport::new(qualified, configured)))
        })
        .collect()
}
