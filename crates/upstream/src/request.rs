use std::{fmt, rc::Rc};

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
    /// What to send. Its size hint decides the framing, and `is_end_stream` whether there is a body at all.
    pub body: B,
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
            body,
            upgrade: None,
            on_interim: None,
        }
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
pub struct Target(Form);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    Parsed(PathAndQuery),
    Raw(Bytes),
}

impl Target {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Form::Parsed(path_and_query) => path_and_query.as_str().as_bytes(),
            Form::Raw(bytes) => bytes,
        }
    }

    /// HTTP/2 goes through [`http::Uri`], which refuses a few characters that HTTP/1 can carry.
    pub(crate) fn into_path_and_query(self) -> Option<PathAndQuery> {
        match self.0 {
            Form::Parsed(path_and_query) => Some(path_and_query),
            Form::Raw(bytes) => PathAndQuery::from_maybe_shared(bytes).ok(),
        }
    }
}

/// The bytes are no request target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("request target does not start with a slash, or contains a space or a control character")]
pub struct InvalidTarget;

impl From<PathAndQuery> for Target {
    fn from(path_and_query: PathAndQuery) -> Self {
        Self(Form::Parsed(path_and_query))
    }
}

impl TryFrom<Bytes> for Target {
    type Error = InvalidTarget;

    fn try_from(bytes: Bytes) -> Result<Self, InvalidTarget> {
        let rooted = bytes.first() == Some(&b'/') || &bytes[..] == b"*";
        let printable = bytes.iter().all(|&byte| byte > b' ' && byte != 0x7f);
        if rooted && printable {
            Ok(Self(Form::Raw(bytes)))
        } else {
            Err(InvalidTarget)
        }
    }
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
