//! Middlewares, each with the fields and defaults of Traefik's.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::is_zero;
use crate::duration::GoDuration;
use crate::redact::{FileOrContent, Sensitive};

/// What happens to requests and responses on the way: exactly one of the kinds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Middleware {
    /// Puts text in front of the path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add_prefix: Option<AddPrefix>,
    /// Takes a prefix off the path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strip_prefix: Option<StripPrefix>,
    /// Takes a prefix off the path, by pattern.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strip_prefix_regex: Option<StripPrefixRegex>,
    /// Sets the path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replace_path: Option<ReplacePath>,
    /// Rewrites the path by pattern.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replace_path_regex: Option<ReplacePathRegex>,
    /// Several others by one name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain: Option<Chain>,
    /// Old spelling of the address list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_white_list: Option<IpWhiteList>,
    /// Lets only some addresses in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_allow_list: Option<IpAllowList>,
    /// Sets headers, CORS and security headers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<Headers>,
    /// Replaces error answers by pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<Errors>,
    /// Limits requests in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// Redirects by pattern.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_regex: Option<RedirectRegex>,
    /// Redirects to another scheme or port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_scheme: Option<RedirectScheme>,
    /// Asks for a name and a password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basic_auth: Option<BasicAuth>,
    /// Asks for a digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest_auth: Option<DigestAuth>,
    /// Asks another server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forward_auth: Option<ForwardAuth>,
    /// Limits requests at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_flight_req: Option<InFlightReq>,
    /// Reads bodies before forwarding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buffering: Option<Buffering>,
    /// Stops calling a failing service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub circuit_breaker: Option<CircuitBreaker>,
    /// Compresses answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compress: Option<Compress>,
    /// Sends the client's certificate on as headers.
    #[serde(rename = "passTLSClientCert", skip_serializing_if = "Option::is_none")]
    pub pass_tls_client_cert: Option<PassTlsClientCert>,
    /// Tries again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// Guesses missing content types.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<ContentType>,
    /// Turns gRPC-Web into gRPC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grpc_web: Option<GrpcWeb>,
    /// Refuses encoded characters in paths.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoded_characters: Option<EncodedCharacters>,
    /// Plugins, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<BTreeMap<String, serde_json::Value>>,
}

/// Puts text in front of the path.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AddPrefix {
    /// The text.
    #[serde(skip_serializing_if = "is_zero")]
    pub prefix: String,
}

/// Takes the first matching prefix off the path.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct StripPrefix {
    /// In order of trial.
    #[serde(skip_serializing_if = "is_zero")]
    pub prefixes: Vec<String>,
    /// Deprecated: always leave a slash in front.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub force_slash: Option<bool>,
}

/// Takes the first matching prefix off the path, by pattern.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct StripPrefixRegex {
    /// In order of trial.
    #[serde(skip_serializing_if = "is_zero")]
    pub regex: Vec<String>,
}

/// Sets the path.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ReplacePath {
    /// The new path.
    #[serde(skip_serializing_if = "is_zero")]
    pub path: String,
}

/// Rewrites the path by pattern.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ReplacePathRegex {
    /// What to find.
    #[serde(skip_serializing_if = "is_zero")]
    pub regex: String,
    /// What to put, with `$1` or `${name}` for groups.
    #[serde(skip_serializing_if = "is_zero")]
    pub replacement: String,
}

/// Several middlewares by one name.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Chain {
    /// In order of execution.
    #[serde(skip_serializing_if = "is_zero")]
    pub middlewares: Vec<String>,
}

/// Old spelling of [`IpAllowList`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
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

/// Which address counts as the client's.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct IpStrategy {
    /// So many from the right in `X-Forwarded-For`; 0 means the peer.
    #[serde(skip_serializing_if = "is_zero")]
    pub depth: i64,
    /// Take the first from the right that is not one of these.
    #[serde(rename = "excludedIPs", skip_serializing_if = "is_zero")]
    pub excluded_ips: Vec<String>,
    /// Count only the first bits of an IPv6 address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6_subnet: Option<i64>,
}

/// Sets headers, CORS and security headers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Headers {
    /// Request headers to set; empty removes.
    #[serde(skip_serializing_if = "is_zero")]
    pub custom_request_headers: BTreeMap<String, String>,
    /// Response headers to set; empty removes.
    #[serde(skip_serializing_if = "is_zero")]
    pub custom_response_headers: BTreeMap<String, String>,
    /// CORS: allow credentials.
    #[serde(skip_serializing_if = "is_zero")]
    pub access_control_allow_credentials: bool,
    /// CORS: allowed request headers.
    #[serde(skip_serializing_if = "is_zero")]
    pub access_control_allow_headers: Vec<String>,
    /// CORS: allowed methods.
    #[serde(skip_serializing_if = "is_zero")]
    pub access_control_allow_methods: Vec<String>,
    /// CORS: allowed origins.
    #[serde(skip_serializing_if = "is_zero")]
    pub access_control_allow_origin_list: Vec<String>,
    /// CORS: allowed origins, by pattern.
    #[serde(skip_serializing_if = "is_zero")]
    pub access_control_allow_origin_list_regex: Vec<String>,
    /// CORS: headers scripts may read.
    #[serde(skip_serializing_if = "is_zero")]
    pub access_control_expose_headers: Vec<String>,
    /// CORS: seconds a preflight may be kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_control_max_age: Option<i64>,
    /// CORS: say that answers vary by origin.
    #[serde(skip_serializing_if = "is_zero")]
    pub add_vary_header: bool,
    /// Refuse other hosts.
    #[serde(skip_serializing_if = "is_zero")]
    pub allowed_hosts: Vec<String>,
    /// Headers that may hold the host.
    #[serde(skip_serializing_if = "is_zero")]
    pub hosts_proxy_headers: Vec<String>,
    /// Header values that say the client used TLS.
    #[serde(skip_serializing_if = "is_zero")]
    pub ssl_proxy_headers: BTreeMap<String, String>,
    /// HSTS: seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sts_seconds: Option<i64>,
    /// HSTS: subdomains too.
    #[serde(skip_serializing_if = "is_zero")]
    pub sts_include_subdomains: bool,
    /// HSTS: preload.
    #[serde(skip_serializing_if = "is_zero")]
    pub sts_preload: bool,
    /// HSTS: also without TLS.
    #[serde(rename = "forceSTSHeader", skip_serializing_if = "is_zero")]
    pub force_sts_header: bool,
    /// Refuse frames.
    #[serde(skip_serializing_if = "is_zero")]
    pub frame_deny: bool,
    /// Value of X-Frame-Options.
    #[serde(skip_serializing_if = "is_zero")]
    pub custom_frame_options_value: String,
    /// Forbid sniffing.
    #[serde(skip_serializing_if = "is_zero")]
    pub content_type_nosniff: bool,
    /// Set X-XSS-Protection.
    #[serde(skip_serializing_if = "is_zero")]
    pub browser_xss_filter: bool,
    /// Value of X-XSS-Protection.
    #[serde(rename = "customBrowserXSSValue", skip_serializing_if = "is_zero")]
    pub custom_browser_xss_value: String,
    /// The policy.
    #[serde(skip_serializing_if = "is_zero")]
    pub content_security_policy: String,
    /// The policy to report only.
    #[serde(skip_serializing_if = "is_zero")]
    pub content_security_policy_report_only: String,
    /// Public-Key-Pins.
    #[serde(skip_serializing_if = "is_zero")]
    pub public_key: String,
    /// Referrer-Policy.
    #[serde(skip_serializing_if = "is_zero")]
    pub referrer_policy: String,
    /// Permissions-Policy.
    #[serde(skip_serializing_if = "is_zero")]
    pub permissions_policy: String,
    /// Switch off hosts, HSTS and pins.
    #[serde(skip_serializing_if = "is_zero")]
    pub is_development: bool,
    /// Deprecated, ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feature_policy: Option<String>,
    /// Deprecated, ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_redirect: Option<bool>,
    /// Deprecated, ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_temporary_redirect: Option<bool>,
    /// Deprecated, ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_host: Option<String>,
    /// Deprecated, ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_force_host: Option<bool>,
}

/// Replaces error answers by pages of another service.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Errors {
    /// Codes and ranges to replace, such as `500-599`.
    #[serde(skip_serializing_if = "is_zero")]
    pub status: Vec<String>,
    /// Codes to send instead.
    #[serde(skip_serializing_if = "is_zero")]
    pub status_rewrites: BTreeMap<String, i64>,
    /// Who has the pages.
    #[serde(skip_serializing_if = "is_zero")]
    pub service: String,
    /// Path to ask for, with `{status}`.
    #[serde(skip_serializing_if = "is_zero")]
    pub query: String,
    /// Request headers to send along; unset means all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_request_headers: Option<Vec<String>>,
}

/// Limits requests in time by a bucket per source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RateLimit {
    /// Requests per period; 0 means any.
    #[serde(skip_serializing_if = "is_zero")]
    pub average: i64,
    /// The period.
    #[serde(skip_serializing_if = "is_zero")]
    pub period: GoDuration,
    /// Requests at once.
    #[serde(skip_serializing_if = "is_zero")]
    pub burst: i64,
    /// What counts as one source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_criterion: Option<SourceCriterion>,
    /// Share the buckets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redis: Option<Redis>,
}

impl Default for RateLimit {
    fn default() -> Self {
        Self {
            average: Default::default(),
            period: GoDuration::from_secs(1),
            burst: 1,
            source_criterion: Default::default(),
            redis: Default::default(),
        }
    }
}

/// What counts as one source: one of the three.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SourceCriterion {
    /// The client's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_strategy: Option<IpStrategy>,
    /// A header's value.
    #[serde(skip_serializing_if = "is_zero")]
    pub request_header_name: String,
    /// The requested host.
    #[serde(skip_serializing_if = "is_zero")]
    pub request_host: bool,
}

/// A shared store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Redis {
    /// Its addresses.
    #[serde(skip_serializing_if = "is_zero")]
    pub endpoints: Vec<String>,
    /// How to reach it by TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<ClientTls>,
    /// Name to log in with.
    #[serde(skip_serializing_if = "is_zero")]
    pub username: String,
    /// Password to log in with.
    #[serde(skip_serializing_if = "is_zero")]
    pub password: Sensitive,
    /// Which database.
    #[serde(skip_serializing_if = "is_zero")]
    pub db: i64,
    /// Connections; 0 means ten per processor.
    #[serde(skip_serializing_if = "is_zero")]
    pub pool_size: i64,
    /// Idle connections to keep.
    #[serde(skip_serializing_if = "is_zero")]
    pub min_idle_conns: i64,
    /// Connections at most; 0 means any.
    #[serde(skip_serializing_if = "is_zero")]
    pub max_active_conns: i64,
    /// To read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_timeout: Option<GoDuration>,
    /// To write.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write_timeout: Option<GoDuration>,
    /// To connect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dial_timeout: Option<GoDuration>,
}

impl Default for Redis {
    fn default() -> Self {
        Self {
            endpoints: vec!["127.0.0.1:6379".into()],
            tls: Default::default(),
            username: Default::default(),
            password: Default::default(),
            db: Default::default(),
            pool_size: Default::default(),
            min_idle_conns: Default::default(),
            max_active_conns: Default::default(),
            read_timeout: Some(GoDuration::from_secs(3)),
            write_timeout: Some(GoDuration::from_secs(3)),
            dial_timeout: Some(GoDuration::from_secs(5)),
        }
    }
}

/// How to reach a server by TLS.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ClientTls {
    /// Authority to trust instead of the system's.
    #[serde(skip_serializing_if = "is_zero")]
    pub ca: FileOrContent,
    /// Client certificate.
    #[serde(skip_serializing_if = "is_zero")]
    pub cert: FileOrContent,
    /// Its key.
    #[serde(skip_serializing_if = "is_zero")]
    pub key: FileOrContent,
    /// Do not verify.
    #[serde(skip_serializing_if = "is_zero")]
    pub insecure_skip_verify: bool,
    /// Deprecated, ignored.
    #[serde(skip_serializing_if = "is_zero")]
    pub ca_optional: bool,
}

/// Redirects by pattern.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RedirectRegex {
    /// What to find in the URL.
    #[serde(skip_serializing_if = "is_zero")]
    pub regex: String,
    /// The new URL.
    #[serde(skip_serializing_if = "is_zero")]
    pub replacement: String,
    /// Say that it is for ever.
    #[serde(skip_serializing_if = "is_zero")]
    pub permanent: bool,
}

/// Redirects to another scheme or port.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RedirectScheme {
    /// The new scheme.
    #[serde(skip_serializing_if = "is_zero")]
    pub scheme: String,
    /// The new port.
    #[serde(skip_serializing_if = "is_zero")]
    pub port: String,
    /// Say that it is for ever.
    #[serde(skip_serializing_if = "is_zero")]
    pub permanent: bool,
}

/// Asks for a name and a password.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct BasicAuth {
    /// `name:hash` lines.
    #[serde(skip_serializing_if = "is_zero")]
    pub users: Vec<Sensitive>,
    /// A file of such lines.
    #[serde(skip_serializing_if = "is_zero")]
    pub users_file: String,
    /// What the client is told it is for.
    #[serde(skip_serializing_if = "is_zero")]
    pub realm: String,
    /// Keep the password from the service.
    #[serde(skip_serializing_if = "is_zero")]
    pub remove_header: bool,
    /// Header that gets the name.
    #[serde(skip_serializing_if = "is_zero")]
    pub header_field: String,
}

/// Asks for a digest of name and password.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DigestAuth {
    /// `name:realm:hash` lines.
    #[serde(skip_serializing_if = "is_zero")]
    pub users: Vec<Sensitive>,
    /// A file of such lines.
    #[serde(skip_serializing_if = "is_zero")]
    pub users_file: String,
    /// Keep the digest from the service.
    #[serde(skip_serializing_if = "is_zero")]
    pub remove_header: bool,
    /// What the client is told it is for.
    #[serde(skip_serializing_if = "is_zero")]
    pub realm: String,
    /// Header that gets the name.
    #[serde(skip_serializing_if = "is_zero")]
    pub header_field: String,
}

/// Asks another server whether a request may pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ForwardAuth {
    /// Whom to ask.
    #[serde(skip_serializing_if = "is_zero")]
    pub address: String,
    /// How to reach it by TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<ClientTls>,
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
    /// Cookies of its answer to give to the client.
    #[serde(skip_serializing_if = "is_zero")]
    pub add_auth_cookies_to_response: Vec<String>,
    /// Header that gets the user's name.
    #[serde(skip_serializing_if = "is_zero")]
    pub header_field: String,
    /// Send it the body.
    #[serde(skip_serializing_if = "is_zero")]
    pub forward_body: bool,
    /// Largest body to send, in bytes.
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
    /// Largest answer to read, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_response_body_size: Option<i64>,
}

impl Default for ForwardAuth {
    fn default() -> Self {
        Self {
            address: Default::default(),
            tls: Default::default(),
            trust_forward_header: Default::default(),
            auth_response_headers: Default::default(),
            auth_response_headers_regex: Default::default(),
            auth_request_headers: Default::default(),
            add_auth_cookies_to_response: Default::default(),
            header_field: Default::default(),
            forward_body: Default::default(),
            max_body_size: Some(-1),
            preserve_location_header: Default::default(),
            preserve_request_method: Default::default(),
            auth_signin_url: Default::default(),
            max_response_body_size: Default::default(),
        }
    }
}

/// Limits requests at a time per source.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct InFlightReq {
    /// So many.
    #[serde(skip_serializing_if = "is_zero")]
    pub amount: i64,
    /// What counts as one source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_criterion: Option<SourceCriterion>,
}

/// Reads bodies before they are sent on.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Buffering {
    /// Larger requests are refused; 0 means none.
    #[serde(skip_serializing_if = "is_zero")]
    pub max_request_body_bytes: i64,
    /// More is kept on disk.
    #[serde(skip_serializing_if = "is_zero")]
    pub mem_request_body_bytes: i64,
    /// Larger answers are refused; 0 means none.
    #[serde(skip_serializing_if = "is_zero")]
    pub max_response_body_bytes: i64,
    /// More is kept on disk.
    #[serde(skip_serializing_if = "is_zero")]
    pub mem_response_body_bytes: i64,
    /// When to try again.
    #[serde(skip_serializing_if = "is_zero")]
    pub retry_expression: String,
}

/// Stops calling a failing service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CircuitBreaker {
    /// When to stop.
    #[serde(skip_serializing_if = "is_zero")]
    pub expression: String,
    /// Between checks.
    #[serde(skip_serializing_if = "is_zero")]
    pub check_period: GoDuration,
    /// How long nothing is sent.
    #[serde(skip_serializing_if = "is_zero")]
    pub fallback_duration: GoDuration,
    /// How long traffic comes back slowly.
    #[serde(skip_serializing_if = "is_zero")]
    pub recovery_duration: GoDuration,
    /// Answer meanwhile.
    #[serde(skip_serializing_if = "is_zero")]
    pub response_code: i64,
}

impl Default for CircuitBreaker {
    fn default() -> Self {
        Self {
            expression: Default::default(),
            check_period: GoDuration::from_millis(100),
            fallback_duration: GoDuration::from_secs(10),
            recovery_duration: GoDuration::from_secs(10),
            response_code: 503,
        }
    }
}

/// Compresses answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Compress {
    /// Never these.
    #[serde(skip_serializing_if = "is_zero")]
    pub excluded_content_types: Vec<String>,
    /// Only these.
    #[serde(skip_serializing_if = "is_zero")]
    pub included_content_types: Vec<String>,
    /// Only longer ones; 0 means 1024.
    #[serde(skip_serializing_if = "is_zero")]
    pub min_response_body_bytes: i64,
    /// In order of preference.
    #[serde(skip_serializing_if = "is_zero")]
    pub encodings: Vec<String>,
    /// When the client says nothing.
    #[serde(skip_serializing_if = "is_zero")]
    pub default_encoding: String,
}

impl Default for Compress {
    fn default() -> Self {
        Self {
            excluded_content_types: Default::default(),
            included_content_types: Default::default(),
            min_response_body_bytes: Default::default(),
            encodings: vec!["gzip".into(), "br".into(), "zstd".into()],
            default_encoding: Default::default(),
        }
    }
}

/// Sends the client's certificate on as headers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PassTlsClientCert {
    /// The whole certificate.
    #[serde(skip_serializing_if = "is_zero")]
    pub pem: bool,
    /// Parts of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub info: Option<TlsClientCertInfo>,
}

/// Parts of a client certificate.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TlsClientCertInfo {
    /// Until when it is valid.
    #[serde(skip_serializing_if = "is_zero")]
    pub not_after: bool,
    /// From when it is valid.
    #[serde(skip_serializing_if = "is_zero")]
    pub not_before: bool,
    /// Its names.
    #[serde(skip_serializing_if = "is_zero")]
    pub sans: bool,
    /// Its number.
    #[serde(skip_serializing_if = "is_zero")]
    pub serial_number: bool,
    /// Whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<TlsClientCertSubject>,
    /// Who signed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<TlsClientCertIssuer>,
}

/// Parts of a certificate's subject.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TlsClientCertSubject {
    /// Country.
    #[serde(skip_serializing_if = "is_zero")]
    pub country: bool,
    /// Province.
    #[serde(skip_serializing_if = "is_zero")]
    pub province: bool,
    /// Locality.
    #[serde(skip_serializing_if = "is_zero")]
    pub locality: bool,
    /// Organization.
    #[serde(skip_serializing_if = "is_zero")]
    pub organization: bool,
    /// Organizational unit.
    #[serde(skip_serializing_if = "is_zero")]
    pub organizational_unit: bool,
    /// Common name.
    #[serde(skip_serializing_if = "is_zero")]
    pub common_name: bool,
    /// Serial number.
    #[serde(skip_serializing_if = "is_zero")]
    pub serial_number: bool,
    /// Domain component.
    #[serde(skip_serializing_if = "is_zero")]
    pub domain_component: bool,
}

/// Parts of a certificate's issuer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TlsClientCertIssuer {
    /// Country.
    #[serde(skip_serializing_if = "is_zero")]
    pub country: bool,
    /// Province.
    #[serde(skip_serializing_if = "is_zero")]
    pub province: bool,
    /// Locality.
    #[serde(skip_serializing_if = "is_zero")]
    pub locality: bool,
    /// Organization.
    #[serde(skip_serializing_if = "is_zero")]
    pub organization: bool,
    /// Common name.
    #[serde(skip_serializing_if = "is_zero")]
    pub common_name: bool,
    /// Serial number.
    #[serde(skip_serializing_if = "is_zero")]
    pub serial_number: bool,
    /// Domain component.
    #[serde(skip_serializing_if = "is_zero")]
    pub domain_component: bool,
}

/// Tries again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Retry {
    /// So many in all.
    #[serde(skip_serializing_if = "is_zero")]
    pub attempts: i64,
    /// First pause.
    #[serde(skip_serializing_if = "is_zero")]
    pub initial_interval: GoDuration,
    /// For all attempts; 0 means none.
    #[serde(skip_serializing_if = "is_zero")]
    pub timeout: GoDuration,
    /// Largest request body kept for replay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_request_body_bytes: Option<i64>,
    /// Answers that call for another try.
    #[serde(skip_serializing_if = "is_zero")]
    pub status: Vec<String>,
    /// Only on status.
    #[serde(skip_serializing_if = "is_zero")]
    pub disable_retry_on_network_error: bool,
    /// Also POST and the like.
    #[serde(skip_serializing_if = "is_zero")]
    pub retry_non_idempotent_method: bool,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: Default::default(),
            initial_interval: Default::default(),
            timeout: Default::default(),
            max_request_body_bytes: Some(2_097_152),
            status: Default::default(),
            disable_retry_on_network_error: Default::default(),
            retry_non_idempotent_method: Default::default(),
        }
    }
}

/// Guesses missing content types.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ContentType {
    /// Deprecated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_detect: Option<bool>,
}

/// Turns gRPC-Web into gRPC.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct GrpcWeb {
    /// CORS origins.
    #[serde(skip_serializing_if = "is_zero")]
    pub allow_origins: Vec<String>,
}

/// Which encoded characters a path may hold: those that are not allowed are refused.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct EncodedCharacters {
    /// `%2F`
    #[serde(skip_serializing_if = "is_zero")]
    pub allow_encoded_slash: bool,
    /// `%5C`
    #[serde(skip_serializing_if = "is_zero")]
    pub allow_encoded_back_slash: bool,
    /// `%00`
    #[serde(skip_serializing_if = "is_zero")]
    pub allow_encoded_null_character: bool,
    /// `%3B`
    #[serde(skip_serializing_if = "is_zero")]
    pub allow_encoded_semicolon: bool,
    /// `%25`
    #[serde(skip_serializing_if = "is_zero")]
    pub allow_encoded_percent: bool,
    /// `%3F`
    #[serde(skip_serializing_if = "is_zero")]
    pub allow_encoded_question_mark: bool,
    /// `%23`
    #[serde(skip_serializing_if = "is_zero")]
    pub allow_encoded_hash: bool,
}
