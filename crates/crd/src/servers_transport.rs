//! ServersTransport: how connections to servers are made.

use kube_derive::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{DURATION, IntOrString, is_zero};

/// How are connections to servers made?
#[derive(CustomResource, Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "traefik.io",
    version = "v1alpha1",
    kind = "ServersTransport",
    plural = "serverstransports",
    singular = "serverstransport",
    namespaced,
    derive = "Default",
    derive = "PartialEq",
    doc = "How connections to servers are made.",
    crates(
        kube_core = "::kube_core",
        k8s_openapi = "::k8s_openapi",
        schemars = "::schemars",
        serde = "::serde",
        serde_json = "::serde_json"
    )
)]
#[serde(default, rename_all = "camelCase")]
pub struct ServersTransportSpec {
    /// Name in SNI and for verification, instead of the server's.
    #[serde(skip_serializing_if = "is_zero")]
    pub server_name: String,
    /// Do not verify the server's certificate.
    #[serde(skip_serializing_if = "is_zero")]
    pub insecure_skip_verify: bool,
    /// Authorities to trust instead of the system's.
    #[serde(rename = "rootCAs", skip_serializing_if = "is_zero")]
    pub root_cas: Vec<RootCa>,
    /// Secrets of authorities; deprecated, use `rootCAs`.
    #[serde(rename = "rootCAsSecrets", skip_serializing_if = "is_zero")]
    pub root_cas_secrets: Vec<String>,
    /// Secrets of client certificates.
    #[serde(skip_serializing_if = "is_zero")]
    pub certificates_secrets: Vec<String>,
    /// Idle connections kept per server; 0 means 2, -1 none.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(range(min = -1))]
    pub max_idle_conns_per_host: i64,
    /// Limits in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forwarding_timeouts: Option<ForwardingTimeouts>,
    /// Never speak HTTP/2.
    #[serde(rename = "disableHTTP2", skip_serializing_if = "is_zero")]
    pub disable_http2: bool,
    /// URI that the server's certificate must carry.
    #[serde(rename = "peerCertURI", skip_serializing_if = "is_zero")]
    pub peer_cert_uri: String,
    /// TLS 1.2 suites to offer.
    #[serde(skip_serializing_if = "is_zero")]
    pub cipher_suites: Vec<String>,
    /// `VersionTLS10` to `VersionTLS13`.
    #[serde(skip_serializing_if = "is_zero")]
    pub min_version: String,
    /// `VersionTLS10` to `VersionTLS13`.
    #[serde(skip_serializing_if = "is_zero")]
    pub max_version: String,
    /// SPIFFE identities to accept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spiffe: Option<Spiffe>,
}

/// Where is an authority's certificate? In one of the two.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{
    "message": "RootCA cannot have both Secret and ConfigMap defined.",
    "rule": "!has(self.secret) || !has(self.configMap)",
}]))]
pub struct RootCa {
    /// A Secret with the key `tls.ca` or `ca.crt`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// A ConfigMap with the key `tls.ca` or `ca.crt`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_map: Option<String>,
}

/// How long may each part of a request to a server take? 0 means without limit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ForwardingTimeouts {
    /// To connect; 30s when unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = DURATION))]
    pub dial_timeout: Option<IntOrString>,
    /// From the end of the request to the head of the answer; none when unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = DURATION))]
    pub response_header_timeout: Option<IntOrString>,
    /// An idle connection is kept; 90s when unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = DURATION))]
    pub idle_conn_timeout: Option<IntOrString>,
    /// Silence before an HTTP/2 ping; none when unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = DURATION))]
    pub read_idle_timeout: Option<IntOrString>,
    /// Wait for the answer to a ping; 15s when unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = DURATION))]
    pub ping_timeout: Option<IntOrString>,
}

/// Which SPIFFE identities may a server have?
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Spiffe {
    /// These.
    #[serde(skip_serializing_if = "is_zero")]
    pub ids: Vec<String>,
    /// All of this domain.
    #[serde(skip_serializing_if = "is_zero")]
    pub trust_domain: String,
}
