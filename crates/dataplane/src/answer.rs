//! Answers of the proxy itself, in Traefik's shapes.

use http::header::{CONNECTION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Response, StatusCode};

use crate::body::Content;

/// An answer on its way to the client.
pub(crate) type Answer = Response<Content>;

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const CLOSE: HeaderValue = HeaderValue::from_static("close");

/// No route.
pub(crate) fn not_found() -> Answer {
    plain(StatusCode::NOT_FOUND, "404 page not found\n")
}

/// No server to pick.
pub(crate) fn no_server() -> Answer {
    plain(StatusCode::SERVICE_UNAVAILABLE, "no available server\n")
}

/// A body that is larger than a service takes.
pub(crate) fn too_large() -> Answer {
    plain(StatusCode::PAYLOAD_TOO_LARGE, "Request body too large\n")
}

/// Just the status.
pub(crate) fn empty(status: StatusCode) -> Answer {
    answer(status, "")
}

/// The status and its name, without a type: how the proxy reports that a server failed it.
pub(crate) fn bare(status: StatusCode) -> Answer {
    answer(status, text(status))
}

/// The status and `text`, and no more requests on this connection: how a server refuses what it could not read.
pub(crate) fn refusal(status: StatusCode, text: &'static str) -> Answer {
    let mut answer = answer(status, text);
    answer.headers_mut().insert(CONTENT_TYPE, TEXT);
    answer.headers_mut().insert(CONNECTION, CLOSE);
    answer
}

/// As [`empty`], and no more requests on this connection.
pub(crate) fn last(status: StatusCode) -> Answer {
    let mut answer = empty(status);
    answer.headers_mut().insert(CONNECTION, CLOSE);
    answer
}

fn plain(status: StatusCode, text: &'static str) -> Answer {
    let mut answer = answer(status, text);
    answer.headers_mut().insert(CONTENT_TYPE, TEXT);
    answer
        .headers_mut()
        .insert(X_CONTENT_TYPE_OPTIONS, NO_SNIFF);
    answer
}

fn answer(status: StatusCode, text: &'static str) -> Answer {
    let mut answer = Response::new(Content::from(text));
    *answer.status_mut() = status;
    answer
}

/// The name of a status, as Go has it.
pub(crate) fn text(status: StatusCode) -> &'static str {
    match status.as_u16() {
        499 => "Client Closed Request",
        _ => status.canonical_reason().unwrap_or_default(),
    }
}
