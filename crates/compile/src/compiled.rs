//! What serves requests: every name resolved, every text parsed.

use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderValue, Method, StatusCode};
use traefikrs_config::QualifiedName;
use traefikrs_lb::failover::{self, Choice};
use traefikrs_lb::mirror::Mirrors;
use traefikrs_lb::{Balancer, Client, ServerState};
use traefikrs_middleware::Stack;
use traefikrs_router::RouteTable;
use traefikrs_tls::{ClientTls, ServerName};

use crate::error::BuildError;

pub use crate::status::StatusRanges;

/// Which routes answer on which entry point? The whole of a configuration, ready to serve.
///
/// It is immutable apart from what its balancers remember, and derived: whatever it was made from
/// can make it again.
#[derive(Debug, Default)]
pub struct Compiled {
    /// The routes of each entry point, by its name.
    pub entry_points: BTreeMap<String, EntryPointRoutes>,
    /// The pools of all servers: connections of others are of no more use.
    pub pools: Arc<HashSet<PoolId>>,
    /// The checks of servers. One that did not change is the same as before.
    pub health_checks: Arc<[Arc<HealthCheck>]>,
}

/// The routes of one entry point.
#[derive(Debug, Clone, Default)]
pub struct EntryPointRoutes {
    /// Encoded characters that paths must not hold, checked once a route has matched.
    pub denied: DeniedCharacters,
    /// Routes for requests without TLS.
    pub http: RouteTable<Arc<Route>>,
}

/// What happens to the requests of one router.
#[derive(Debug)]
pub struct Route {
    /// The router's name.
    pub name: QualifiedName,
    /// Its middlewares.
    pub stack: Stack,
    /// Who answers.
    pub target: Target,
}

/// Who answers the requests of a route?
#[derive(Debug, Clone)]
pub enum Target {
    /// A service.
    Service(Arc<Service>),
    /// The first of these that matches; there is no way back to other routes.
    Children(Box<RouteTable<Arc<Route>>>),
    /// Nobody: the route needs something that is not served, or cannot be as it was asked for, and answers 503 so that
    /// its requests never fall through to a route with fewer guards.
    NotServed,
}

/// Encoded characters that an entry point refuses in paths (400), once a route has matched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeniedCharacters(u8);

/// A service: what it is called and how it answers.
#[derive(Debug)]
pub struct Service {
    /// Its name.
    pub name: QualifiedName,
    /// Its own middlewares, which run after those of the router.
    pub stack: Stack,
    /// How it answers.
    pub kind: ServiceKind,
    /// How many ways lead through it to servers: what one request may cost at worst.
    pub(crate) ways: usize,
}

/// How does a service answer?
#[derive(Debug)]
pub enum ServiceKind {
    /// By one of its servers.
    LoadBalancer(LoadBalancer),
    /// By one of its services.
    Weighted(Weighted),
    /// By its main service; others get copies of the requests.
    Mirroring(Mirroring),
    /// By its main service, or by the one that stands in for it.
    Failover(Failover),
    /// By the proxy itself.
    Internal(InternalService),
}

/// A service that the proxy answers itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InternalService {
    /// `ping@internal`: 200 `OK`, or the terminating status while it shuts down.
    Ping,
    /// `noop@internal`: 418.
    Noop,
    /// `api@internal`: the API.
    Api,
}

/// Servers, and whose turn it is.
#[derive(Debug)]
pub struct LoadBalancer {
    /// The servers; the balancer speaks of them by index.
    pub servers: Box<[Server]>,
    /// Whose turn it is.
    pub balancer: Balancer,
    /// Whether the client's Host goes to the server (else the server's own).
    pub pass_host_header: bool,
    /// How connections to the servers are made.
    pub transport: Arc<Transport>,
    /// How the servers are asked whether they are well.
    pub health_check: Option<Arc<HealthCheck>>,
}

/// Services, and whose turn it is.
#[derive(Debug)]
pub struct Weighted {
    /// The services; the balancer speaks of them by index.
    pub children: Box<[Arc<Service>]>,
    /// Whose turn it is.
    pub balancer: Balancer,
    /// Whether services that are down lose their turn.
    pub follows_health: bool,
}

/// A service that answers, and others that get copies of its requests.
#[derive(Debug)]
pub struct Mirroring {
    /// The service that answers.
    pub main: Arc<Service>,
    /// Who gets copies, which the choice speaks of by index.
    pub mirrors: Box<[Arc<Service>]>,
    /// Which requests are copied, and for whom.
    pub choice: Mirrors,
    /// The largest body of a request that is copied; `None` means that requests are copied without their bodies.
    pub body: Option<BodyLimit>,
}

/// A service, and the one that stands in for it.
#[derive(Debug)]
pub struct Failover {
    /// The service that answers as a rule.
    pub main: Arc<Service>,
    /// The one that stands in for it.
    pub fallback: Arc<Service>,
    /// Which answers of the main service are not wanted; `None` means that its health alone counts.
    pub on_status: Option<OnStatus>,
    /// Whether the fallback must be up to be asked.
    pub follows_health: bool,
}

/// Which answers call for another service?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnStatus {
    /// Those with one of these statuses.
    pub statuses: StatusRanges,
    /// The largest body of a request that may have to be sent twice; larger ones are refused.
    pub body: BodyLimit,
}

/// The largest body that is meant, in bytes; `None` means any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyLimit(pub Option<u64>);

/// One server, ready to connect to.
#[derive(Debug, Clone)]
pub struct Server {
    /// The URL as configured.
    pub url: Arc<str>,
    /// How it is spoken to.
    pub scheme: Scheme,
    /// Where it is.
    pub host: ServerHost,
    /// Its port.
    pub port: u16,
    /// `host:port` as the URL has it: what `Host` is when the client's is not passed.
    pub host_header: HeaderValue,
    /// The URL's path, to go in front of the request's, without a slash at its end; mostly empty.
    pub base_path: Arc<str>,
    /// Connections to it may be shared with whoever has the same pool.
    pub pool: PoolId,
}

/// How a server is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheme {
    /// HTTP/1.1 in clear.
    Http,
    /// HTTP/2 in clear, by prior knowledge.
    H2c,
    /// HTTP/2 or HTTP/1.1 with TLS.
    Https(Https),
}

/// How TLS is spoken with a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Https {
    /// What its transport says.
    pub tls: ClientTls,
    /// Who it must be.
    pub server_name: ServerName<'static>,
}

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ServerHost {
    /// At an address.
    Ip(IpAddr),
    /// At a name, to be resolved when connecting.
    Name(Box<str>),
    /// Nowhere: its URL has no host, or a scheme that nobody speaks.
    Nowhere,
}

/// Which connections may be shared? Two servers with the same transport, scheme and authority have
/// the same pool, also across reloads; a number is never used again for something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PoolId(pub(crate) u64);

impl From<u64> for PoolId {
    fn from(id: u64) -> Self {
        Self(id)
    }
}

impl From<PoolId> for u64 {
    fn from(id: PoolId) -> Self {
        id.0
    }
}

/// How connections to servers are made, and how long things may take.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Transport {
    /// The transport's name.
    pub name: QualifiedName,
    /// Idle connections kept per server (over all worker threads).
    pub max_idle_conns_per_host: usize,
    /// Longest time to connect; `None` means no limit.
    pub dial_timeout: Option<Duration>,
    /// From the end of the request to the head of the answer; `None` means no limit.
    pub response_header_timeout: Option<Duration>,
    /// How long an idle connection is kept; `None` means for ever.
    pub idle_conn_timeout: Option<Duration>,
    /// Silence before an HTTP/2 ping; `None` means no pings.
    pub read_idle_timeout: Option<Duration>,
    /// Wait for the answer to an HTTP/2 ping.
    pub ping_timeout: Option<Duration>,
    /// Whether HTTP/2 is never spoken.
    pub disable_http2: bool,
    /// How TLS is spoken, or why it cannot be.
    pub(crate) tls: Result<TransportTls, BuildError>,
}

/// What a transport says of TLS.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct TransportTls {
    pub(crate) client: ClientTls,
    /// Who servers must be, if not who their URLs say.
    pub(crate) server_name: Option<ServerName<'static>>,
}

impl Service {
    /// Whether a request of this client would find a server, as far as is known.
    pub fn is_up_for(&self, client: &Client<'_>, now: Instant) -> bool {
        match &self.kind {
            ServiceKind::LoadBalancer(servers) => servers.balancer.is_up_for(client, now, |_| true),
            ServiceKind::Weighted(services) => services.is_up_for(client, now),
            ServiceKind::Mirroring(mirroring) => mirroring.main.is_up_for(client, now),
            ServiceKind::Failover(failover) => failover.choose(client, now).is_some(),
            ServiceKind::Internal(_) => true,
        }
    }
}

impl Failover {
    /// Who is asked first, as far as is known; `None` when nobody can answer.
    pub fn choose(&self, client: &Client<'_>, now: Instant) -> Option<Choice> {
        let is_main_up = self.main.is_up_for(client, now);
        failover::choose(is_main_up, || self.may_fall_back(client, now))
    }

    /// Whether the fallback may be asked.
    pub fn may_fall_back(&self, client: &Client<'_>, now: Instant) -> bool {
        !self.follows_health || self.fallback.is_up_for(client, now)
    }
}

impl Weighted {
    fn is_up_for(&self, client: &Client<'_>, now: Instant) -> bool {
        let may_be_asked = |index| self.may_be_asked(index, client, now);
        self.balancer.is_up_for(client, now, may_be_asked)
    }

    /// Whether the service at this position may have a turn.
    pub fn may_be_asked(&self, index: usize, client: &Client<'_>, now: Instant) -> bool {
        !self.follows_health
            || self
                .children
                .get(index)
                .is_some_and(|child| child.is_up_for(client, now))
    }
}

/// How the servers of a load balancer are asked whether they are well: each on its own.
#[derive(Debug)]
pub struct HealthCheck {
    /// The servers.
    pub servers: Box<[Arc<CheckedServer>]>,
}

/// A server that is asked. It holds nothing of the others, which it may outlive.
#[derive(Debug)]
pub struct CheckedServer {
    /// The service that it is of.
    pub service: QualifiedName,
    /// Its URL as configured.
    pub name: Arc<str>,
    /// Where it is noted what it answered.
    pub state: Arc<ServerState>,
    /// What it is asked, or why it cannot be: then it counts as down.
    pub asked: Result<Asked, String>,
    /// How connections are made.
    pub transport: Arc<Transport>,
    /// When it is asked.
    pub pace: Pace,
}

/// How often is a server asked whether it is well?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Between two checks of a server that is well.
    pub interval: Duration,
    /// Between two checks of one that is not.
    pub unhealthy_interval: Duration,
    /// The longest wait for an answer.
    pub timeout: Duration,
}

impl CheckedServer {
    /// Whether both are the same server of the same service, asked the same as often and in the same way.
    pub fn is_asked_as(&self, other: &Self) -> bool {
        self.name == other.name
            && self.service == other.service
            && self.transport == other.transport
            && self.pace == other.pace
            && match (&self.asked, &other.asked) {
                // Where that is follows from the URL.
                (Ok(one), Ok(other)) => one.probe == other.probe && one.url == other.url,
                (Err(one), Err(other)) => one == other,
                _ => false,
            }
    }
}

/// What a server is asked.
#[derive(Debug)]
pub struct Asked {
    /// The question.
    pub probe: Probe,
    /// Where it is asked, which need not be where requests go.
    pub server: Server,
    /// The URL of that, with path and query.
    pub url: String,
}

/// How is a server asked whether it is well?
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// By a request, whose status tells.
    Http(HttpProbe),
    /// By `grpc.health.v1.Health/Check`, about all of it.
    Grpc,
}

/// The request that asks a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpProbe {
    /// Its method.
    pub method: Method,
    /// Its Host, if that is not the server's.
    pub host: Option<HeaderValue>,
    /// Its other headers.
    pub headers: HeaderMap,
    /// The status that means that the server is well.
    pub expected: ExpectedStatus,
    /// Whether it goes on to where a redirect points.
    pub follows_redirects: bool,
}

/// Which status means that a server is well?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedStatus {
    /// 200 to 399.
    Good,
    /// This one only.
    Exactly(StatusCode),
}

impl ExpectedStatus {
    /// Whether this is one of them.
    pub fn includes(self, status: StatusCode) -> bool {
        match self {
            Self::Good => status.is_success() || status.is_redirection(),
            Self::Exactly(expected) => status == expected,
        }
    }
}

impl DeniedCharacters {
    const TABLE: [(u8, [u8; 2]); 7] = [
        (1, *b"2F"),
        (1 << 1, *b"5C"),
        (1 << 2, *b"00"),
        (1 << 3, *b"3B"),
        (1 << 4, *b"25"),
        (1 << 5, *b"3F"),
        (1 << 6, *b"23"),
    ];

    /// Whether nothing is refused.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether an escaped path holds a character that is refused.
    pub fn denies(self, escaped_path: &str) -> bool {
        if self.is_empty() {
            return false;
        }
        escaped_path.as_bytes().windows(3).any(|triplet| {
            triplet[0] == b'%'
                && Self::TABLE
                    .iter()
                    .any(|(bit, hex)| self.0 & bit != 0 && triplet[1..].eq_ignore_ascii_case(hex))
        })
    }
}

impl From<&traefikrs_config::dynamic::EncodedCharacters> for DeniedCharacters {
    fn from(allowed: &traefikrs_config::dynamic::EncodedCharacters) -> Self {
        let allowed = [
            allowed.allow_encoded_slash,
            allowed.allow_encoded_back_slash,
            allowed.allow_encoded_null_character,
            allowed.allow_encoded_semicolon,
            allowed.allow_encoded_percent,
            allowed.allow_encoded_question_mark,
            allowed.allow_encoded_hash,
        ];
        Self(
            Self::TABLE
                .iter()
                .zip(allowed)
                .filter(|(_, allowed)| !allowed)
                .fold(0, |bits, ((bit, _), _)| bits | bit),
        )
    }
}
