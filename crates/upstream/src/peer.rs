use std::{fmt, net::IpAddr, time::Duration};

use traefikrs_tls::{ClientTls, ServerName};

/// Which server is to be asked, and how?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer<'a> {
    /// Connections are shared only between requests with equal numbers (and equal address).
    ///
    /// Give each pair of a server and a transport its own number: the lookup is by number first.
    pub pool: u64,
    /// The protocol to speak.
    pub scheme: Scheme<'a>,
    /// Where the server is.
    pub host: Host<'a>,
    /// The port to connect to.
    pub port: u16,
}

/// Which protocol does a server speak?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme<'a> {
    /// HTTP/1.1 in the clear.
    Http,
    /// HTTP/2 in the clear, with prior knowledge; HTTP/1.1 for requests that ask for an upgrade.
    H2c,
    /// With TLS, what the server likes better of HTTP/2 and HTTP/1.1; HTTP/1.1 for requests that ask for an upgrade, or
    /// if HTTP/2 is disabled.
    Https(Https<'a>),
}

/// How is TLS spoken with a server?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Https<'a> {
    /// What is offered and whom to trust.
    pub tls: &'a ClientTls,
    /// Who the server must be. A name is also sent to it (SNI), an address is not.
    pub server_name: &'a ServerName<'static>,
}

/// Where is a server?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host<'a> {
    /// At this address.
    Ip(IpAddr),
    /// Wherever this name resolves to when a connection is made.
    Name(&'a str),
    /// Nowhere: its URL is of no server, and every request fails.
    Nowhere,
}

/// What may a server take, and what may be kept of it?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many idle HTTP/1 connections this thread keeps for the peer; zero keeps none.
    pub max_idle_conns: usize,
    /// How long connecting may take, name resolution included.
    pub dial_timeout: Option<Duration>,
    /// How long the head of the response may take, counted from the moment the request is fully written.
    pub response_header_timeout: Option<Duration>,
    /// How long an idle connection stays usable.
    pub idle_conn_timeout: Option<Duration>,
    /// After how much silence an HTTP/2 connection is pinged.
    pub read_idle_timeout: Option<Duration>,
    /// How long the answer to such a ping may take.
    pub ping_timeout: Duration,
}

impl Default for Limits {
    /// Traefik's defaults for its implicit transport (`pkg/config/static`, `pkg/config/dynamic/http_config.go`).
    fn default() -> Self {
        Self {
            max_idle_conns: 200,
            dial_timeout: Some(Duration::from_secs(30)),
            response_header_timeout: None,
            idle_conn_timeout: Some(Duration::from_secs(90)),
            read_idle_timeout: None,
            ping_timeout: Duration::from_secs(15),
        }
    }
}

impl fmt::Display for Peer<'_> {
    /// The peer as an authority, without the port that its scheme implies.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host {
            Host::Ip(IpAddr::V6(address)) => write!(formatter, "[{address}]")?,
            Host::Ip(IpAddr::V4(address)) => write!(formatter, "{address}")?,
            Host::Name(name) => formatter.write_str(name)?,
            Host::Nowhere => formatter.write_str("nowhere")?,
        }
        let implied = match self.scheme {
            Scheme::Http | Scheme::H2c => 80,
            Scheme::Https(_) => 443,
        };
        if self.port == implied {
            Ok(())
        } else {
            write!(formatter, ":{}", self.port)
        }
    }
}
