//! Asks by a request, whose status tells.

use ::http::header::{ACCEPT_ENCODING, HOST, LOCATION, REFERER, USER_AGENT};
use ::http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body_util::{BodyExt, Empty, Limited};
use traefikrs_compile::compiled::{Asked, HttpProbe, Server, Transport};
use traefikrs_gourl::reference;
use traefikrs_upstream::{Answer, Outgoing, Target, Upstreams};

use super::Unwell;
use crate::forward;

/// Go's.
pub(super) const MOST_REDIRECTS: usize = 10;

/// A body up to this is read so that the connection serves the next check, too.
const WORTH_READING: usize = 64 * 1024;

pub(super) async fn ask(
    upstreams: &Upstreams,
    transport: &Transport,
    asked: &Asked,
    probe: &HttpProbe,
) -> Result<(), Unwell> {
    let mut leg = Leg {
        method: probe.method.clone(),
        url: asked.url.clone(),
        referer: None,
    };
    let mut elsewhere: Option<Server> = None;
    for _ in 0..=MOST_REDIRECTS {
        let server = elsewhere.as_ref().unwrap_or(&asked.server);
        let (status, location) = leg.request(upstreams, transport, server, probe).await?;
        let next = location.filter(|_| probe.follows_redirects && is_followed(status));
        let Some(location) = next else {
            return if probe.expected.includes(status) {
                Ok(())
            } else {
                Err(Unwell::Status(status))
            };
        };
        let url =
            reference::resolve(&leg.url, &location).map_err(|_| Unwell::Location(location))?;
        elsewhere = Some(Server::at(&url, transport).ok_or_else(|| Unwell::Location(url.clone()))?);
        leg = leg.redirected(status, url);
    }
    Err(Unwell::Redirects)
}

/// One request of those that redirects make of one.
struct Leg {
    method: Method,
    url: String,
    referer: Option<String>,
}

impl Leg {
    async fn request(
        &self,
        upstreams: &Upstreams,
        transport: &Transport,
        server: &Server,
        probe: &HttpProbe,
    ) -> Result<(StatusCode, Option<String>), Unwell> {
        let target = target(&self.url).ok_or_else(|| Unwell::Location(self.url.clone()))?;
        let mut outgoing = Outgoing::new(self.method.clone(), target, Empty::new());
        outgoing.host = Some(
            probe
                .host
                .clone()
                .unwrap_or_else(|| server.host_header.clone()),
        );
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
                let location = location.and_then(|location| location.to_str().ok());
                Ok((head.status, location.map(str::to_owned)))
            }
            Answer::Upgraded { head, .. } => Ok((head.status, None)),
        }
    }

    fn headers(&self, configured: &HeaderMap) -> HeaderMap {
        let mut headers = configured.clone();
        headers.remove(HOST);
        // Traefik: what Go's client says when nothing else is configured; filters of logs know it.
        headers
            .entry(USER_AGENT)
            .or_insert(HeaderValue::from_static("Go-http-client/1.1"));
        headers
            .entry(ACCEPT_ENCODING)
            .or_insert(HeaderValue::from_static("gzip"));
        let referer = self.referer.as_deref().map(HeaderValue::from_str);
        if let Some(Ok(referer)) = referer {
            headers.insert(REFERER, referer);
        }
        headers
    }

    /// The request that a redirect asks for.
    // Go: 301, 302 and 303 are followed by GET, or HEAD.
    fn redirected(self, status: StatusCode, url: String) -> Self {
        let keeps_method = matches!(
            status,
            StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT
        ) || self.method == Method::HEAD;
        let is_downgrade = self.url.starts_with("https:") && url.starts_with("http:");
        Self {
            method: if keeps_method {
                self.method
            } else {
                Method::GET
            },
            url,
            referer: (!is_downgrade).then_some(self.url),
        }
    }
}

fn is_followed(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Path and query of a URL.
fn target(url: &str) -> Option<Target> {
    let (_, rest) = url.split_once("://")?;
    let path = rest.find(['/', '?']).map_or("/", |start| &rest[start..]);
    if path.starts_with('?') {
        return Target::try_from(format!("/{path}")).ok();
    }
    Target::try_from(path).ok()
}
