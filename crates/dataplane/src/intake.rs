//! What is made of a request before any rule sees it.
//!
//! Refused is what a server must refuse; paths, queries and forwarding headers get the one form that rules,
//! middlewares and servers then rely on.

use std::borrow::Cow;

use http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, COOKIE, EXPECT, HOST, PRAGMA, TRAILER, TRANSFER_ENCODING,
    UPGRADE,
};
use http::request::Parts;
use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, Version};
use traefikrs_gourl::query::Semicolons;
use traefikrs_gourl::{InvalidEscape, canonical_path, host, normalized_path};

use crate::answer::{self, Answer};
use crate::connection::{Connection, Protocol};
use crate::options::HttpOptions;
use crate::request_line::Note;

mod connection_header;
mod forwarded;
mod seen;

pub(crate) use forwarded::FOR;
pub(crate) use seen::Seen;
use seen::{CONTENT_LENGTH_ALIAS, TRANSFER_ENCODING_ALIAS};

/// What a request says besides its method, target and headers.
#[derive(Debug)]
pub(crate) struct Intake {
    /// The host as the client wrote it, port included; empty if there is none. `Host` says the same, until a middleware
    /// changes it.
    pub(crate) host: HeaderValue,
    /// The protocol that the client wants to switch to.
    pub(crate) upgrade: Option<HeaderValue>,
    /// The target has no path, and shall not get one.
    pub(crate) path_is_empty: bool,
    /// Which headers there are that need attention when the request is forwarded.
    pub(crate) seen: Seen,
}

/// Checks and cleans a request; the answer to one that is refused is the error.
pub(crate) fn take_in(connection: &Connection, parts: &mut Parts) -> Result<Intake, Box<Answer>> {
    if parts.method == Method::CONNECT {
        return Err(Box::new(answer::last(StatusCode::NOT_IMPLEMENTED)));
    }
    let options = &connection.entry_point.options;
    let seen = Seen::among(&parts.headers);
    check_framing(parts, seen)?;
    let note = connection.take_note();
    if note == Some(Note::Bad) {
        return Err(bad_request());
    }
    let host = settle_host(parts)?;
    if note == Some(Note::Fragment) {
        return Err(Box::new(answer::empty(StatusCode::BAD_REQUEST)));
    }
    if parts.uri.path() == "*" && parts.method == Method::OPTIONS {
        return Err(Box::new(answer::empty(StatusCode::OK)));
    }
    match connection.protocol() {
        Protocol::Http1 => freshen(&mut parts.headers, seen),
        Protocol::Http2 => join_cookies(&mut parts.headers),
    }
    if let Some(uri) = rewritten(&parts.uri, &options.http).map_err(|_| bad_request())? {
        parts.uri = uri;
    }
    let upgrade = upgrade_of(parts)
        .filter(|_| seen.connection() && connection_header::asks_for_upgrade(&parts.headers));
    // Traefik: the scheme says `ws` by the first line alone.
    let announced = upgrade
        .as_ref()
        .filter(|_| connection_header::says_upgrade_first(&parts.headers));
    forwarded::fill_in(connection, &mut parts.headers, &host, announced, seen);
    let upgrade = if seen.connection() {
        let kept = &options.forwarded_headers.connection;
        connection_header::obey(&mut parts.headers, kept, upgrade)
    } else {
        None
    };
    Ok(Intake {
        path_is_empty: note == Some(Note::NoPath) && !options.http.sanitize_path,
        host,
        upgrade,
        seen,
    })
}

/// The protocol that the client would rather speak.
///
/// Traefik: not HTTP/2. A server that agreed to speak it would be asked things that nobody has looked at.
fn upgrade_of(parts: &Parts) -> Option<HeaderValue> {
    let upgrade = parts
        .headers
        .get(UPGRADE)
        .filter(|_| parts.version == Version::HTTP_11)?;
    let is_wanted = !upgrade.is_empty() && !has_token(upgrade.as_bytes(), b"h2c");
    is_wanted.then(|| upgrade.clone())
}

fn bad_request() -> Box<Answer> {
    Box::new(answer::refusal(StatusCode::BAD_REQUEST, "400 Bad Request"))
}

/// Refuses codings and expectations that this server does not know.
fn check_framing(parts: &mut Parts, seen: Seen) -> Result<(), Box<Answer>> {
    if seen.transfer_encoding() {
        let mut codings = parts.headers.get_all(TRANSFER_ENCODING).iter();
        let is_chunked = codings
            .next()
            .is_some_and(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked"));
        if !is_chunked || codings.next().is_some() {
            return Err(Box::new(answer::refusal(
                StatusCode::NOT_IMPLEMENTED,
                "Unsupported transfer encoding",
            )));
        }
        check_announced_trailers(&parts.headers)?;
        // RFC 9112 §6.3: the coding overrides a length, and only one of them may be passed on.
        parts.headers.remove(TRANSFER_ENCODING);
        parts.headers.remove(CONTENT_LENGTH);
    } else if seen.content_length() && parts.headers.get(CONTENT_LENGTH).is_some_and(is_too_long) {
        return Err(bad_request());
    }
    if seen.framing_alias() {
        parts.headers.remove(CONTENT_LENGTH_ALIAS);
        parts.headers.remove(TRANSFER_ENCODING_ALIAS);
    }
    if seen.expect() && parts.version < Version::HTTP_2 {
        let expected = parts
            .headers
            .get(EXPECT)
            .map(HeaderValue::as_bytes)
            .unwrap_or_default();
        if !has_token(expected, b"100-continue") && !expected.is_empty() {
            return Err(Box::new(answer::last(StatusCode::EXPECTATION_FAILED)));
        }
    }
    Ok(())
}

/// Whether a length is beyond what many servers, Go's among them, can count.
fn is_too_long(length: &HeaderValue) -> bool {
    let length = length
        .to_str()
        .ok()
        .and_then(|length| length.parse::<u64>().ok());
    length.is_none_or(|length| i64::try_from(length).is_err())
}

/// RFC 9110 §6.5.1: what frames a message cannot come behind it.
fn check_announced_trailers(headers: &HeaderMap) -> Result<(), Box<Answer>> {
    let announced = headers.get_all(TRAILER).iter();
    let mut names = announced.flat_map(|line| tokens(line.as_bytes()));
    let frames = |name: &[u8]| {
        [TRANSFER_ENCODING, CONTENT_LENGTH, TRAILER]
            .iter()
            .any(|framing| name.eq_ignore_ascii_case(framing.as_str().as_bytes()))
    };
    if names.any(frames) {
        return Err(bad_request());
    }
    Ok(())
}

/// Finds the host that the request is for, which is the one of its target if that is absolute, and makes `Host` say so.
fn settle_host(parts: &mut Parts) -> Result<HeaderValue, Box<Answer>> {
    let mut hosts = parts.headers.get_all(HOST).iter();
    let header = hosts.next();
    if hosts.next().is_some() {
        return Err(bad_request());
    }
    let refuse = |text| Err(Box::new(answer::refusal(StatusCode::BAD_REQUEST, text)));
    if header.is_none() && parts.version == Version::HTTP_11 {
        return refuse("400 Bad Request: missing required Host header");
    }
    if header.is_some_and(|header| !host::is_valid(header.as_bytes())) {
        return refuse("400 Bad Request: malformed Host header");
    }
    if parts.uri.scheme().is_none() && parts.uri.authority().is_some() {
        // The form is for CONNECT only.
        return Err(bad_request());
    }
    let scheme = parts.uri.scheme_str().unwrap_or("http");
    if !scheme.starts_with(|first: char| first.is_ascii_alphabetic()) {
        // RFC 3986 §3.1, which the URI type is lenient about.
        return Err(bad_request());
    }
    let authority = parts.uri.authority().map_or("", Authority::as_str);
    if parts.version == Version::HTTP_2 && authority.contains('@') {
        // RFC 9113 §8.3.1.
        return Err(bad_request());
    }
    let absolute = parts.uri.authority().map(|authority| {
        let authority = authority.as_str();
        authority
            .rsplit_once('@')
            .map_or(authority, |(_, host)| host)
    });
    match absolute {
        Some(host) if !host.is_empty() => {
            let host = HeaderValue::from_str(host).map_err(|_| bad_request())?;
            parts.headers.insert(HOST, host.clone());
            Ok(host)
        }
        _ => Ok(header.cloned().unwrap_or(HeaderValue::from_static(""))),
    }
}

/// The target in its canonical form, if that is another than the one it has.
fn rewritten(uri: &Uri, options: &HttpOptions) -> Result<Option<Uri>, Unreadable> {
    let path = if options.sanitize_path {
        canonical_path(uri.path())?
    } else {
        normalized_path(uri.path())?
    };
    let is_origin_form = uri.scheme().is_none() && uri.authority().is_none();
    let target = uri.path_and_query().map_or("", PathAndQuery::as_str);
    // http lets a path be left out before the query.
    let query = uri.query().map(|query| encoded(query, options));
    let is_same = matches!(path, Cow::Borrowed(same) if same.len() == uri.path().len())
        && !matches!(query, Some(Cow::Owned(_)))
        && !target.starts_with('?');
    if is_same {
        if is_origin_form {
            return Ok(None);
        }
        return Ok(uri.path_and_query().cloned().map(Uri::from));
    }
    let target = match query {
        Some(query) => format!("{path}?{query}"),
        None => path.into_owned(),
    };
    let target = PathAndQuery::try_from(target).map_err(|_| Unreadable)?;
    Ok(Some(Uri::from(target)))
}

/// Semicolons that are text are written so at once; what separates stays, for redirects repeat it.
fn encoded<'q>(query: &'q str, options: &HttpOptions) -> Cow<'q, str> {
    match options.semicolons {
        Semicolons::Encode => Semicolons::Encode.apply(query),
        Semicolons::Separate => Cow::Borrowed(query),
    }
}

struct Unreadable;

impl From<InvalidEscape> for Unreadable {
    fn from(_: InvalidEscape) -> Self {
        Self
    }
}

/// RFC 9113 §8.2.3: cookies may come one by one, and go on as one.
fn join_cookies(headers: &mut HeaderMap) {
    let mut lines = headers.get_all(COOKIE).iter();
    if lines.next().is_none() || lines.next().is_none() {
        return;
    }
    let lines: Vec<&[u8]> = headers
        .get_all(COOKIE)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    let joined =
        HeaderValue::from_bytes(&lines.join(&b"; "[..])).expect("values make a value when joined");
    headers.insert(COOKIE, joined);
}

/// Says in the words of HTTP/1.1 what a client asks for in those of HTTP/1.0, as Go's server does.
fn freshen(headers: &mut HeaderMap, seen: Seen) {
    let is_fresh = seen.pragma()
        && headers
            .get(PRAGMA)
            .is_some_and(|pragma| pragma == "no-cache");
    if is_fresh && !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    }
}

/// Whether `token` is in a comma-separated list.
pub(crate) fn has_token(list: &[u8], token: &[u8]) -> bool {
    tokens(list).any(|each| each.eq_ignore_ascii_case(token))
}

/// The items of a comma-separated list.
pub(crate) fn tokens(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|&byte| byte == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|token| !token.is_empty())
}
