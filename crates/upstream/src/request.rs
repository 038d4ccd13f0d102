use std::{fmt, rc::Rc, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, response::Parts, uri::PathAndQuery};

/// What is to be asked?
///
/// The caller has removed what belongs to its own connection (RFC 9110 §7.6.1). The framing is this crate's:
/// `Host`, `Content-Length`, `Transfer-Encoding`, `Connection` and `Upgrade` among `headers` are not sent as they are.
/// `Te: trailers` and `Trailer` are ordinary headers; `Expect: 100-continue` among the headers holds the body back
/// until the server asks for it, for a second at most.
pub struct Outgoing<B> {
    /// Any method but `CONNECT`.
    pub method: Method,
    /// The path and query to ask for.
    pub target: Target,
    /// The `Host` to send; the server's own address when there is none.
    pub host: Option<HeaderValue>,
    /// All other headers, sent in this order.
    pub headers: HeaderMap,
    /// What to send. Its size hint decides the framing, and `is_end_stream` whether there is a body at all. Taken when
    /// it is sent: a request without it is none.
    pub body: Option<B>,
    /// The protocol to ask for instead of HTTP.
    pub upgrade: Option<HeaderValue>,
    /// Told of each interim response (1xx but 101) as it arrives.
    pub on_interim: Option<Rc<dyn OnInterim>>,
}

/// Who wants to know what a server says before it answers?
pub trait OnInterim {
    /// Told of one interim response.
    fn interim(&self, head: Parts);
}

impl<B> Outgoing<B> {
    /// A request without headers, to the server's own name.
    pub fn new(method: Method, target: Target, body: B) -> Self {
        Self {
            method,
            target,
            host: None,
            headers: HeaderMap::new(),
            body: Some(body),
            upgrade: None,
            on_interim: None,
        }
    }

    /// Whether it means the same however often it is said.
    pub(crate) fn is_idempotent(&self) -> bool {
        // RFC 9110 §9.2.2. Go's client leaves out PUT and DELETE; the keys are its own.
        matches!(
            self.method,
            Method::GET
                | Method::HEAD
                | Method::OPTIONS
                | Method::TRACE
                | Method::PUT
                | Method::DELETE
        ) || self.headers.contains_key("idempotency-key")
            || self.headers.contains_key("x-idempotency-key")
    }
}

impl<B> fmt::Debug for Outgoing<B> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Outgoing")
            .field("method", &self.method)
            .field("target", &self.target)
            .field("host", &self.host)
            .field("headers", &self.headers)
            .field("upgrade", &self.upgrade)
            .finish_non_exhaustive()
    }
}

/// Which resource of the server: a path that starts with a slash, with or without a query, or `*`.
///
/// Any bytes that cannot end a request line early are allowed, so that a target can be passed on as the client wrote it.
///
/// ```
/// use traefikrs_upstream::Target;
/// assert!(Target::try_from("/a?b=<c>").is_ok());
/// assert!(Target::try_from("/a HTTP/1.1\r\n").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    form: Form,
    /// Goes in front; starts with a slash and does not end with one.
    base: Option<Arc<str>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    Parsed(PathAndQuery),
    Raw(Bytes),
}

impl Target {
    /// Puts a path in front, instead of what may be there, with a slash in between if it takes one. An empty path is
    /// none.
    ///
    /// # Errors
    ///
    /// When the path does not start with a slash, or has a space or a control character.
    pub fn put_below(&mut self, base: &Arc<str>) -> Result<(), InvalidTarget> {
        if !base.is_empty() && !is_target(base.as_bytes()) {
            return Err(InvalidTarget);
        }
        self.base = Some(base).filter(|base| !base.is_empty()).cloned();
        Ok(())
    }

    /// Writes it as it goes into a request line.
    pub(crate) fn write_to(&self, out: &mut Vec<u8>) {
        let asked = match &self.form {
            Form::Parsed(path_and_query) => path_and_query.as_str().as_bytes(),
            Form::Raw(bytes) => bytes,
        };
        if let Some(base) = &self.base {
            out.extend_from_slice(base.as_bytes());
        }
        // `http` lets a path be left out before the query.
        let is_asterisk = asked == b"*" && self.base.is_none();
        if !asked.starts_with(b"/") && !is_asterisk {
            out.push(b'/');
        }
        out.extend_from_slice(asked);
    }

    /// HTTP/2 goes through [`http::Uri`], which refuses a few characters that HTTP/1 can carry.
    pub(crate) fn to_path_and_query(&self) -> Option<PathAndQuery> {
        match (&self.form, &self.base) {
            (Form::Parsed(path_and_query), None) => Some(path_and_query.clone()),
            (Form::Raw(bytes), None) => PathAndQuery::from_maybe_shared(bytes.clone()).ok(),
            (_, Some(_)) => {
                let mut whole = Vec::new();
                self.write_to(&mut whole);
                PathAndQuery::from_maybe_shared(Bytes::from(whole)).ok()
            }
        }
    }
}

/// The bytes are no request target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("request target does not start with a slash, or contains a space or a control character")]
pub struct InvalidTarget;

impl From<PathAndQuery> for Target {
    fn from(path_and_query: PathAndQuery) -> Self {
        Self {
            form: Form::Parsed(path_and_query),
            base: None,
        }
    }
}

impl TryFrom<Bytes> for Target {
    type Error = InvalidTarget;

    fn try_from(bytes: Bytes) -> Result<Self, InvalidTarget> {
        if is_target(&bytes) || &bytes[..] == b"*" {
            Ok(Self {
                form: Form::Raw(bytes),
                base: None,
            })
        } else {
            Err(InvalidTarget)
        }
    }
}

fn is_target(bytes: &[u8]) -> bool {
    let is_printable = |&byte: &u8| byte > b' ' && byte != 0x7f;
    bytes.first() == Some(&b'/') && bytes.iter().all(is_printable)
}

impl TryFrom<String> for Target {
    type Error = InvalidTarget;

    fn try_from(text: String) -> Result<Self, InvalidTarget> {
        Bytes::from(text).try_into()
    }
}

impl TryFrom<&str> for Target {
    type Error = InvalidTarget;

    fn try_from(text: &str) -> Result<Self, InvalidTarget> {
        Bytes::copy_from_slice(text.as_bytes()).try_into()
    }
}
