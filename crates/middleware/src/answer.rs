use bytes::Bytes;
use http::header::{CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderValue, Response, StatusCode, response};

/// A small response that a middleware gives itself.
///
/// It has no `Content-Length` yet; that is for whoever sends it.
#[derive(Debug)]
pub struct Answer {
    /// Status and headers.
    pub head: response::Parts,
    /// The whole body.
    pub body: Bytes,
}

impl Answer {
    /// A status without a body.
    pub fn empty(status: StatusCode) -> Self {
        Self::new(status, Bytes::new())
    }

    /// A status with its own name as the body, and no type.
    pub fn bare(status: StatusCode) -> Self {
        let text = status.canonical_reason().unwrap_or_default();
        Self::new(status, Bytes::from_static(text.as_bytes()))
    }

    /// An error in words, as Go's `http.Error` gives it: one line of plain text.
    pub fn error(status: StatusCode, text: &str) -> Self {
        let mut answer = Self::new(status, Bytes::from(format!("{text}\n")));
        let headers = &mut answer.head.headers;
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        );
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        answer
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.head.status
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    fn new(status: StatusCode, body: Bytes) -> Self {
        let (mut head, ()) = Response::new(()).into_parts();
        head.status = status;
        Self { head, body }
    }
}

impl From<Answer> for Response<Bytes> {
    fn from(answer: Answer) -> Self {
        Self::from_parts(answer.head, answer.body)
    }
}
