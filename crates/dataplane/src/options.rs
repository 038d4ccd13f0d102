use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU64;
use std::time::Duration;

use http::{HeaderName, StatusCode};
use ipnet::IpNet;
use traefikrs_gourl::query::Semicolons;

/// How many threads serve, and where they listen.
#[derive(Debug, Clone)]
pub struct Options {
    /// Worker threads; 0 counts as 1.
    pub workers: usize,
    /// Where requests come in.
    pub entry_points: Vec<EntryPointOptions>,
    /// How `ping@internal` answers.
    pub ping: PingOptions,
    /// What `X-Forwarded-Server` says; `None` means the name of this machine.
    pub server_name: Option<String>,
}

/// How `ping@internal` answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PingOptions {
    /// The status once shutdown has begun.
    pub terminating_status: StatusCode,
}

impl Default for PingOptions {
    fn default() -> Self {
        Self {
            terminating_status: StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// One listening address and what it makes of the requests that come in there.
#[derive(Debug, Clone)]
pub struct EntryPointOptions {
    /// Its name, under which its routes are published.
    pub name: String,
    /// Where it listens; port 0 takes any free port.
    pub address: SocketAddr,
    /// Whether other processes may listen there too.
    pub reuse_port: bool,
    /// How long a client may take.
    pub timeouts: Timeouts,
    /// How long shutdown may take.
    pub life_cycle: LifeCycle,
    /// How long a connection is kept.
    pub keep_alive: KeepAlive,
    /// Whom to believe about the client, and what to tell the server about it.
    pub forwarded_headers: ForwardedHeaders,
    /// Whom to believe about the client's address; `None` means that nobody speaks the PROXY protocol.
    pub proxy_protocol: Option<Trust>,
    /// What a request may be.
    pub http: HttpOptions,
}

impl EntryPointOptions {
    /// Traefik's defaults for everything else.
    pub fn new(name: impl Into<String>, address: SocketAddr) -> Self {
        Self {
            name: name.into(),
            address,
            reuse_port: false,
            timeouts: Timeouts::default(),
            life_cycle: LifeCycle::default(),
            keep_alive: KeepAlive::default(),
            forwarded_headers: ForwardedHeaders::default(),
            proxy_protocol: None,
            http: HttpOptions::default(),
        }
    }
}

/// How long a client may take; `None` means no limit.
///
/// They are kept to a quarter of a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// To send a whole request, body included.
    pub read: Option<Duration>,
    /// To take a whole answer, counted from the end of the request's head; HTTP/1 only, where one answer is the
    /// connection's only business.
    pub write: Option<Duration>,
    /// Between two requests.
    pub idle: Option<Duration>,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            read: Some(Duration::from_secs(60)),
            write: None,
            idle: Some(Duration::from_secs(180)),
        }
    }
}

/// How long shutdown may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LifeCycle {
    /// How long requests are still accepted after shutdown has begun.
    pub request_accept_grace: Duration,
    /// How long requests under way may take after that.
    pub grace: Duration,
}

impl Default for LifeCycle {
    fn default() -> Self {
        Self {
            request_accept_grace: Duration::ZERO,
            grace: Duration::from_secs(10),
        }
    }
}

/// How long a connection is kept; `None` means no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeepAlive {
    /// The request with this number, counted from 1, is the last.
    pub max_requests: Option<NonZeroU64>,
    /// The first request after this time is the last.
    pub max_time: Option<Duration>,
}

/// Whom to believe about the client, and what to tell the server about it.
#[derive(Debug, Clone)]
pub struct ForwardedHeaders {
    /// Whose `X-Forwarded-*` headers are kept.
    pub trust: Trust,
    /// Headers that a client's `Connection` header does not take away from matchers and middlewares.
    pub connection: Vec<HeaderName>,
    /// Whether the client's address goes to the end of `X-Forwarded-For`.
    pub append_for: bool,
}

impl Default for ForwardedHeaders {
    fn default() -> Self {
        Self {
            trust: Trust::default(),
            connection: Vec::new(),
            append_for: true,
        }
    }
}

/// Who is believed?
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// Everyone.
    Everyone,
    /// Peers in these networks.
    Networks(Vec<IpNet>),
}

impl Trust {
    /// Tells whether this peer is believed.
    pub fn includes(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        match self {
            Self::Everyone => true,
            Self::Networks(networks) => networks.iter().any(|network| network.contains(&peer)),
        }
    }
}

impl Default for Trust {
    fn default() -> Self {
        Self::Networks(Vec::new())
    }
}

/// What a request may be, and what is made of it before it is routed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpOptions {
    /// How large a head may be (431 above that); 4 KiB more are let through, as in Go.
    pub max_header_bytes: usize,
    /// Whether `.`, `..` and `//` in paths are resolved.
    pub sanitize_path: bool,
    /// What a `;` in a query means.
    pub semicolons: Semicolons,
    /// How many requests an HTTP/2 connection may have under way.
    pub max_concurrent_streams: u32,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            max_header_bytes: 1 << 20,
            sanitize_path: true,
            semicolons: Semicolons::Separate,
            max_concurrent_streams: 250,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapped_peer_is_in_the_ipv4_network() {
        let trust = Trust::Networks(vec!["10.0.0.0/8".parse().unwrap()]);
        assert!(trust.includes("::ffff:10.1.2.3".parse().unwrap()));
        assert!(!trust.includes("::1".parse().unwrap()));
        assert!(!Trust::default().includes("10.1.2.3".parse().unwrap()));
        assert!(Trust::Everyone.includes("10.1.2.3".parse().unwrap()));
    }
}
