//! Entry points: where requests arrive, and what is done to all of them.
//!
//! On output they are what Traefik's API shows of them: same names, same order, zero values left out.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use super::address::{Address, Protocol};
use super::limit;
use super::trusted_ip::TrustedIp;
use crate::dynamic::{EncodedCharacters, RouterTls, is_zero};

/// Where requests arrive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EntryPoint {
    /// Where to listen.
    pub address: Address,
    /// Let user routers answer ACME challenges.
    #[serde(default, rename = "allowACMEByPass", skip_serializing_if = "is_zero")]
    pub allow_acme_bypass: bool,
    /// Let other processes listen there too.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reuse_port: bool,
    /// Routers without entry points get this one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub as_default: bool,
    /// Limits of connections.
    #[serde(default)]
    pub transport: EntryPointTransport,
    /// Whether clients speak the PROXY protocol, and which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_protocol: Option<ProxyProtocol>,
    /// What peers may say of the client.
    #[serde(default)]
    pub forwarded_headers: ForwardedHeaders,
    /// What holds for all HTTP routers.
    #[serde(default)]
    pub http: EntryPointHttp,
    /// Limits of HTTP/2.
    #[serde(default)]
    pub http2: Http2,
    /// HTTP/3, where it is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http3: Option<Http3>,
    /// Limits of UDP sessions.
    #[serde(default)]
    pub udp: Udp,
    /// What is observed of routers that do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observability: Option<EntryPointObservability>,
}

impl EntryPoint {
    /// An entry point at this address, with Traefik's defaults.
    pub fn new(address: Address) -> Self {
        Self {
            address,
            allow_acme_bypass: false,
            reuse_port: false,
            as_default: false,
            transport: EntryPointTransport::default(),
            proxy_protocol: None,
            forwarded_headers: ForwardedHeaders::default(),
            http: EntryPointHttp::default(),
            http2: Http2::default(),
            http3: None,
            udp: Udp::default(),
            observability: None,
        }
    }

    /// Whether it is for UDP, which is not served yet.
    pub fn is_udp(&self) -> bool {
        self.address.protocol == Protocol::Udp
    }
}

/// Limits of an entry point's connections.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct EntryPointTransport {
    /// What happens when the process is asked to stop.
    pub life_cycle: LifeCycle,
    /// Limits of requests in time.
    pub responding_timeouts: RespondingTimeouts,
    /// A connection takes requests for so long.
    #[serde(with = "limit", skip_serializing_if = "is_zero")]
    pub keep_alive_max_time: Option<Duration>,
    /// A connection takes so many requests; 0 means any.
    #[serde(skip_serializing_if = "is_zero")]
    pub keep_alive_max_requests: u32,
}

/// What happens when the process is asked to stop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct LifeCycle {
    /// Go on accepting for so long.
    #[serde(with = "limit", skip_serializing_if = "is_zero")]
    pub request_accept_grace_timeout: Option<Duration>,
    /// Then wait for open requests for so long.
    #[serde(
        rename = "graceTimeOut",
        with = "limit",
        skip_serializing_if = "is_zero"
    )]
    pub grace_timeout: Option<Duration>,
}

impl Default for LifeCycle {
    fn default() -> Self {
        Self {
            request_accept_grace_timeout: None,
            grace_timeout: Some(Duration::from_secs(10)),
        }
    }
}

/// Limits of requests in time; none means no limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RespondingTimeouts {
    /// To read a whole request.
    #[serde(with = "limit", skip_serializing_if = "is_zero")]
    pub read_timeout: Option<Duration>,
    /// To write the response.
    #[serde(with = "limit", skip_serializing_if = "is_zero")]
    pub write_timeout: Option<Duration>,
    /// Between requests.
    #[serde(with = "limit", skip_serializing_if = "is_zero")]
    pub idle_timeout: Option<Duration>,
}

impl Default for RespondingTimeouts {
    fn default() -> Self {
        Self {
            read_timeout: Some(Duration::from_secs(60)),
            write_timeout: None,
            idle_timeout: Some(Duration::from_secs(180)),
        }
    }
}

/// Which peers speak the PROXY protocol.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ProxyProtocol {
    /// All.
    #[serde(skip_serializing_if = "is_zero")]
    pub insecure: bool,
    /// These.
    #[serde(rename = "trustedIPs", skip_serializing_if = "is_zero")]
    pub trusted_ips: Vec<TrustedIp>,
}

/// Which peers may say who the client is, by `X-Forwarded-*`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ForwardedHeaders {
    /// All.
    #[serde(skip_serializing_if = "is_zero")]
    pub insecure: bool,
    /// These.
    #[serde(rename = "trustedIPs", skip_serializing_if = "is_zero")]
    pub trusted_ips: Vec<TrustedIp>,
    /// Headers that stay although the client's Connection header names them.
    #[serde(skip_serializing_if = "is_zero")]
    pub connection: Vec<String>,
    /// Do not add the peer to `X-Forwarded-For`.
    #[serde(rename = "notAppendXForwardedFor", skip_serializing_if = "is_zero")]
    pub not_append_x_forwarded_for: bool,
}

/// What holds for all HTTP routers of an entry point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct EntryPointHttp {
    /// Send everything elsewhere.
    #[serde(skip_serializing_if = "is_zero")]
    pub redirections: Redirections,
    /// Middlewares in front of every router's own.
    #[serde(skip_serializing_if = "is_zero")]
    pub middlewares: Vec<String>,
    /// TLS for routers that do not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<RouterTls>,
    /// Which encoded characters a path may hold; unset means all. Unlike in the middleware, each is
    /// allowed unless it is switched off.
    #[serde(
        deserialize_with = "allowed_unless_switched_off",
        skip_serializing_if = "Option::is_none"
    )]
    pub encoded_characters: Option<EncodedCharacters>,
    /// Encode semicolons in queries.
    #[serde(skip_serializing_if = "is_zero")]
    pub encode_query_semicolons: bool,
    /// Take `.`, `..` and doubled slashes out of paths.
    pub sanitize_path: bool,
    /// Largest request head; 0 means 1 MiB.
    #[serde(skip_serializing_if = "is_zero")]
    pub max_header_bytes: usize,
    /// What becomes of headers whose name reads like another one behind CGI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias_headers_strategy: Option<HeaderStrategy>,
    /// What becomes of headers with an underscore in their name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub underscore_headers_strategy: Option<HeaderStrategy>,
}

impl Default for EntryPointHttp {
    fn default() -> Self {
        Self {
            redirections: Redirections::default(),
            middlewares: Vec::new(),
            tls: None,
            encoded_characters: None,
            encode_query_semicolons: false,
            sanitize_path: true,
            max_header_bytes: 1 << 20,
            alias_headers_strategy: None,
            underscore_headers_strategy: None,
        }
    }
}

/// [`EncodedCharacters`] with another default.
#[derive(Deserialize)]
#[serde(
    remote = "EncodedCharacters",
    default = "all_allowed",
    rename_all = "camelCase"
)]
struct AllowedUnlessSwitchedOff {
    allow_encoded_slash: bool,
    allow_encoded_back_slash: bool,
    allow_encoded_null_character: bool,
    allow_encoded_semicolon: bool,
    allow_encoded_percent: bool,
    allow_encoded_question_mark: bool,
    allow_encoded_hash: bool,
}

fn all_allowed() -> EncodedCharacters {
    EncodedCharacters {
        allow_encoded_slash: true,
        allow_encoded_back_slash: true,
        allow_encoded_null_character: true,
        allow_encoded_semicolon: true,
        allow_encoded_percent: true,
        allow_encoded_question_mark: true,
        allow_encoded_hash: true,
    }
}

fn allowed_unless_switched_off<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<EncodedCharacters>, D::Error> {
    #[derive(Deserialize)]
    struct Present(#[serde(with = "AllowedUnlessSwitchedOff")] EncodedCharacters);
    let present = Option::<Present>::deserialize(deserializer)?;
    Ok(present.map(|Present(characters)| characters))
}

/// What becomes of a doubtful header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HeaderStrategy {
    /// It is forwarded.
    Keep,
    /// It is left out.
    Delete,
    /// The request is refused.
    Reject,
}

/// Where an entry point sends everything.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Redirections {
    /// To another entry point.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry_point: Option<RedirectToEntryPoint>,
}

/// A redirection to another entry point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RedirectToEntryPoint {
    /// Its name, or `:port`.
    #[serde(skip_serializing_if = "is_zero")]
    pub to: String,
    /// The scheme to redirect to.
    #[serde(skip_serializing_if = "is_zero")]
    pub scheme: String,
    /// Say that it is for ever.
    #[serde(skip_serializing_if = "is_zero")]
    pub permanent: bool,
    /// Priority of the router that does it.
    #[serde(skip_serializing_if = "is_zero")]
    pub priority: i64,
}

impl Default for RedirectToEntryPoint {
    fn default() -> Self {
        Self {
            to: String::new(),
            scheme: "https".to_owned(),
            permanent: true,
            priority: i64::MAX - 1,
        }
    }
}

/// Limits of HTTP/2.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Http2 {
    /// Requests at a time per connection; 0 means the default.
    #[serde(skip_serializing_if = "is_zero")]
    pub max_concurrent_streams: u32,
    /// Bytes of the table for received headers.
    #[serde(skip_serializing_if = "is_zero")]
    pub max_decoder_header_table_size: u32,
    /// Bytes of the table for sent headers.
    #[serde(skip_serializing_if = "is_zero")]
    pub max_encoder_header_table_size: u32,
}

impl Default for Http2 {
    fn default() -> Self {
        Self {
            max_concurrent_streams: 250,
            max_decoder_header_table_size: 4096,
            max_encoder_header_table_size: 4096,
        }
    }
}

/// HTTP/3.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Http3 {
    /// The port that clients are told; 0 means the entry point's.
    #[serde(skip_serializing_if = "is_zero")]
    pub advertised_port: u16,
}

/// Limits of UDP sessions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Udp {
    /// A session without a packet ends after so long.
    #[serde(with = "limit", skip_serializing_if = "is_zero")]
    pub timeout: Option<Duration>,
}

impl Default for Udp {
    fn default() -> Self {
        Self {
            timeout: Some(Duration::from_secs(3)),
        }
    }
}

/// What is observed of routers that do not say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct EntryPointObservability {
    /// Write access logs.
    pub access_logs: bool,
    /// Count.
    pub metrics: bool,
    /// Trace.
    pub tracing: bool,
    /// `minimal` or `detailed`.
    #[serde(skip_serializing_if = "is_zero")]
    pub trace_verbosity: String,
}

impl Default for EntryPointObservability {
    fn default() -> Self {
        Self {
            access_logs: true,
            metrics: true,
            tracing: true,
            trace_verbosity: "minimal".to_owned(),
        }
    }
}

/// The entry points as their names say: in the order of the names.
pub(super) type EntryPoints = BTreeMap<String, EntryPoint>;
