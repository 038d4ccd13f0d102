use std::{error::Error as StdError, io};

pub use traefikrs_http1::{MalformedBody, MalformedHead};

/// Any error of a request body: the caller's own, carried untouched.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// Why did a server not answer, or not to the end?
///
/// One variant per cause that a proxy may want to tell apart, so that a single `match` can map it to a status.
/// Traefik's mapping (`pkg/proxy/httputil/proxy.go`): [`Self::is_timeout`] is a 504; [`Self::is_network`] a 502;
/// all that remains a 500.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The request cannot be said in the server's protocol; nothing was sent.
    #[error("invalid request: {0}")]
    InvalidRequest(&'static str),
    /// The name did not resolve, or the connection was refused or unreachable.
    #[error("cannot connect")]
    Connect(#[source] io::Error),
    /// The URL of the server names none.
    #[error("no server to connect to")]
    Nowhere,
    /// No connection within [`Limits::dial_timeout`](crate::Limits::dial_timeout).
    #[error("timed out connecting")]
    DialTimeout,
    /// The server did not complete the TLS handshake in time.
    #[error("timed out in the TLS handshake")]
    TlsHandshakeTimeout,
    /// The server ended the TLS handshake by an alert, for instance because it wants a certificate of ours.
    #[error("server refused the TLS handshake")]
    TlsRefused(#[source] rustls::Error),
    /// The TLS handshake was ended by us: the server does not speak TLS, or is not who it should be.
    #[error("TLS handshake failed")]
    Tls(#[source] rustls::Error),
    /// The request was sent, and no head came within
    /// [`Limits::response_header_timeout`](crate::Limits::response_header_timeout).
    #[error("timed out awaiting the response head")]
    ResponseHeaderTimeout,
    /// The server ended the connection before the first byte of an answer.
    #[error("connection closed without an answer")]
    Closed,
    /// The connection failed (typically: was reset), before a head or in the middle of a body.
    #[error("connection failed")]
    Io(#[source] io::Error),
    /// The server ended the connection in the middle of the head, or after an interim one.
    #[error("connection closed in the middle of the response head")]
    TruncatedHead,
    /// What the server said is not an HTTP/1 head, or frames its body in a way that is not safe to believe.
    #[error("malformed response head: {0}")]
    MalformedHead(MalformedHead),
    /// The server ended the connection in the middle of the body. The head was handed out before.
    #[error("connection closed in the middle of the response body")]
    TruncatedBody,
    /// The body's chunks are not readable. The head was handed out before.
    #[error("malformed response body: {0}")]
    MalformedBody(MalformedBody),
    /// The server switched to a protocol nobody asked for.
    #[error("server switched to another protocol than the requested one")]
    UpgradeMismatch,
    /// The request's own body failed, ended early or was longer than declared: the client's fault, not the server's.
    #[error("request body failed")]
    RequestBody(#[source] BoxError),
    /// The HTTP/2 stream was reset, or its connection lost.
    #[error("HTTP/2 exchange failed")]
    Http2(#[source] h2::Error),
}

/// Why is there no answer, and what has become of the request?
#[derive(Debug, thiserror::Error)]
#[error("no answer")]
pub struct NoAnswer {
    /// What kept the server from answering.
    #[source]
    pub error: Error,
    /// Whether another server may be asked.
    pub request: Fate,
}

/// What has become of a request that got no answer?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Nothing of it was sent, and all of it is still there: any server may be asked.
    Unsent,
    /// A server may have seen it, but has not said a byte. All of it is still there, and by RFC 9110 §9.2.2 it may be
    /// said again.
    Repeatable,
    /// It must not be said again, or cannot be: some of it is gone.
    Spent,
}

impl NoAnswer {
    pub(crate) fn unsent(error: Error) -> Self {
        let request = Fate::Unsent;
        Self { error, request }
    }
}

impl From<Error> for NoAnswer {
    fn from(error: Error) -> Self {
        let request = Fate::Spent;
        Self { error, request }
    }
}

impl Error {
    /// Whether time ran out, by our clock or by the kernel's.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        match self {
            Self::DialTimeout | Self::TlsHandshakeTimeout | Self::ResponseHeaderTimeout => true,
            Self::Connect(error) | Self::Io(error) => error.kind() == io::ErrorKind::TimedOut,
            _ => false,
        }
    }

    /// Whether the network or the server's absence is to blame: no connection, or one that went away before the head.
    #[must_use]
    pub fn is_network(&self) -> bool {
        matches!(
            self,
            Self::Connect(_)
                | Self::DialTimeout
                | Self::TlsHandshakeTimeout
                | Self::TlsRefused(_)
                | Self::Closed
                | Self::Io(_)
        )
    }

    /// The same failure for another request that waited for the same connection.
    pub(crate) fn of_a_connection(&self) -> Self {
        let copy = |error: &io::Error| io::Error::new(error.kind(), error.to_string());
        match self {
            Self::Connect(error) => Self::Connect(copy(error)),
            Self::Io(error) => Self::Io(copy(error)),
            Self::DialTimeout => Self::DialTimeout,
            Self::Nowhere => Self::Nowhere,
            Self::TlsHandshakeTimeout => Self::TlsHandshakeTimeout,
            Self::TlsRefused(error) => Self::TlsRefused(error.clone()),
            Self::Tls(error) => Self::Tls(error.clone()),
            _ => Self::Closed,
        }
    }
}
