//! Routers, services and servers transports.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::is_zero;
use super::middleware::Middleware;
use super::tls::Certificate;
use crate::duration::GoDuration;
use crate::elements::Elements;
use crate::redact::FileOrContent;

/// The HTTP half of a dynamic configuration: routers, services, middlewares and servers transports by name.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Http {
    /// Routers by name.
    #[serde(skip_serializing_if = "Elements::is_empty")]
    pub routers: Elements<Router>,
    /// Services by name.
    #[serde(skip_serializing_if = "Elements::is_empty")]
    pub services: Elements<Service>,
    /// Middlewares by name.
    #[serde(skip_serializing_if = "Elements::is_empty")]
    pub middlewares: Elements<Middleware>,
    /// Servers transports by name.
    #[serde(skip_serializing_if = "Elements::is_empty")]
    pub servers_transports: Elements<ServersTransport>,
}

impl Http {
    pub(super) fn shared_with(&self, before: &Self) -> Self {
        Self {
            routers: self.routers.shared_with(&before.routers),
            services: self.services.shared_with(&before.services),
            middlewares: self.middlewares.shared_with(&before.middlewares),
            servers_transports: self
                .servers_transports
                .shared_with(&before.servers_transports),
        }
    }
}

/// Which requests go where: a rule, the middlewares to apply, and the service that answers.
///
/// There may be very many, each of them several times, as read and as merged: texts and lists are shared by copies.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Router {
    /// Entry points to listen on; empty means the default ones (roots only).
    #[serde(skip_serializing_if = "is_zero")]
    pub entry_points: Arc<[String]>,
    /// Middlewares to apply, in order of execution on the request.
    #[serde(skip_serializing_if = "is_zero")]
    pub middlewares: Arc<[String]>,
    /// The service that answers; empty only for a parent of other routers.
    #[serde(skip_serializing_if = "is_zero")]
    pub service: Arc<str>,
    /// The rule text exactly as written: its byte length is the default priority.
    #[serde(skip_serializing_if = "is_zero")]
    pub rule: Arc<str>,
    /// Parent routers; a router with parents is matched after their middlewares.
    #[serde(skip_serializing_if = "is_zero")]
    pub parent_refs: Arc<[String]>,
    /// `v2` or `v3`; anything else means v3.
    #[serde(skip_serializing_if = "is_zero")]
    pub rule_syntax: Arc<str>,
    /// Higher is tried first; 0 means the byte length of the rule.
    #[serde(skip_serializing_if = "is_zero")]
    pub priority: i64,
    /// Present (even empty) when the router answers TLS requests only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Arc<RouterTls>>,
    /// What is logged, counted and traced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observability: Option<Arc<RouterObservability>>,
}

// Tens of thousands of each are common.
const _: () = assert!(size_of::<Router>() <= 128 && size_of::<Service>() <= 320);

/// The TLS side of a router.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RouterTls {
    /// Name of the TLS options; empty means `default`.
    #[serde(skip_serializing_if = "is_zero")]
    pub options: String,
    /// Name of the certificate resolver.
    #[serde(skip_serializing_if = "is_zero")]
    pub cert_resolver: String,
    /// Names to ask the resolver for, instead of those of the rule.
    #[serde(skip_serializing_if = "is_zero")]
    pub domains: Vec<Domain>,
}

/// A certificate's names.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Domain {
    /// The main name.
    #[serde(skip_serializing_if = "is_zero")]
    pub main: String,
    /// Further names.
    #[serde(skip_serializing_if = "is_zero")]
    pub sans: Vec<String>,
}

/// What is observed of a router's requests; unset inherits the entry point.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RouterObservability {
    /// Write access logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_logs: Option<bool>,
    /// Count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<bool>,
    /// Trace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracing: Option<bool>,
    /// `minimal` or `detailed`.
    #[serde(skip_serializing_if = "is_zero")]
    pub trace_verbosity: String,
    /// Where the router comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Arc<Metadata>>,
}

/// The object that an element was made from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Metadata {
    /// The routing object behind a router.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ingress: Option<IngressMetadata>,
    /// The Kubernetes Service behind a service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<KubernetesMetadata>,
}

/// A routing object in a cluster.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct IngressMetadata {
    /// Its kind.
    #[serde(skip_serializing_if = "is_zero")]
    pub kind: String,
    /// Its name.
    #[serde(skip_serializing_if = "is_zero")]
    pub name: String,
    /// Its namespace.
    #[serde(skip_serializing_if = "is_zero")]
    pub namespace: String,
}

/// A Service in a cluster.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct KubernetesMetadata {
    /// Its name.
    #[serde(skip_serializing_if = "is_zero")]
    pub name: String,
    /// Its namespace.
    #[serde(skip_serializing_if = "is_zero")]
    pub namespace: String,
    /// The port as the reference wrote it.
    #[serde(skip_serializing_if = "is_zero")]
    pub port: String,
}

/// Who answers: exactly one of the five kinds.
///
/// There may be very many: what most of them lack is boxed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Service {
    /// Servers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_balancer: Option<LoadBalancer>,
    /// Services chosen by client address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub highest_random_weight: Option<HighestRandomWeight>,
    /// Services chosen by weight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weighted: Option<Box<Weighted>>,
    /// A main service and copies to others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mirroring: Option<Box<Mirroring>>,
    /// A main service and its stand-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failover: Option<Box<Failover>>,
    /// Middlewares that run inside the service, shared by all its routers.
    #[serde(skip_serializing_if = "is_zero")]
    pub middlewares: Vec<String>,
    /// Where the service comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observability: Option<ServiceObservability>,
}

/// Where a service comes from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ServiceObservability {
    /// The object that it was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Arc<Metadata>>,
}

/// A set of servers and how one of them is chosen and reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct LoadBalancer {
    /// Keep a client on its server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sticky: Option<Box<Sticky>>,
    /// The servers.
    #[serde(skip_serializing_if = "is_zero")]
    pub servers: Vec<Server>,
    /// `wrr`, `p2c`, `hrw` or `leasttime`.
    #[serde(skip_serializing_if = "is_zero")]
    pub strategy: String,
    /// Ask the servers whether they are well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check: Option<Box<HealthCheck>>,
    /// Judge the servers by their answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passive_health_check: Option<PassiveHealthCheck>,
    /// The time that a server gets to its full share of requests when it joins others or is up again. Traefik has
    /// nothing like it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slow_start: Option<GoDuration>,
    /// Send the client's Host (default) or the server's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pass_host_header: Option<bool>,
    /// How answers are streamed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_forwarding: Option<ResponseForwarding>,
    /// Name of the servers transport; empty means `default@internal`.
    #[serde(skip_serializing_if = "is_zero")]
    pub servers_transport: String,
}

impl Default for LoadBalancer {
    fn default() -> Self {
        Self {
            sticky: Default::default(),
            servers: Default::default(),
            strategy: "wrr".into(),
            health_check: Default::default(),
            passive_health_check: Default::default(),
            slow_start: Default::default(),
            pass_host_header: Some(true),
            response_forwarding: Some(ResponseForwarding::default()),
            servers_transport: Default::default(),
        }
    }
}

/// One server of a load balancer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Server {
    /// `scheme://host:port`; scheme is http, https or h2c.
    #[serde(skip_serializing_if = "is_zero")]
    pub url: String,
    /// Share of the requests, default 1; 0 or less means none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<i64>,
    /// Put the URL's own path in front of the request's.
    #[serde(skip_serializing_if = "is_zero")]
    pub preserve_path: bool,
    /// Serve only requests that a cookie pins to it.
    #[serde(skip_serializing_if = "is_zero")]
    pub fenced: bool,
}

/// How answers are streamed to the client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ResponseForwarding {
    /// Longest time that received bytes wait before they are sent; negative means none.
    #[serde(skip_serializing_if = "is_zero")]
    pub flush_interval: GoDuration,
}

impl Default for ResponseForwarding {
    fn default() -> Self {
        Self {
            flush_interval: GoDuration::from_millis(100),
        }
    }
}

/// Keeps a client on the server it was first given.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Sticky {
    /// By a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cookie: Option<Cookie>,
}

/// The cookie of a sticky service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Cookie {
    /// Its name; empty means one derived from the service's name.
    #[serde(skip_serializing_if = "is_zero")]
    pub name: String,
    /// Send it over TLS only.
    #[serde(skip_serializing_if = "is_zero")]
    pub secure: bool,
    /// Hide it from scripts.
    #[serde(skip_serializing_if = "is_zero")]
    pub http_only: bool,
    /// `none`, `lax` or `strict`.
    #[serde(skip_serializing_if = "is_zero")]
    pub same_site: String,
    /// Seconds; negative deletes it, 0 means a session cookie.
    #[serde(skip_serializing_if = "is_zero")]
    pub max_age: i64,
    /// Its path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Its domain.
    #[serde(skip_serializing_if = "is_zero")]
    pub domain: String,
}

impl Default for Cookie {
    fn default() -> Self {
        Self {
            name: Default::default(),
            secure: Default::default(),
            http_only: Default::default(),
            same_site: Default::default(),
            max_age: Default::default(),
            path: Some("/".into()),
            domain: Default::default(),
        }
    }
}

/// How servers are asked whether they are well.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct HealthCheck {
    /// Instead of the server's.
    #[serde(skip_serializing_if = "is_zero")]
    pub scheme: String,
    /// `http` or `grpc`.
    #[serde(skip_serializing_if = "is_zero")]
    pub mode: String,
    /// What to ask for, relative to the server's URL.
    #[serde(skip_serializing_if = "is_zero")]
    pub path: String,
    /// Default GET.
    #[serde(skip_serializing_if = "is_zero")]
    pub method: String,
    /// The expected status; 0 means 200 to 399.
    #[serde(skip_serializing_if = "is_zero")]
    pub status: i64,
    /// Instead of the server's; 0 means the server's.
    #[serde(skip_serializing_if = "is_zero")]
    pub port: i64,
    /// Between checks of a healthy server.
    #[serde(skip_serializing_if = "is_zero")]
    pub interval: GoDuration,
    /// Between checks of an unhealthy server; unset means `interval`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unhealthy_interval: Option<GoDuration>,
    /// Longest wait for the answer.
    #[serde(skip_serializing_if = "is_zero")]
    pub timeout: GoDuration,
    /// Instead of the server's in Host.
    #[serde(skip_serializing_if = "is_zero")]
    pub hostname: String,
    /// Follow redirects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follow_redirects: Option<bool>,
    /// Headers to send.
    #[serde(skip_serializing_if = "is_zero")]
    pub headers: BTreeMap<String, String>,
}

impl Default for HealthCheck {
    fn default() -> Self {
        Self {
            scheme: Default::default(),
            mode: "http".into(),
            path: Default::default(),
            method: Default::default(),
            status: Default::default(),
            port: Default::default(),
            interval: GoDuration::from_secs(30),
            unhealthy_interval: Default::default(),
            timeout: GoDuration::from_secs(5),
            hostname: Default::default(),
            follow_redirects: Some(true),
            headers: Default::default(),
        }
    }
}

/// How servers are judged by their answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PassiveHealthCheck {
    /// Failures count within this time.
    #[serde(skip_serializing_if = "is_zero")]
    pub failure_window: GoDuration,
    /// So many take the server out.
    #[serde(skip_serializing_if = "is_zero")]
    pub max_failed_attempts: i64,
    /// So many of the servers, in percent, may be out at once; unset means all, as in Traefik, which has nothing like
    /// it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_ejected_percent: Option<i64>,
}

impl Default for PassiveHealthCheck {
    fn default() -> Self {
        Self {
            failure_window: GoDuration::from_secs(10),
            max_failed_attempts: 1,
            max_ejected_percent: None,
        }
    }
}

/// Services chosen in turn by weight.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Weighted {
    /// The services.
    #[serde(skip_serializing_if = "is_zero")]
    pub services: Vec<WeightedService>,
    /// Keep a client on its service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sticky: Option<Sticky>,
    /// Tell parents when all services are down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthPropagation>,
}

/// One service of a weighted or highest-random-weight service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct WeightedService {
    /// Its name.
    #[serde(skip_serializing_if = "is_zero")]
    pub name: String,
    /// Its share; 0 means none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<i64>,
}

impl Default for WeightedService {
    fn default() -> Self {
        Self {
            name: Default::default(),
            weight: Some(1),
        }
    }
}

/// Says that a service tells its parents when it is down.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct HealthPropagation {}

/// Services chosen by rendezvous hashing of the client's address.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct HighestRandomWeight {
    /// The services.
    #[serde(skip_serializing_if = "is_zero")]
    pub services: Vec<WeightedService>,
    /// Tell parents when all services are down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthPropagation>,
}

/// A service that answers and others that get copies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Mirroring {
    /// The service that answers.
    #[serde(skip_serializing_if = "is_zero")]
    pub service: String,
    /// Copy bodies too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mirror_body: Option<bool>,
    /// Largest body to copy, in bytes; -1 means any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_body_size: Option<i64>,
    /// Who gets copies.
    #[serde(skip_serializing_if = "is_zero")]
    pub mirrors: Vec<MirrorService>,
    /// Tell parents when the service is down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthPropagation>,
}

impl Default for Mirroring {
    fn default() -> Self {
        Self {
            service: Default::default(),
            mirror_body: Some(true),
            max_body_size: Some(-1),
            mirrors: Default::default(),
            health_check: Default::default(),
        }
    }
}

/// Who gets copies, and of how many requests.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct MirrorService {
    /// The service.
    #[serde(skip_serializing_if = "is_zero")]
    pub name: String,
    /// Of all requests, 0 to 100.
    #[serde(skip_serializing_if = "is_zero")]
    pub percent: i64,
}

/// A service and the one that stands in for it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Failover {
    /// The main service.
    #[serde(skip_serializing_if = "is_zero")]
    pub service: String,
    /// The stand-in.
    #[serde(skip_serializing_if = "is_zero")]
    pub fallback: String,
    /// Tell parents when both are down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthPropagation>,
    /// Which answers of the main service call for the stand-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<FailoverErrors>,
}

/// Which answers call for the stand-in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct FailoverErrors {
    /// Largest request body that can be replayed; -1 means any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_request_body_bytes: Option<i64>,
    /// Status codes and ranges, such as `500-599`.
    #[serde(skip_serializing_if = "is_zero")]
    pub status: Vec<String>,
}

impl Default for FailoverErrors {
    fn default() -> Self {
        Self {
            max_request_body_bytes: Some(-1),
            status: Default::default(),
        }
    }
}

/// How connections to servers are made.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ServersTransport {
    /// Name in SNI and for verification, instead of the server's.
    #[serde(skip_serializing_if = "is_zero")]
    pub server_name: String,
    /// Do not verify the server's certificate.
    #[serde(skip_serializing_if = "is_zero")]
    pub insecure_skip_verify: bool,
    /// Authorities to trust instead of the system's.
    #[serde(rename = "rootCAs", skip_serializing_if = "is_zero")]
    pub root_cas: Vec<FileOrContent>,
    /// Client certificates.
    #[serde(skip_serializing_if = "is_zero")]
    pub certificates: Vec<Certificate>,
    /// Idle connections kept per server; 0 means 2, negative none.
    #[serde(skip_serializing_if = "is_zero")]
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

/// Limits in time of a request to a server; 0 means none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ForwardingTimeouts {
    /// To connect.
    #[serde(skip_serializing_if = "is_zero")]
    pub dial_timeout: GoDuration,
    /// From the end of the request to the head of the answer.
    #[serde(skip_serializing_if = "is_zero")]
    pub response_header_timeout: GoDuration,
    /// An idle connection is kept.
    #[serde(skip_serializing_if = "is_zero")]
    pub idle_conn_timeout: GoDuration,
    /// Silence before an HTTP/2 ping.
    #[serde(skip_serializing_if = "is_zero")]
    pub read_idle_timeout: GoDuration,
    /// Wait for the answer to a ping.
    #[serde(skip_serializing_if = "is_zero")]
    pub ping_timeout: GoDuration,
}

impl Default for ForwardingTimeouts {
    fn default() -> Self {
        Self {
            dial_timeout: GoDuration::from_secs(30),
            response_header_timeout: Default::default(),
            idle_conn_timeout: GoDuration::from_secs(90),
            read_idle_timeout: Default::default(),
            ping_timeout: GoDuration::from_secs(15),
        }
    }
}

/// SPIFFE identities that a server may have.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Spiffe {
    /// These.
    #[serde(skip_serializing_if = "is_zero")]
    pub ids: Vec<String>,
    /// All of this domain.
    #[serde(skip_serializing_if = "is_zero")]
    pub trust_domain: String,
}
