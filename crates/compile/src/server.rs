//! Server URLs.

use std::sync::Arc;

use http::HeaderValue;
use http::uri::Authority;

use crate::compiled::{PoolId, Scheme, Server, ServerHost, Transport};

/// The parts of a server's URL, before it has a pool.
#[derive(Debug)]
pub(crate) struct ServerUrl {
    pub(crate) scheme: UrlScheme,
    pub(crate) host: ServerHost,
    pub(crate) port: u16,
    pub(crate) authority: Authority,
    pub(crate) host_header: HeaderValue,
    pub(crate) path: String,
}

/// How a URL says that a server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum UrlScheme {
    Http,
    H2c,
    Https,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("error parsing server URL {url}: {problem}")]
pub(crate) struct InvalidServerUrl {
    url: String,
    problem: &'static str,
}

impl ServerUrl {
    pub(crate) fn parse(url: &str) -> Result<Self, InvalidServerUrl> {
        let malformed = |problem| InvalidServerUrl {
            url: url.to_owned(),
            problem,
        };
        let (scheme, rest) = url
            .split_once("://")
            .ok_or_else(|| malformed("expected scheme://host:port"))?;
        let (scheme, default_port) = match scheme.to_ascii_lowercase().as_str() {
            "http" => (UrlScheme::Http, 80),
            "h2c" => (UrlScheme::H2c, 80),
            "https" => (UrlScheme::Https, 443),
            _ => return Err(malformed("unsupported scheme, use http, https or h2c")),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let path = path.split(['?', '#']).next().unwrap_or_default();
        // Traefik: userinfo is not turned into an Authorization header, and not part of Host.
        let authority = authority
            .rsplit_once('@')
            .map_or(authority, |(_, host)| host);
        let authority: Authority = authority
            .parse()
            .map_err(|_| malformed("invalid host or port"))?;
        let port = match port_text(authority.as_str()) {
            "" => default_port,
            text => text.parse().map_err(|_| malformed("invalid port"))?,
        };
        let host = match authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']')
        {
            "" => return Err(malformed("missing host")),
            host => host
                .parse()
                .map_or_else(|_| ServerHost::Name(host.into()), ServerHost::Ip),
        };
        let host_header = HeaderValue::from_str(authority.as_str())
            .map_err(|_| malformed("invalid host or port"))?;
        Ok(Self {
            scheme,
            host,
            port,
            authority,
            host_header,
            path: path.to_owned(),
        })
    }
}

impl ServerUrl {
    /// The server, without a base path, and the URL's path.
    pub(crate) fn into_server(self, url: &str, scheme: Scheme, pool: PoolId) -> (Server, String) {
        let server = Server {
            url: url.into(),
            scheme,
            host: self.host,
            port: self.port,
            authority: self.authority,
            host_header: self.host_header,
            base_path: Arc::default(),
            pool,
        };
        (server, self.path)
    }
}

impl Server {
    /// A server that a redirect points to, for whoever has pools of its own: this one is in none.
    /// `None` when the URL is none of a server, or the transport cannot speak with it.
    pub fn at(url: &str, transport: &Transport) -> Option<Self> {
        let parsed = ServerUrl::parse(url).ok()?;
        let scheme = transport.scheme(url, &parsed).ok()?;
        Some(parsed.into_server(url, scheme, PoolId(0)).0)
    }
}

fn port_text(authority: &str) -> &str {
    let after_host = authority
        .rfind(']')
        .map_or(authority, |bracket| &authority[bracket..]);
    after_host.rsplit_once(':').map_or("", |(_, port)| port)
}

#[cfg(test)]
mod tests {
    use super::ServerUrl;

    #[test]
    fn the_parts_of_a_url_are_found() {
        for (url, expected) in [
            (
                "http://10.0.0.1:8080",
                "Http Ip(10.0.0.1) 8080 10.0.0.1:8080 ",
            ),
            ("HTTP://a.test", "Http Name(\"a.test\") 80 a.test "),
            ("h2c://[::1]:9", "H2c Ip(::1) 9 [::1]:9 "),
            ("http://[::1]", "Http Ip(::1) 80 [::1] "),
            (
                "http://u:p@a:81/base/x?q",
                "Http Name(\"a\") 81 a:81 /base/x",
            ),
            ("http://a:", "Http Name(\"a\") 80 a: "),
            ("https://a", "Https Name(\"a\") 443 a "),
            ("https://10.0.0.1:80", "Https Ip(10.0.0.1) 80 10.0.0.1:80 "),
        ] {
            let parsed = ServerUrl::parse(url).unwrap();
            let ServerUrl {
                scheme,
                host,
                port,
                authority,
                path,
                ..
            } = parsed;
            assert_eq!(
                format!("{scheme:?} {host:?} {port} {authority} {path}"),
                expected,
                "{url}"
            );
        }
    }

    #[test]
    fn other_urls_are_refused() {
        for (url, problem) in [
            ("", "expected scheme://host:port"),
            ("10.0.0.1:80", "expected scheme://host:port"),
            ("ftp://a", "unsupported scheme, use http, https or h2c"),
            ("http://[::1", "invalid host or port"),
            ("http://a:70000", "invalid port"),
            ("http://a b", "invalid host or port"),
            ("http:///x", "invalid host or port"),
        ] {
            let error = ServerUrl::parse(url).unwrap_err().to_string();
            assert_eq!(error, format!("error parsing server URL {url}: {problem}"));
        }
    }
}
