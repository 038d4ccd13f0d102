//! Answers of the proxy itself, in Traefik's shapes.

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use traefikrs_http1::Refused;

use crate::body::Content;
use crate::intake::has_token;

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

/// The status and its name as a line of text: how a service reports that it has nobody to ask, or nothing to send.
pub(crate) fn fault(status: StatusCode) -> Answer {
    let line = format!("{}\n", text(status));
    plain(status, "").map(|_| Content::Whole(line.into()))
}

/// Just the status.
pub(crate) fn empty(status: StatusCode) -> Answer {
    answer(status, "")
}

/// The status and its name, without a type: how the proxy reports that a server failed it.
pub(crate) fn bare(status: StatusCode) -> Answer {
    answer(status, text(status))
}

/// What is not even read; HTTP/1 has a form of its own for it.
pub(crate) fn refusal(refused: Refused) -> Answer {
    let mut answer = Response::new(Content::Refusal(refused));
    *answer.status_mut() = refused.status();
    answer
}

/// Says a [`refusal`] in fields, as any other answer.
pub(crate) fn in_fields(mut answer: Answer) -> Answer {
    if let Content::Refusal(refused) = *answer.body() {
        answer.headers_mut().insert(CONTENT_TYPE, TEXT);
        *answer.body_mut() = Content::Whole(Bytes::from_static(refused.text().as_bytes()));
    }
    answer
}

/// Whether an answer says that nothing follows it.
pub(crate) fn says_close(headers: &HeaderMap) -> bool {
    let connection = headers.get(CONNECTION);
    connection.is_some_and(|connection| has_token(connection.as_bytes(), b"close"))
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

/// How the proxy words a status.
fn text(status: StatusCode) -> &'static str {
    match status.as_u16() {
        499 => "Client Closed Request",
        _ => name(status).unwrap_or_default(),
    }
}

/// The name of a status, as Go has it.
pub(crate) fn name(status: StatusCode) -> Option<&'static str> {
    match status.as_u16() {
        203 => Some("Non-Authoritative Information"),
        413 => Some("Request Entity Too Large"),
        414 => Some("Request URI Too Long"),
        416 => Some("Requested Range Not Satisfiable"),
        _ => status.canonical_reason(),
    }
}
