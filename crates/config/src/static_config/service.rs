//! What the process itself answers, what rules mean, and how servers are reached by default.

use serde::{Deserialize, Serialize};

use crate::duration::GoDuration;
use crate::dynamic;
use crate::redact::FileOrContent;

/// The API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Api {
    /// Path in front of the API's own.
    pub base_path: String,
    /// Serve it on the entry point `traefik`, to everybody.
    pub insecure: bool,
    /// Serve the dashboard too. There is none yet.
    pub dashboard: bool,
    /// What the dashboard calls the process.
    pub dashboard_name: String,
    /// Serve figures of the process under `/debug`.
    pub debug: bool,
    /// Traefik's.
    pub disable_dashboard_ad: bool,
}

impl Default for Api {
    fn default() -> Self {
        Self {
            base_path: "/".to_owned(),
            insecure: false,
            dashboard: true,
            dashboard_name: String::new(),
            debug: false,
            disable_dashboard_ad: false,
        }
    }
}

/// The answer to "are you there?".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Ping {
    /// The entry point that answers.
    pub entry_point: String,
    /// Only make the service `ping@internal`; the user routes to it.
    pub manual_routing: bool,
    /// The answer while the process ends.
    pub terminating_status_code: u16,
}

impl Default for Ping {
    fn default() -> Self {
        Self {
            entry_point: super::INTERNAL_ENTRY_POINT.to_owned(),
            manual_routing: false,
            terminating_status_code: 503,
        }
    }
}

/// What rules mean.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Core {
    /// The syntax of rules that do not say; deprecated.
    pub default_rule_syntax: Option<DefaultRuleSyntax>,
}

/// Which syntax rules have that do not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DefaultRuleSyntax {
    /// Traefik 2's.
    V2,
    /// Traefik 3's.
    V3,
}

impl DefaultRuleSyntax {
    /// As a router writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2 => "v2",
            Self::V3 => "v3",
        }
    }
}

/// How servers are reached by services that name no transport.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DefaultTransport {
    /// Do not verify servers' certificates.
    pub insecure_skip_verify: bool,
    /// Authorities to trust instead of the system's.
    #[serde(rename = "rootCAs")]
    pub root_cas: Vec<FileOrContent>,
    /// Idle connections kept per server.
    pub max_idle_conns_per_host: i64,
    /// Limits in time.
    pub forwarding_timeouts: Option<DefaultTransportTimeouts>,
}

impl Default for DefaultTransport {
    fn default() -> Self {
        Self {
            insecure_skip_verify: false,
            root_cas: Vec::new(),
            max_idle_conns_per_host: 200,
            forwarding_timeouts: None,
        }
    }
}

/// Limits in time of the default transport; 0 means none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DefaultTransportTimeouts {
    /// To connect.
    pub dial_timeout: GoDuration,
    /// From the end of the request to the head of the answer.
    pub response_header_timeout: GoDuration,
    /// An idle connection is kept.
    pub idle_conn_timeout: GoDuration,
}

impl Default for DefaultTransportTimeouts {
    fn default() -> Self {
        Self {
            dial_timeout: GoDuration::from_secs(30),
            response_header_timeout: GoDuration::default(),
            idle_conn_timeout: GoDuration::from_secs(90),
        }
    }
}

impl From<&DefaultTransport> for dynamic::ServersTransport {
    fn from(transport: &DefaultTransport) -> Self {
        Self {
            insecure_skip_verify: transport.insecure_skip_verify,
            root_cas: transport.root_cas.clone(),
            max_idle_conns_per_host: transport.max_idle_conns_per_host,
            forwarding_timeouts: transport.forwarding_timeouts.as_ref().map(|timeouts| {
                dynamic::ForwardingTimeouts {
                    dial_timeout: timeouts.dial_timeout,
                    response_header_timeout: timeouts.response_header_timeout,
                    idle_conn_timeout: timeouts.idle_conn_timeout,
                    read_idle_timeout: GoDuration::default(),
                    ping_timeout: GoDuration::default(),
                }
            }),
            ..Self::default()
        }
    }
}
