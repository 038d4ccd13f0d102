use std::net::IpAddr;

use http::HeaderMap;

pub use traefikrs_gourl::host::canonical as canonical_host;

/// What may a rule look at?
///
/// A borrowed view, made once per lookup. It trusts its maker: the fields hold the forms that their documentation names.
#[derive(Clone, Copy, Debug)]
pub struct RequestView<'a> {
    /// The method, compared exactly.
    pub method: &'a str,
    /// The host without port and in lower case, as [`canonical_host`] makes it; empty if the request has none.
    ///
    /// It is the host that the request arrived with, also when a middleware has changed it since.
    pub host: &'a str,
    /// The host that the request has now, port included, for the `HostRegexp` of v2.
    pub raw_host: &'a str,
    /// The name that the host is an alias of, in lower case, if CNAME flattening is on and found one.
    pub flattened_host: Option<&'a str>,
    /// The path in the form that rules are compared with: [`traefikrs_gourl::routing_path`] of the escaped path.
    pub path: &'a [u8],
    /// The query behind the `?`, not decoded, semicolons already rewritten.
    pub query: Option<&'a [u8]>,
    /// The headers that rules may see.
    ///
    /// Traefik shows them what is left after its own handling of forwarded and hop-by-hop headers: the caller removes
    /// `Connection` and what it names, and untrusted `X-Forwarded-*`. `Host`, `Transfer-Encoding` and `Trailer` are never
    /// seen, whether they are in the map or not.
    pub headers: &'a HeaderMap,
    /// The address of the peer: the transport's, or the source that a trusted PROXY protocol header names.
    pub peer: Option<IpAddr>,
}
