use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// What middlewares know of a request beside its head, and what they decide for the proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Context {
    /// Who sent the request: the other end of the connection, or whom it vouches for by the PROXY protocol.
    pub peer: SocketAddr,
    /// Whether the connection is encrypted.
    pub is_tls: bool,
    /// The path is empty, although the URI can only say `/`.
    ///
    // Traefik: [stripPrefix /a, addPrefix /b] makes /b of /a, not /b/.
    pub path_is_empty: bool,
    /// The proxy shall send no `X-Forwarded-For`, not even with the peer alone.
    pub suppress_x_forwarded_for: bool,
}

impl Context {
    /// A request as it arrives.
    pub fn new(peer: SocketAddr, is_tls: bool) -> Self {
        Self {
            peer,
            is_tls,
            path_is_empty: false,
            suppress_x_forwarded_for: false,
        }
    }
}

impl Default for Context {
    /// A plain request of nobody in particular, 0.0.0.0.
    fn default() -> Self {
        Self::new(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0), false)
    }
}
