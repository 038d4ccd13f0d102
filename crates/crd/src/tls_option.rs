//! TLSOption: how TLS is spoken with clients.

use kube_derive::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::is_zero;

/// How is TLS spoken with clients?
#[derive(CustomResource, Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "traefik.io",
    version = "v1alpha1",
    kind = "TLSOption",
    plural = "tlsoptions",
    singular = "tlsoption",
    namespaced,
    derive = "Default",
    derive = "PartialEq",
    doc = "How TLS is spoken with clients.",
    crates(
        kube_core = "::kube_core",
        k8s_openapi = "::k8s_openapi",
        schemars = "::schemars",
        serde = "::serde",
        serde_json = "::serde_json"
    )
)]
#[serde(default, rename_all = "camelCase")]
pub struct TLSOptionSpec {
    /// `VersionTLS10` to `VersionTLS13`; empty means TLS 1.2.
    #[serde(skip_serializing_if = "is_zero")]
    pub min_version: String,
    /// `VersionTLS10` to `VersionTLS13`; empty means the newest.
    #[serde(skip_serializing_if = "is_zero")]
    pub max_version: String,
    /// TLS 1.2 suites.
    #[serde(skip_serializing_if = "is_zero")]
    pub cipher_suites: Vec<String>,
    /// Key exchange groups.
    #[serde(skip_serializing_if = "is_zero")]
    pub curve_preferences: Vec<String>,
    /// Which client certificates are asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_auth: Option<ClientAuth>,
    /// Refuse clients that ask for a name without a certificate.
    #[serde(skip_serializing_if = "is_zero")]
    pub sni_strict: bool,
    /// Protocols to offer.
    #[serde(skip_serializing_if = "is_zero")]
    pub alpn_protocols: Vec<String>,
    /// Never resume sessions by ticket.
    #[serde(skip_serializing_if = "is_zero")]
    pub disable_session_tickets: bool,
    /// Deprecated and ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefer_server_cipher_suites: Option<bool>,
}

/// Which client certificates are asked for?
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ClientAuth {
    /// Secrets of the authorities that may sign them, with the key `tls.ca` or `ca.crt`.
    #[serde(skip_serializing_if = "is_zero")]
    pub secret_names: Vec<String>,
    /// How strictly; with authorities and empty it means `RequireAndVerifyClientCert`.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(extend("enum" = ["NoClientCert", "RequestClientCert", "RequireAnyClientCert", "VerifyClientCertIfGiven", "RequireAndVerifyClientCert"]))]
    pub client_auth_type: String,
}
