//! What the two redirects share.

use http::header::{HOST, LOCATION};
use http::{HeaderValue, Method, StatusCode, request};
use traefikrs_gourl::reference;

use crate::answer::Answer;

/// The host a request is for, with its port, as the client wrote it.
pub(crate) fn host(request: &request::Parts) -> &str {
    match request.headers.get(HOST) {
        Some(host) => host.to_str().unwrap_or_default(),
        None => request
            .uri
            .authority()
            .map_or("", |authority| authority.as_str()),
    }
}

/// What stands in the request line.
pub(crate) fn target(request: &request::Parts) -> &str {
    request
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str())
}

/// Sends the client to `url`.
pub(crate) fn redirect(url: &[u8], method: &Method, permanent: bool) -> Box<Answer> {
    let location = std::str::from_utf8(url)
        .ok()
        .and_then(|url| reference::normalize(url).ok());
    let Some(location) = location.and_then(|location| HeaderValue::try_from(location).ok()) else {
        return Box::new(Answer::bare(StatusCode::BAD_GATEWAY));
    };
    // Traefik: a client may turn any other method into GET when it follows 301 or 302; HEAD is no exception.
    let status = match (permanent, *method == Method::GET) {
        (false, true) => StatusCode::FOUND,
        (false, false) => StatusCode::TEMPORARY_REDIRECT,
        (true, true) => StatusCode::MOVED_PERMANENTLY,
        (true, false) => StatusCode::PERMANENT_REDIRECT,
    };
    let mut answer = Answer::bare(status);
    answer.head.headers.insert(LOCATION, location);
    Box::new(answer)
}
