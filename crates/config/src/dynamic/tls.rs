//! Certificates, TLS options and TLS stores.

use serde::{Deserialize, Serialize};

use super::http::Domain;
use super::is_zero;
use crate::elements::Elements;
use crate::redact::FileOrContent;

/// The TLS half of a dynamic configuration: certificates, options and stores.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Tls {
    /// Certificates to serve.
    #[serde(skip_serializing_if = "is_zero")]
    pub certificates: Vec<CertAndStores>,
    /// Options by name.
    #[serde(skip_serializing_if = "Elements::is_empty")]
    pub options: Elements<TlsOptions>,
    /// Stores by name; only `default` is ever asked.
    #[serde(skip_serializing_if = "Elements::is_empty")]
    pub stores: Elements<TlsStore>,
}

/// A certificate and the stores that hold it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CertAndStores {
    /// The certificate chain.
    #[serde(skip_serializing_if = "is_zero")]
    pub cert_file: FileOrContent,
    /// Its key.
    #[serde(skip_serializing_if = "is_zero")]
    pub key_file: FileOrContent,
    /// Stores by name; empty means `default`.
    #[serde(skip_serializing_if = "is_zero")]
    pub stores: Vec<String>,
}

/// A certificate and its key.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Certificate {
    /// The certificate chain.
    #[serde(skip_serializing_if = "is_zero")]
    pub cert_file: FileOrContent,
    /// Its key.
    #[serde(skip_serializing_if = "is_zero")]
    pub key_file: FileOrContent,
}

/// Certificates for names that nothing else covers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TlsStore {
    /// The certificate for unknown names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_certificate: Option<Certificate>,
    /// The same, from a resolver.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_generated_cert: Option<GeneratedCert>,
}

/// A certificate asked of a resolver.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct GeneratedCert {
    /// The resolver.
    #[serde(skip_serializing_if = "is_zero")]
    pub resolver: String,
    /// Its names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<Domain>,
}

/// How TLS is spoken with clients.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TlsOptions {
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
    /// Client certificates.
    pub client_auth: ClientAuth,
    /// Refuse names without a certificate.
    #[serde(skip_serializing_if = "is_zero")]
    pub sni_strict: bool,
    /// Protocols to offer.
    #[serde(skip_serializing_if = "is_zero")]
    pub alpn_protocols: Vec<String>,
    /// Never resume sessions by ticket.
    #[serde(skip_serializing_if = "is_zero")]
    pub disable_session_tickets: bool,
    /// Deprecated, ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefer_server_cipher_suites: Option<bool>,
}

impl Default for TlsOptions {
    fn default() -> Self {
        Self {
            min_version: Default::default(),
            max_version: Default::default(),
            cipher_suites: default_cipher_suites(),
            curve_preferences: Default::default(),
            client_auth: Default::default(),
            sni_strict: Default::default(),
            alpn_protocols: default_alpn_protocols(),
            disable_session_tickets: Default::default(),
            prefer_server_cipher_suites: Default::default(),
        }
    }
}

/// Which client certificates are asked for.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ClientAuth {
    /// Authorities that may sign them.
    #[serde(skip_serializing_if = "is_zero")]
    pub ca_files: Vec<FileOrContent>,
    /// `NoClientCert` to `RequireAndVerifyClientCert`.
    #[serde(skip_serializing_if = "is_zero")]
    pub client_auth_type: String,
}

fn default_alpn_protocols() -> Vec<String> {
    ["h2", "http/1.1", "acme-tls/1"].map(str::to_owned).to_vec()
}

// Traefik: the suites that Go calls secure, in Go's order.
fn default_cipher_suites() -> Vec<String> {
    [
        "TLS_AES_128_GCM_SHA256",
        "TLS_AES_256_GCM_SHA384",
        "TLS_CHACHA20_POLY1305_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
        "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
        "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
        "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// Whether Traefik knows a cipher suite of that name.
pub fn is_cipher_suite(name: &str) -> bool {
    CIPHER_SUITES.contains(&name)
}

// Traefik: `pkg/tls`, the names that Go knows, secure or not.
const CIPHER_SUITES: [&str; 26] = [
    "TLS_RSA_WITH_RC4_128_SHA",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_FALLBACK_SCSV",
];
