//! What is asked where, and what an answer is.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue,
    TRAILER, TRANSFER_ENCODING, USER_AGENT,
};
use http::{Request, StatusCode};
use http_body_util::Empty;
use tokio::time::timeout;
use traefikrs_config::static_config;
use traefikrs_gourl::host;
use traefikrs_tls::{ClientTls, Roots};

use super::exchange::{self, Answer};
use super::url::Url;
use super::{InvalidOption, tls};

/// Go's: with the first.
const MOST_REQUESTS: usize = 10;
/// What `pollTimeout` is when it says none: an answer that never ends would be the last.
const LONGEST: Duration = Duration::from_secs(60);
/// What `maxResponseBodySize` is when it says none: as for files.
const LARGEST: usize = 64 << 20;

/// A URL, and how it is asked.
pub(super) struct Endpoint {
    url: Url,
    headers: HeaderMap,
    /// What `Host` is instead of the URL's.
    host: Option<HeaderValue>,
    tls: ClientTls,
    timeout: Duration,
    largest: usize,
}

/// Why there is no text. What may be secret is in none of them.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("no whole answer within {0:?}")]
    Timeout(Duration),
    #[error("cannot connect to {0}: {1}")]
    Connect(String, io::Error),
    #[error("{0}{cause}", cause = cause(.0))]
    Exchange(#[from] hyper::Error),
    #[error("the answer is {0} instead of 200 OK")]
    Status(StatusCode),
    #[error("redirected to what cannot be asked")]
    Location,
    #[error("stopped after {MOST_REQUESTS} redirects")]
    Redirects,
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    #[error("the body is not what `Content-Encoding: gzip` says: {0}")]
    Gzip(io::Error),
    #[error("the body is not UTF-8")]
    NotText,
}

impl Endpoint {
    pub(super) fn new(
        options: &static_config::HttpProvider,
        system_roots: &Roots,
    ) -> Result<Self, InvalidOption> {
        let url = Url::resolve(options.endpoint.expose(), "").ok_or_else(|| {
            InvalidOption::new("endpoint", "expected a URL such as `https://host/path`")
        })?;
        let mut headers = HeaderMap::new();
        for (name, value) in &options.headers {
            let parsed = (
                HeaderName::try_from(name),
                HeaderValue::try_from(value.expose()),
            );
            let (Ok(parsed), Ok(mut value)) = parsed else {
                let problem = "no header has this name or value";
                return Err(InvalidOption::new(format!("headers.{name}"), problem));
            };
            value.set_sensitive(true);
            headers.insert(parsed, value);
        }
        // Go: what frames a message is not for the user to say.
        for name in [CONTENT_LENGTH, TRANSFER_ENCODING, TRAILER] {
            headers.remove(name);
        }
        Ok(Self {
            url,
            host: headers.remove(HOST).filter(|host| !host.is_empty()),
            headers,
            tls: tls::client(options.tls.as_ref(), system_roots)?,
            timeout: options.poll_timeout.positive().unwrap_or(LONGEST),
            largest: usize::try_from(options.max_response_body_size).unwrap_or(LARGEST),
        })
    }

    /// The URL, fit to be shown.
    pub(super) fn name(&self) -> String {
        self.url.to_string()
    }

    /// Asks once, in bounded time and space.
    pub(super) async fn fetch(&self) -> Result<String, Failure> {
        let fetched = timeout(self.timeout, self.follow()).await;
        fetched.unwrap_or(Err(Failure::Timeout(self.timeout)))
    }

    async fn follow(&self) -> Result<String, Failure> {
        let mut url = self.url.clone();
        let mut is_trusted = true;
        for _ in 0..MOST_REQUESTS {
            is_trusted &= self.trusts(&url);
            let request = self.request(&url, is_trusted);
            match exchange::ask(&url, &self.tls, request, self.largest).await? {
                Answer::Text(text) => return Ok(text),
                Answer::Elsewhere(link) => url = url.follow(&link).ok_or(Failure::Location)?,
            }
        }
        Err(Failure::Redirects)
    }

    /// Whether headers may go there, in which tokens are: to the same host and those below it.
    ///
    /// Go: knows some headers that go nowhere else, such as `Authorization`, and sends all others anywhere.
    pub(super) fn trusts(&self, url: &Url) -> bool {
        let is_downgrade = self.url.is_https && !url.is_https;
        !is_downgrade && host::is_at_or_below(&url.host, &self.url.host)
    }

    fn request(&self, url: &Url, is_trusted: bool) -> Request<Empty<Bytes>> {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = url.target();
        let headers = request.headers_mut();
        if is_trusted {
            headers.clone_from(&self.headers);
        }
        let own = self.host.clone().filter(|_| url.has_origin_of(&self.url));
        let host = own.or_else(|| HeaderValue::from_str(url.authority()).ok());
        headers.extend(host.map(|host| (HOST, host)));
        if let Some(credentials) = url.credentials() {
            headers.entry(AUTHORIZATION).or_insert(credentials);
        }
        // Traefik: what Go's client says when nothing else is configured.
        for (name, value) in [
            (USER_AGENT, "Go-http-client/1.1"),
            (ACCEPT_ENCODING, "gzip"),
        ] {
            headers
                .entry(name)
                .or_insert(HeaderValue::from_static(value));
        }
        request
    }
}

fn cause(error: &hyper::Error) -> String {
    let cause = std::error::Error::source(error);
    cause.map(|cause| format!(": {cause}")).unwrap_or_default()
}
