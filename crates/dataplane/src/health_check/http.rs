//! Asks by a request, whose status tells.

use ::http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, COOKIE, HOST, HeaderName, LOCATION, PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION, RANGE, REFERER, USER_AGENT, WWW_AUTHENTICATE,
};
use ::http::{HeaderMap, HeaderValue, Method, StatusCode};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http_body_util::{BodyExt, Empty, Limited};
use traefikrs_compile::compiled::{Asked, HttpProbe, Server, Transport};
use traefikrs_gourl::host;
use traefikrs_gourl::reference::{self, Url};
use traefikrs_upstream::{Answer, Outgoing, Target, Upstreams};

use super::Unwell;
use crate::forward;

/// Go: what the tenth request is redirected to is not asked.
const MOST_REQUESTS: usize = 10;

/// A body up to this is read so that the connection serves the next check, too.
const WORTH_READING: usize = 64 * 1024;

/// Go: what is not told to other hosts.
const CONFIDENTIAL: [HeaderName; 6] = [
    AUTHORIZATION,
    WWW_AUTHENTICATE,
    COOKIE,
    HeaderName::from_static("cookie2"),
    PROXY_AUTHORIZATION,
    PROXY_AUTHENTICATE,
];

pub(super) async fn ask(
    upstreams: &Upstreams,
    transport: &Transport,
    asked: &Asked,
    probe: &HttpProbe,
) -> Result<(), Unwell> {
    let mut leg = Leg::first(&asked.url, probe);
    let mut elsewhere: Option<Server> = None;
    for _ in 0..MOST_REQUESTS {
        let server = elsewhere.as_ref().unwrap_or(&asked.server);
        let (status, location) = leg.request(upstreams, transport, server, probe).await?;
        let leads_on = |location: &String| {
            !location.is_empty() && probe.follows_redirects && is_followed(status)
        };
        let Some(location) = location.filter(leads_on) else {
            return if probe.expected.includes(status) {
                Ok(())
            } else {
                Err(Unwell::Status(status))
            };
        };
        leg = leg
            .redirected(status, &location, &asked.url, probe)
            .ok_or(Unwell::Location(location))?;
        let server = Server::at(&leg.url, transport);
        elsewhere = Some(server.ok_or_else(|| Unwell::Location(leg.url.clone()))?);
    }
    Err(Unwell::Redirects)
}

/// One request of those that redirects make of one.
#[derive(Debug)]
struct Leg {
    method: Method,
    url: String,
    /// What is said instead of the host of the URL.
    host: Option<HeaderValue>,
    referer: Option<String>,
    /// Whether it has left the host that was asked first, and those below it.
    is_astray: bool,
}

impl Leg {
    fn first(url: &str, probe: &HttpProbe) -> Self {
        Self {
            method: probe.method.clone(),
            url: url.to_owned(),
            host: probe.host.clone(),
            referer: None,
            is_astray: false,
        }
    }

    async fn request(
        &self,
        upstreams: &Upstreams,
        transport: &Transport,
        server: &Server,
        probe: &HttpProbe,
    ) -> Result<(StatusCode, Option<String>), Unwell> {
        let target = target(&self.url).ok_or_else(|| Unwell::Location(self.url.clone()))?;
        let mut outgoing = Outgoing::new(self.method.clone(), target, Empty::new());
        let host = self.host.as_ref().unwrap_or(&server.host_header);
        outgoing.host = Some(host.clone());
        outgoing.headers = self.headers(&probe.headers);
        let (peer, limits) = (
            forward::peer_in(server.pool.into(), server),
            forward::limits(transport, 1),
        );
        let answered = upstreams.send(&peer, &limits, &mut outgoing).await;
        match answered.map_err(|no_answer| no_answer.error)? {
            Answer::Response { head, body } => {
                // A body that is too long or breaks off costs the connection only.
                drop(Limited::new(body, WORTH_READING).collect().await);
                let location = head.headers.get(LOCATION);
                let location =
                    location.map(|location| String::from_utf8_lossy(location.as_bytes()));
                Ok((head.status, location.map(Into::into)))
            }
            Answer::Upgraded { head, .. } => Ok((head.status, None)),
        }
    }

    fn headers(&self, configured: &HeaderMap) -> HeaderMap {
        let mut headers = configured.clone();
        headers.remove(HOST);
        if self.is_astray {
            for name in &CONFIDENTIAL {
                headers.remove(name);
            }
        }
        // Traefik: what Go's client says when nothing else is configured; filters of logs know it.
        headers
            .entry(USER_AGENT)
            .or_insert(HeaderValue::from_static("Go-http-client/1.1"));
        if self.method != Method::HEAD && !headers.contains_key(RANGE) {
            headers
                .entry(ACCEPT_ENCODING)
                .or_insert(HeaderValue::from_static("gzip"));
        }
        if let Some(Ok(credentials)) = basic(&self.url).map(HeaderValue::try_from) {
            headers.entry(AUTHORIZATION).or_insert(credentials);
        }
        if let Some(Ok(referer)) = self.referer.as_deref().map(HeaderValue::from_str) {
            headers.entry(REFERER).or_insert(referer);
        }
        headers
    }

    /// The request that a redirect asks for, of one that began at `first`; `None` if it leads nowhere.
    fn redirected(
        self,
        status: StatusCode,
        location: &str,
        first: &str,
        probe: &HttpProbe,
    ) -> Option<Self> {
        let url = reference::resolve(&self.url, location).ok()?;
        // Go: 301, 302 and 303 are followed by GET, or HEAD.
        let keeps_method = matches!(
            status,
            StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT
        ) || self.method == Method::HEAD;
        let is_downgrade = self.url.starts_with("https:") && url.starts_with("http:");
        // Go: another host is only meant where the whole URL is given.
        let is_relative = Url::parse(location).ok()?.scheme.is_none();
        Some(Self {
            method: if keeps_method {
                self.method
            } else {
                Method::GET
            },
            host: probe.host.clone().filter(|_| is_relative),
            referer: (!is_downgrade).then(|| without_user(&self.url)),
            is_astray: self.is_astray || !is_at_or_below(&url, first),
            url,
        })
    }
}

/// What the user and password of a URL are in a request.
fn basic(url: &str) -> Option<String> {
    let credentials = Url::parse(url).ok()?.credentials()?;
    Some(format!("Basic {}", BASE64_STANDARD.encode(credentials)))
}

/// The URL for others to see.
fn without_user(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let host = rest[..end].rfind('@').map_or(0, |at| at + 1);
    format!("{scheme}://{}", &rest[host..])
}

/// Whether the host of `url` is that of `other`, or a name below it.
fn is_at_or_below(url: &str, other: &str) -> bool {
    let hosts = [url, other].map(|url| {
        let host = Url::parse(url).ok()?.host.to_ascii_lowercase();
        let host = String::from_utf8(host).ok()?;
        Some(host::without_port(&host).to_owned())
    });
    let [Some(host), Some(other)] = hosts else {
        return false;
    };
    host::is_at_or_below(&host, &other)
}

fn is_followed(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Path and query of a URL. Blanks, which Go sends as they are, would end it for most servers.
fn target(url: &str) -> Option<Target> {
    let url = url.replace(' ', "%20");
    let (_, rest) = url.split_once("://")?;
    let path = rest.find(['/', '?']).map_or("/", |start| &rest[start..]);
    if path.starts_with('?') {
        return Target::try_from(format!("/{path}")).ok();
    }
    Target::try_from(path).ok()
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use traefikrs_compile::compiled::ExpectedStatus;

    use super::*;

    fn probe(host: Option<&'static str>, headers: &[(&str, &str)]) -> HttpProbe {
        let headers = headers.iter().map(|(name, value)| {
            let name = HeaderName::from_str(name).unwrap();
            (name, HeaderValue::from_str(value).unwrap())
        });
        HttpProbe {
            method: Method::GET,
            host: host.map(HeaderValue::from_static),
            headers: headers.collect(),
            expected: ExpectedStatus::Good,
            follows_redirects: true,
        }
    }

    fn line(leg: &Leg, probe: &HttpProbe, names: &[HeaderName]) -> String {
        let headers = leg.headers(&probe.headers);
        let values = names.iter().map(|name| {
            let value = headers.get(name).map(|value| value.to_str().unwrap());
            value.unwrap_or("-").to_owned()
        });
        let host = leg.host.as_ref().map_or("-", |host| host.to_str().unwrap());
        format!("{host} {}", values.collect::<Vec<_>>().join(" "))
    }

    /// As seen of Traefik 3.7.15.
    #[test]
    fn a_redirect_is_followed_as_go_follows_it() {
        let first = "http://u:p%40@a.test:1/hc";
        let check = |location: &str, expected: &str| {
            let probe = probe(Some("h.test"), &[("cookie", "a=b"), ("x-a", "1")]);
            let leg = Leg::first(first, &probe);
            let leg = leg.redirected(StatusCode::FOUND, location, first, &probe);
            let leg = leg.unwrap();
            let names = [
                AUTHORIZATION,
                COOKIE,
                HeaderName::from_static("x-a"),
                REFERER,
            ];
            let seen = format!("{} {}", leg.url, line(&leg, &probe, &names));
            assert_eq!(seen, expected, "{location}");
        };
        let here = "Basic dTpwQA== a=b 1 http://a.test:1/hc";
        check("/n", &format!("http://u:p%40@a.test:1/n h.test {here}"));
        check("?n", &format!("http://u:p%40@a.test:1/hc?n h.test {here}"));
        check(
            "http://a.test:2/n",
            "http://a.test:2/n - - a=b 1 http://a.test:1/hc",
        );
        check(
            "http://B.A.test/n",
            "http://B.A.test/n - - a=b 1 http://a.test:1/hc",
        );
        check(
            "//b.test/n",
            "http://b.test/n h.test - - 1 http://a.test:1/hc",
        );
        check(
            "http://x:y@ba.test/n",
            "http://x:y@ba.test/n - Basic eDp5 - 1 http://a.test:1/hc",
        );
    }

    #[test]
    fn what_is_configured_counts() {
        let url = "http://u@a.test/";
        let names = [ACCEPT_ENCODING, AUTHORIZATION, USER_AGENT];
        for (configured, expected) in [
            (&[][..], "- gzip Basic dTo= Go-http-client/1.1"),
            (
                &[("authorization", "x"), ("user-agent", "me"), ("range", "r")],
                "- - x me",
            ),
        ] {
            let probe = probe(None, configured);
            assert_eq!(line(&Leg::first(url, &probe), &probe, &names), expected);
        }
        let mut probe = probe(None, &[]);
        probe.method = Method::HEAD;
        let leg = Leg::first("http://a.test", &probe);
        assert_eq!(line(&leg, &probe, &names), "- - - Go-http-client/1.1");
    }
}
