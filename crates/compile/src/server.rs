//! Server URLs.

use std::sync::Arc;

use http::HeaderValue;
use traefikrs_gourl::reference::{Url, normalize};

use crate::compiled::{PoolId, Scheme, Server, ServerHost, Transport};

/// The parts of a server's URL, before it has a pool.
#[derive(Debug)]
pub(crate) struct ServerUrl {
    pub(crate) scheme: UrlScheme,
    pub(crate) host: ServerHost,
    pub(crate) port: u16,
    pub(crate) host_header: HeaderValue,
    /// The path, escaped.
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
#[error("error parsing server URL {url}: parse {url:?}: {problem}")]
pub(crate) struct InvalidServerUrl {
    url: String,
    problem: String,
}

impl ServerUrl {
    /// Reads a URL as far as Go does: of one without a known scheme or a host, no server can be asked, but there is
    /// nothing wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidServerUrl> {
        let malformed = |problem: String| InvalidServerUrl {
            url: text.to_owned(),
            problem,
        };
        let url = Url::parse(text).map_err(|error| malformed(error.to_string()))?;
        let scheme = match url.scheme.as_deref() {
            Some("http") => Some((UrlScheme::Http, 80)),
            Some("h2c") => Some((UrlScheme::H2c, 80)),
            Some("https") => Some((UrlScheme::Https, 443)),
            _ => None,
        };
        let host_header =
            HeaderValue::from_bytes(&url.host).map_err(|error| malformed(error.to_string()))?;
        let authority = String::from_utf8_lossy(&url.host);
        let (scheme, host, port) = match scheme {
            Some((scheme, default_port)) if !authority.is_empty() => {
                let (host, port) = host_and_port(&authority, default_port);
                (scheme, host, port)
            }
            _ => (UrlScheme::Http, ServerHost::Nowhere, 0),
        };
        Ok(Self {
            scheme,
            host,
            port,
            host_header,
            path: url.path.into_owned(),
        })
    }

    /// The server, without a base path, and the URL's path.
    pub(crate) fn into_server(self, url: &str, scheme: Scheme, pool: PoolId) -> (Server, String) {
        let server = Server {
            url: url.into(),
            scheme,
            host: self.host,
            port: self.port,
            host_header: self.host_header,
            base_path: Arc::default(),
            pool,
        };
        (server, self.path)
    }
}

/// A server's URL as Go writes it again, and Traefik shows it.
pub(crate) fn shown(url: &Arc<str>) -> Arc<str> {
    match normalize(url) {
        Ok(shown) if *shown != **url => shown.into(),
        _ => Arc::clone(url),
    }
}

fn host_and_port(authority: &str, default_port: u16) -> (ServerHost, u16) {
    let after_host = authority.rfind(']').unwrap_or(0);
    let colon = authority[after_host..].find(':');
    let (host, port) = authority.split_at(colon.map_or(authority.len(), |at| after_host + at));
    let port = match port.trim_start_matches(':') {
        "" => Ok(default_port),
        port => port.parse(),
    };
    let Ok(port) = port else {
        // Traefik: connecting fails, as it does to a name that does not exist.
        return (ServerHost::Name(authority.into()), 0);
    };
    let host = match host.trim_start_matches('[').trim_end_matches(']') {
        // Go: the machine that it runs on.
        "" => ServerHost::Name("localhost".into()),
        host => host
            .parse()
            .map_or_else(|_| ServerHost::Name(host.into()), ServerHost::Ip),
    };
    (host, port)
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

#[cfg(test)]
mod tests {
    use super::{ServerHost, ServerUrl, shown};

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
            ("http://:80", "Http Name(\"localhost\") 80 :80 "),
            ("http://a/b c", "Http Name(\"a\") 80 a /b%20c"),
            ("http://<x>", "Http Name(\"<x>\") 80 <x> "),
            // Names that cannot be looked up.
            (
                "http://[::1]:70000",
                "Http Name(\"[::1]:70000\") 0 [::1]:70000 ",
            ),
        ] {
            let parsed = ServerUrl::parse(url).unwrap();
            let ServerUrl {
                scheme,
                host,
                port,
                host_header,
                path,
                ..
            } = parsed;
            let host_header = host_header.to_str().unwrap();
            assert_eq!(
                format!("{scheme:?} {host:?} {port} {host_header} {path}"),
                expected,
                "{url}"
            );
        }
    }

    /// Traefik 3.7.15: each is UP, and answers 500.
    #[test]
    fn some_urls_are_of_no_server() {
        for (url, as_shown) in [
            ("", ""),
            ("foo", "foo"),
            ("/abs", "/abs"),
            ("localhost:80", "localhost:80"),
            ("ftp://a", "ftp://a"),
            ("unix:///x.sock", "unix:///x.sock"),
            ("http://", "http:"),
            ("http:///x", "http:///x"),
            ("//a:80", "//a:80"),
            ("http:a:80", "http:a:80"),
            ("http://?x", "http:?x"),
        ] {
            let parsed = ServerUrl::parse(url).unwrap();
            assert_eq!(parsed.host, ServerHost::Nowhere, "{url}");
            assert_eq!(&*shown(&url.into()), as_shown, "{url}");
        }
    }

    /// Those that Traefik 3.7.15 refuses.
    #[test]
    fn other_urls_are_refused() {
        for (url, problem) in [
            (
                "10.0.0.1:80",
                "first path segment in URL cannot contain colon",
            ),
            (
                " http://a",
                "first path segment in URL cannot contain colon",
            ),
            ("://a", "missing protocol scheme"),
            ("http://[::1", "invalid host in URL"),
            ("http://[127.0.0.1]:80", "invalid host in URL"),
            ("http://a:+80", "invalid host in URL"),
            ("http://a b", "invalid host in URL"),
            ("http://a/%zz", "invalid URL escape \"%zz\""),
            ("http://a\n", "invalid control character in URL"),
        ] {
            let error = ServerUrl::parse(url).unwrap_err().to_string();
            assert_eq!(
                error,
                format!("error parsing server URL {url}: parse {url:?}: {problem}")
            );
        }
    }
}
