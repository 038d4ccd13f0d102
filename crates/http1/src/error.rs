use http::StatusCode;

/// What is wrong with a response head?
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MalformedHead {
    /// Not HTTP/1 at all, or a broken line.
    #[error("{0}")]
    Syntax(httparse::Error),
    /// A status outside 100–999.
    #[error("status out of range")]
    Status,
    /// A field name or value that cannot be forwarded.
    #[error("invalid header field")]
    Field,
    /// More bytes than the limit.
    #[error("head is too large")]
    TooLarge,
    /// More fields than the limit.
    #[error("too many header fields")]
    TooManyFields,
    /// More interim (1xx) responses than anyone can want.
    #[error("too many interim responses")]
    TooManyInterim,
    /// `Content-Length` is not one number.
    #[error("invalid or contradictory content-length")]
    ContentLength,
    /// `Transfer-Encoding` is not exactly `chunked`.
    #[error("unsupported transfer-encoding")]
    TransferEncoding,
}

/// What is wrong with a chunked body?
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MalformedBody {
    /// A chunk size that is not a hexadecimal number of 64 bits.
    #[error("invalid chunk size")]
    ChunkSize,
    /// A line or a chunk that does not end in CR LF.
    #[error("chunk does not end in CR LF")]
    LineEnd,
    /// More chunk extensions than data.
    #[error("too much chunk overhead")]
    Overhead,
    /// Trailers that are not header fields.
    #[error("invalid trailer field")]
    Trailer,
    /// More trailers than the limit.
    #[error("trailers are too large")]
    TrailersTooLarge,
}

/// Why is a request not read, and how is that said?
///
/// The words are those of Go's server, which a client of Traefik may know.
///
/// ```
/// use traefikrs_http1::Refused;
/// assert_eq!(Refused::MissingHost.line(), "400 Bad Request: missing required Host header");
/// assert_eq!(Refused::Coding.text(), "Unsupported transfer encoding");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// The line, a field, or what the fields say of the body.
    #[error("malformed request")]
    Malformed,
    /// A space in the name of a field.
    #[error("space in the name of a header field")]
    Name,
    /// No `Host` where there must be one.
    #[error("missing required Host header")]
    MissingHost,
    /// A `Host` that cannot be one.
    #[error("malformed Host header")]
    MalformedHost,
    /// More bytes or fields than the limit.
    #[error("request head is too large")]
    TooLarge,
    /// `Transfer-Encoding` is not exactly `chunked`.
    #[error("unsupported transfer-encoding")]
    Coding,
    /// HTTP, but not HTTP/1.
    #[error("unsupported version of HTTP")]
    Version,
}

impl Refused {
    /// The status of the answer.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::Malformed | Self::Name | Self::MissingHost | Self::MalformedHost => {
                StatusCode::BAD_REQUEST
            }
            Self::TooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Coding => StatusCode::NOT_IMPLEMENTED,
            Self::Version => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
        }
    }

    /// The status as it stands in the first line of the answer.
    #[must_use]
    pub fn line(self) -> &'static str {
        match self {
            Self::Malformed => "400 Bad Request",
            Self::Name => "400 Bad Request: invalid header name",
            Self::MissingHost => "400 Bad Request: missing required Host header",
            Self::MalformedHost => "400 Bad Request: malformed Host header",
            Self::TooLarge => "431 Request Header Fields Too Large",
            Self::Coding => "501 Not Implemented",
            Self::Version => "505 HTTP Version Not Supported: unsupported protocol version",
        }
    }

    /// The body of the answer.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Coding => "Unsupported transfer encoding",
            other => other.line(),
        }
    }

    /// Writes the whole answer, whose end is that of the connection.
    pub fn write(self, out: &mut Vec<u8>) {
        for part in [
            "HTTP/1.1 ",
            self.line(),
            "\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n",
            self.text(),
        ] {
            out.extend_from_slice(part.as_bytes());
        }
    }
}

/// A body is not as long as its head says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LengthMismatch {
    /// It goes on.
    #[error("body is longer than declared")]
    TooLong,
    /// It ends early.
    #[error("body is shorter than declared")]
    TooShort,
}
