//! The reference to what answers, used by routes, by services made of others and by error pages.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{IntOrString, ObjectRef, is_zero};

/// Who answers, and how are its servers reached? A Kubernetes Service or a TraefikService.
///
/// All fields but the name, the namespace and the weight have a meaning for Kubernetes Services only.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["name"]))]
pub struct ServiceRef {
    /// Its name.
    pub name: String,
    /// `Service` (the default) or `TraefikService`.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(extend("enum" = ["Service", "TraefikService"]))]
    pub kind: String,
    /// Its namespace; empty means that of the object that holds the reference.
    #[serde(skip_serializing_if = "is_zero")]
    pub namespace: String,
    /// Keep a client on its server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sticky: Option<Sticky>,
    /// Number or name of the Service's port; required for a Service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<IntOrString>,
    /// `http`, `https` or `h2c`; empty means https for port 443 and for port names that start with `https`, http otherwise.
    #[serde(skip_serializing_if = "is_zero")]
    pub scheme: String,
    /// How a server is chosen: `wrr` (the default), `p2c`, `hrw` or `leasttime`.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(extend("enum" = ["wrr", "p2c", "hrw", "leasttime", "RoundRobin"]))]
    pub strategy: String,
    /// Send the client's Host header on; true when unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pass_host_header: Option<bool>,
    /// How answers are streamed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_forwarding: Option<ResponseForwarding>,
    /// Name of the ServersTransport, in the Service's namespace.
    #[serde(skip_serializing_if = "is_zero")]
    pub servers_transport: String,
    /// Share of the requests among the services of a list; 1 when unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub weight: Option<i64>,
    /// Use the Service's cluster IP instead of its endpoints.
    #[serde(rename = "nativeLB", skip_serializing_if = "Option::is_none")]
    pub native_lb: Option<bool>,
    /// Use the nodes' addresses and the node port, for a Service of type NodePort.
    #[serde(rename = "nodePortLB", skip_serializing_if = "is_zero")]
    pub node_port_lb: bool,
    /// Ask the server whether it is well; for Services of type ExternalName only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthCheck>,
    /// Judge the servers by their answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passive_health_check: Option<PassiveHealthCheck>,
    /// Middlewares that run for every request to this service, whatever its route.
    #[serde(skip_serializing_if = "is_zero")]
    pub middlewares: Vec<ObjectRef>,
}

/// How is a client kept on its server?
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Sticky {
    /// By a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cookie: Option<Cookie>,
}

/// Which cookie keeps a client on its server?
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Cookie {
    /// Its name; empty means one derived from the service's.
    #[serde(skip_serializing_if = "is_zero")]
    pub name: String,
    /// Sent over TLS only.
    #[serde(skip_serializing_if = "is_zero")]
    pub secure: bool,
    /// Hidden from scripts.
    #[serde(skip_serializing_if = "is_zero")]
    pub http_only: bool,
    /// Its SameSite policy.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(extend("enum" = ["none", "lax", "strict", "None", "Lax", "Strict"]))]
    pub same_site: String,
    /// Seconds until it expires; 0 means with the browser's session, negative at once.
    #[serde(skip_serializing_if = "is_zero")]
    pub max_age: i64,
    /// Its path; `/` when unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Its domain.
    #[serde(skip_serializing_if = "is_zero")]
    pub domain: String,
}

/// How are answers streamed to the client?
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ResponseForwarding {
    /// Longest time that received bytes wait; a bare number means seconds, a negative one no wait. 100ms when unset.
    #[serde(skip_serializing_if = "is_zero")]
    pub flush_interval: String,
}

/// How is a server asked whether it is well?
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct HealthCheck {
    /// Instead of the server's.
    #[serde(skip_serializing_if = "is_zero")]
    pub scheme: String,
    /// `http` or `grpc`.
    #[serde(skip_serializing_if = "is_zero")]
    pub mode: String,
    /// Path to ask for.
    #[serde(skip_serializing_if = "is_zero")]
    pub path: String,
    /// GET when empty.
    #[serde(skip_serializing_if = "is_zero")]
    pub method: String,
    /// The expected status; 0 means 200 to 399.
    #[serde(skip_serializing_if = "is_zero")]
    pub status: i64,
    /// Instead of the server's.
    #[serde(skip_serializing_if = "is_zero")]
    pub port: i64,
    /// Between checks of a healthy server; 30s when unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<IntOrString>,
    /// Between checks of an unhealthy server; the interval when unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unhealthy_interval: Option<IntOrString>,
    /// Longest wait for the answer; 5s when unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<IntOrString>,
    /// The Host header.
    #[serde(skip_serializing_if = "is_zero")]
    pub hostname: String,
    /// Follow redirects; true when unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follow_redirects: Option<bool>,
    /// Headers to send.
    #[serde(skip_serializing_if = "is_zero")]
    pub headers: BTreeMap<String, String>,
}

/// When do answers take a server out?
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct PassiveHealthCheck {
    /// Failures count within this time; 10s when unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_window: Option<IntOrString>,
    /// So many take it out; 1 when unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_failed_attempts: Option<i64>,
}
