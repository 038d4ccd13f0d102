//! Middlewares that decide who may pass.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::is_zero;

/// Old spelling of [`IpAllowList`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct IpWhiteList {
    /// Addresses and networks.
    #[serde(skip_serializing_if = "is_zero")]
    pub source_range: Vec<String>,
    /// Which address counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_strategy: Option<IpStrategy>,
}

/// Lets only some addresses in.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct IpAllowList {
    /// Addresses and networks.
    #[serde(skip_serializing_if = "is_zero")]
    pub source_range: Vec<String>,
    /// Which address counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_strategy: Option<IpStrategy>,
    /// Answer to all others; 0 means 403.
    #[serde(skip_serializing_if = "is_zero")]
    pub reject_status_code: i64,
}

/// Which address counts as the client's?
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct IpStrategy {
    /// So many from the right in `X-Forwarded-For`; 0 means the peer.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(range(min = 0))]
    pub depth: i64,
    /// Take the first from the right that is not one of these.
    #[serde(rename = "excludedIPs", skip_serializing_if = "is_zero")]
    pub excluded_ips: Vec<String>,
    /// Count only the first bits of an IPv6 address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6_subnet: Option<i64>,
}

/// Asks for a name and a password.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct BasicAuth {
    /// Secret of the users: of type `kubernetes.io/basic-auth`, or with one key that holds lines `name:hash`.
    #[serde(skip_serializing_if = "is_zero")]
    pub secret: String,
    /// What the client is told it is for.
    #[serde(skip_serializing_if = "is_zero")]
    pub realm: String,
    /// Keep the password from the service.
    #[serde(skip_serializing_if = "is_zero")]
    pub remove_header: bool,
    /// Header that gets the user's name.
    #[serde(skip_serializing_if = "is_zero")]
    pub header_field: String,
}

/// Asks for a digest of name and password.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct DigestAuth {
    /// Secret of the users: one key that holds lines `name:realm:hash`.
    #[serde(skip_serializing_if = "is_zero")]
    pub secret: String,
    /// Keep the digest from the service.
    #[serde(skip_serializing_if = "is_zero")]
    pub remove_header: bool,
    /// What the client is told it is for.
    #[serde(skip_serializing_if = "is_zero")]
    pub realm: String,
    /// Header that gets the user's name.
    #[serde(skip_serializing_if = "is_zero")]
    pub header_field: String,
}

/// Asks another server whether a request may pass.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ForwardAuth {
    /// Whom to ask.
    #[serde(skip_serializing_if = "is_zero")]
    pub address: String,
    /// Send the client's forwarded headers on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust_forward_header: Option<bool>,
    /// Headers of its answer to give to the service.
    #[serde(skip_serializing_if = "is_zero")]
    pub auth_response_headers: Vec<String>,
    /// The same, by pattern.
    #[serde(skip_serializing_if = "is_zero")]
    pub auth_response_headers_regex: String,
    /// Headers to send it; empty means all.
    #[serde(skip_serializing_if = "is_zero")]
    pub auth_request_headers: Vec<String>,
    /// How to reach it by TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<ClientTlsWithCaOptional>,
    /// Cookies of its answer to give to the client.
    #[serde(skip_serializing_if = "is_zero")]
    pub add_auth_cookies_to_response: Vec<String>,
    /// Header that gets the user's name.
    #[serde(skip_serializing_if = "is_zero")]
    pub header_field: String,
    /// Send it the body.
    #[serde(skip_serializing_if = "is_zero")]
    pub forward_body: bool,
    /// Largest body to send, in bytes; -1, the default, means any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_body_size: Option<i64>,
    /// Leave its Location alone.
    #[serde(skip_serializing_if = "is_zero")]
    pub preserve_location_header: bool,
    /// Ask with the request's method.
    #[serde(skip_serializing_if = "is_zero")]
    pub preserve_request_method: bool,
    /// Where to send refused clients.
    #[serde(rename = "authSigninURL", skip_serializing_if = "is_zero")]
    pub auth_signin_url: String,
    /// Largest answer to read, in bytes; -1 means any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_response_body_size: Option<i64>,
}

/// How is a server reached by TLS?
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ClientTls {
    /// Secret of the authority to trust.
    #[serde(skip_serializing_if = "is_zero")]
    pub ca_secret: String,
    /// Secret of the client certificate.
    #[serde(skip_serializing_if = "is_zero")]
    pub cert_secret: String,
    /// Do not verify its certificate.
    #[serde(skip_serializing_if = "is_zero")]
    pub insecure_skip_verify: bool,
}

/// How is a server reached by TLS?
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ClientTlsWithCaOptional {
    /// Secret of the authority to trust.
    #[serde(skip_serializing_if = "is_zero")]
    pub ca_secret: String,
    /// Secret of the client certificate.
    #[serde(skip_serializing_if = "is_zero")]
    pub cert_secret: String,
    /// Do not verify its certificate.
    #[serde(skip_serializing_if = "is_zero")]
    pub insecure_skip_verify: bool,
    /// Deprecated and ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_optional: Option<bool>,
}
