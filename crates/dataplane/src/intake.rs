//! What is made of a request before any rule sees it.
//!
//! Refused is what a server must refuse; paths, queries and forwarding headers get the one form that rules,
//! middlewares and servers then rely on.

use std::borrow::Cow;

use http::header::{CACHE_CONTROL, CONTENT_LENGTH, COOKIE, EXPECT, HOST, PRAGMA, UPGRADE};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, Version};
use traefikrs_gourl::query::Semicolons;
use traefikrs_gourl::{InvalidEscape, canonical_path, host, normalized_path};
use traefikrs_http1::Refused;
use traefikrs_upstream::expects_continue;

use crate::answer::{self, Answer};
use crate::connection::{Connection, Protocol};
use crate::options::HttpOptions;
use crate::serve::Asked;

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
pub(crate) fn take_in(connection: &Connection, asked: &mut Asked) -> Result<Intake, Box<Answer>> {
    let parts = &mut asked.parts;
    let options = &connection.entry_point.options;
    let seen = Seen::among(&parts.headers);
    let host = settle_host(parts, asked.host.take())?;
    check_framing(parts, seen)?;
    check_expectation(parts, seen)?;
    if parts.method == Method::CONNECT {
        let refusal = match connection.protocol() {
            Protocol::Http1 => answer::last,
            Protocol::Http2 => answer::empty,
        };
        return Err(Box::new(refusal(StatusCode::NOT_IMPLEMENTED)));
    }
    if asked.has_fragment {
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
        path_is_empty: asked.has_no_path && !options.http.sanitize_path,
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
    refuse(Refused::Malformed)
}

fn refuse(refused: Refused) -> Box<Answer> {
    Box::new(answer::refusal(refused))
}

/// Has only one framing go on, one that any server can count and read.
fn check_framing(parts: &mut Parts, seen: Seen) -> Result<(), Box<Answer>> {
    if seen.content_length() && parts.headers.get(CONTENT_LENGTH).is_some_and(is_too_long) {
        return Err(bad_request());
    }
    if seen.framing_alias() {
        parts.headers.remove(CONTENT_LENGTH_ALIAS);
        parts.headers.remove(TRANSFER_ENCODING_ALIAS);
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

/// Refuses expectations that this server does not know.
fn check_expectation(parts: &Parts, seen: Seen) -> Result<(), Box<Answer>> {
    if !seen.expect() || parts.version >= Version::HTTP_2 {
        return Ok(());
    }
    match parts.headers.get(EXPECT).map(HeaderValue::as_bytes) {
        None | Some(b"") => Ok(()),
        Some(_) if expects_continue(&parts.headers) => Ok(()),
        Some(_) => Err(Box::new(answer::last(StatusCode::EXPECTATION_FAILED))),
    }
}

/// Finds the host that the request is for, which is the one of its target if that is absolute, and makes `Host` say so.
fn settle_host(
    parts: &mut Parts,
    of_target: Option<HeaderValue>,
) -> Result<HeaderValue, Box<Answer>> {
    let mut hosts = parts.headers.get_all(HOST).iter();
    let header = hosts.next();
    if hosts.next().is_some() {
        return Err(bad_request());
    }
    if header.is_some_and(|header| !host::is_valid(header.as_bytes())) {
        return Err(refuse(Refused::MalformedHost));
    }
    let of_target = match of_target {
        None if parts.method != Method::CONNECT => host_of(&parts.uri)?,
        of_target => of_target,
    };
    match of_target {
        Some(host) => {
            parts.headers.insert(HOST, host.clone());
            Ok(host)
        }
        None => Ok(header.cloned().unwrap_or(HeaderValue::from_static(""))),
    }
}

/// The host that HTTP/2 tells beside the headers.
fn host_of(uri: &Uri) -> Result<Option<HeaderValue>, Box<Answer>> {
    let Some(authority) = uri.authority() else {
        return Ok(None);
    };
    let scheme = uri.scheme_str().unwrap_or_default();
    if !scheme.starts_with(|first: char| first.is_ascii_alphabetic()) {
        // RFC 3986 §3.1, which the URI type is lenient about. Without one, the form is for CONNECT.
        return Err(bad_request());
    }
    let authority = authority.as_str();
    if authority.contains('@') {
        // RFC 9113 §8.3.1.
        return Err(bad_request());
    }
    let host = HeaderValue::from_str(authority).map_err(|_| bad_request())?;
    Ok(Some(host).filter(|host| !host.is_empty()))
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
