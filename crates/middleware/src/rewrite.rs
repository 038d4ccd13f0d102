//! Reading and writing the path of a request.

use std::borrow::Cow;

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, StatusCode, Uri, request};
use traefikrs_gourl::query::Semicolons;
use traefikrs_gourl::{InvalidEscape, Path, sanitize};

use crate::answer::Answer;
use crate::context::Context;

/// The escaped path of a request, which may be empty although its URI says `/`.
pub fn path<'r>(request: &'r request::Parts, context: &Context) -> &'r str {
    if context.path_is_empty {
        ""
    } else {
        request.uri.path()
    }
}

/// The path in both forms.
pub(crate) fn read<'r>(
    request: &'r request::Parts,
    context: &Context,
) -> Result<Path<'r>, Box<Answer>> {
    Path::from_escaped(path(request, context).as_bytes()).map_err(|_| bad_request())
}

/// Gives a request another path.
///
/// Its query stays, but for semicolons, which separate as `&` does.
pub(crate) fn write(
    request: &mut request::Parts,
    context: &mut Context,
    path: &Path<'_>,
) -> Result<(), Box<Answer>> {
    let escaped = path.escaped();
    context.path_is_empty = escaped.is_empty();
    let mut target =
        String::with_capacity(escaped.len() + request.uri.query().map_or(0, str::len) + 2);
    // Traefik: a path without its slash goes into the request line as it is; no server understands that.
    if !escaped.starts_with('/') && escaped != "*" {
        target.push('/');
    }
    target.push_str(&escaped);
    if let Some(query) = request.uri.query() {
        target.push('?');
        // Traefik: the target is written anew from the URL, where they have been replaced.
        target.push_str(&Semicolons::Separate.apply(query));
    }
    let target = PathAndQuery::from_maybe_shared(Bytes::from(target)).map_err(|_| bad_request())?;
    request.uri = if request.uri.authority().is_none() {
        Uri::from(target)
    } else {
        let mut parts = std::mem::take(&mut request.uri).into_parts();
        parts.path_and_query = Some(target);
        Uri::from_parts(parts).map_err(|_| bad_request())?
    };
    Ok(())
}

/// Refuses a path that would mean another one to whom it is sent: one with `//`, `/./` or `/../` left in it.
pub(crate) fn check_clean(path: &Path<'_>) -> Result<(), Box<Answer>> {
    let escaped = path.escaped();
    match sanitize(&escaped) {
        Cow::Borrowed(_) => Ok(()),
        Cow::Owned(_) if escaped.is_empty() => Ok(()),
        Cow::Owned(_) => Err(bad_request()),
    }
}

/// Takes the first `length` decoded bytes off, and what stands for them in the raw spelling.
pub(crate) fn strip<'p>(path: &'p Path<'_>, length: usize, force_slash: bool) -> Path<'p> {
    let decoded = &path.decoded[length..];
    let decoded = if force_slash {
        Cow::Owned([b"/", decoded.strip_prefix(b"/").unwrap_or(decoded)].concat())
    } else {
        with_slash(decoded)
    };
    let raw = path
        .raw
        .as_deref()
        .map(|raw| with_slash(&raw[raw_length(raw, length)..]));
    Path { decoded, raw }
}

/// How many bytes of a raw spelling stand for the first `decoded` bytes.
fn raw_length(raw: &[u8], decoded: usize) -> usize {
    let mut at = 0;
    for _ in 0..decoded {
        at += if raw.get(at) == Some(&b'%') { 3 } else { 1 };
    }
    at.min(raw.len())
}

/// Puts a slash in front where one is missing; what is empty stays so.
pub(crate) fn with_slash(path: &[u8]) -> Cow<'_, [u8]> {
    if path.is_empty() || path.starts_with(b"/") {
        Cow::Borrowed(path)
    } else {
        Cow::Owned([b"/", path].concat())
    }
}

/// Notes what the path was before.
pub(crate) fn add_header(
    request: &mut request::Parts,
    name: &HeaderName,
    value: &[u8],
) -> Result<(), Box<Answer>> {
    let value = HeaderValue::from_bytes(value).map_err(|_| bad_request())?;
    request.headers.append(name, value);
    Ok(())
}

pub(crate) fn bad_request() -> Box<Answer> {
    Box::new(Answer::error(StatusCode::BAD_REQUEST, "Bad Request"))
}

/// What Traefik answers when a path from the configuration cannot be decoded.
pub(crate) fn bad_escape(error: InvalidEscape) -> Box<Answer> {
    Box::new(Answer::error(
        StatusCode::INTERNAL_SERVER_ERROR,
        &error.to_string(),
    ))
}
