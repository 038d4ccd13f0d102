//! What the two redirects share.

use http::header::{HOST, LOCATION};
use http::{HeaderValue, Method, StatusCode, Uri, request};
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

/// Sends the client to `new`, unless that is where it is.
///
/// # Errors
/// The answer that sends it there, or 502 where `new` is no URL.
pub(crate) fn move_to(
    new: &[u8],
    old: &[u8],
    request: &mut request::Parts,
    permanent: bool,
) -> Result<(), Box<Answer>> {
    let location = location(new).ok_or_else(|| Box::new(Answer::bare(StatusCode::BAD_GATEWAY)))?;
    if new != old {
        return Err(redirect(location, &request.method, permanent));
    }
    // Traefik: what passes goes on as the path of that URL, and `*` has none.
    if target(request) == "*" {
        request.uri = Uri::from_static("/");
    }
    Ok(())
}

fn location(url: &[u8]) -> Option<HeaderValue> {
    let url = reference::normalize(std::str::from_utf8(url).ok()?).ok()?;
    HeaderValue::try_from(url).ok()
}

fn redirect(location: HeaderValue, method: &Method, permanent: bool) -> Box<Answer> {
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
