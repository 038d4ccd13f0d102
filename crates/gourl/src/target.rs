//! What does a request line ask for?
//!
//! ```
//! use traefikrs_gourl::target::{Form, Target};
//!
//! let target = Target::parse(b"http://user@Example.com:80/a?b", false)?;
//! assert_eq!(target.form, Form::Absolute);
//! assert_eq!((target.scheme.as_deref(), target.authority.as_deref()), (Some("http"), Some("Example.com:80")));
//! assert_eq!((target.path, target.query), ("/a", Some("b")));
//! # Ok::<(), traefikrs_gourl::target::Error>(())
//! ```

use std::borrow::Cow;
use std::net::Ipv6Addr;

use crate::class::{self, HOST, USER_INFO};
use crate::escape::{InvalidEscape, triplet};

/// The four forms of RFC 9112 §3.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `/path?query`
    Origin,
    /// `scheme://authority/path?query`
    Absolute,
    /// `*`
    Asterisk,
    /// `host:port`, of CONNECT only
    Authority,
}

/// A request target taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// How it was written.
    pub form: Form,
    /// The scheme of an absolute form, in lower case.
    pub scheme: Option<Cow<'a, str>>,
    /// The authority without user information, which replaces the `Host` header; `None` when it is absent or empty.
    pub authority: Option<Cow<'a, str>>,
    /// The path as it was written: see [`canonical_path`](crate::canonical_path). It may be empty in an absolute form.
    pub path: &'a str,
    /// What follows the first `?`; empty for a bare `?`.
    pub query: Option<&'a str>,
}

/// Why a target is refused; the answer is 400.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no target.
    #[error("empty url")]
    Empty,
    /// It contains a control character or a space.
    #[error("invalid control character in URL")]
    ControlByte,
    /// It is not UTF-8.
    #[error("invalid UTF-8 in URL")]
    NotUtf8,
    /// It does not start with a slash and is no absolute form either.
    #[error("invalid URI for request")]
    NotAPath,
    /// It starts with a colon.
    #[error("missing protocol scheme")]
    NoScheme,
    /// The authority of an absolute form is malformed.
    #[error("invalid host in URL")]
    Authority,
    /// A `%` of the path is not followed by two hexadecimal digits.
    #[error(transparent)]
    Escape(#[from] InvalidEscape),
    /// The path contains a raw `#`, which Traefik answers with an empty body.
    #[error("fragment in request path")]
    Fragment,
}

impl<'a> Target<'a> {
    /// Takes a raw target apart as Go's server does.
    ///
    /// # Errors
    /// When the target is refused with 400.
    pub fn parse(raw: &'a [u8], is_connect: bool) -> Result<Self, Error> {
        let text = text(raw)?;
        if is_connect && !text.starts_with('/') {
            return authority_form(text);
        }
        if text == "*" {
            return Ok(Self {
                form: Form::Asterisk,
                scheme: None,
                authority: None,
                path: "*",
                query: None,
            });
        }
        let (scheme, rest) = split_scheme(text)?;
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query)),
            None => (rest, None),
        };
        // Go takes `scheme:name` as an opaque URL whose path is empty and forwards the name as the target;
        // nothing that speaks HTTP sends one.
        if !rest.starts_with('/') {
            return Err(Error::NotAPath);
        }
        let Some(scheme) = scheme else {
            let path = checked_path(rest)?;
            return Ok(Self {
                form: Form::Origin,
                scheme: None,
                authority: None,
                path,
                query,
            });
        };
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
            None => ("", rest),
        };
        let authority = host_of(authority, &scheme)?;
        Ok(Self {
            form: Form::Absolute,
            scheme: Some(scheme),
            authority,
            path: checked_path(path)?,
            query,
        })
    }
}

fn text(raw: &[u8]) -> Result<&str, Error> {
    if raw.is_empty() {
        return Err(Error::Empty);
    }
    if raw.iter().any(|&byte| byte <= b' ' || byte == 0x7F) {
        return Err(Error::ControlByte);
    }
    std::str::from_utf8(raw).map_err(|_| Error::NotUtf8)
}

/// Checks what Go's server checks of a path, and that it has no `#`.
fn checked_path(path: &str) -> Result<&str, Error> {
    let bytes = path.as_bytes();
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|&byte| byte == b'%') {
        triplet(&rest[at..])?;
        rest = &rest[at + 3..];
    }
    if bytes.contains(&b'#') {
        return Err(Error::Fragment);
    }
    Ok(path)
}

/// Splits `scheme:` off, if there is one.
fn split_scheme(text: &str) -> Result<(Option<Cow<'_, str>>, &str), Error> {
    let end = text
        .bytes()
        .position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')));
    match end {
        Some(0) if text.starts_with(':') => Err(Error::NoScheme),
        Some(end) if text[end..].starts_with(':') && text.as_bytes()[0].is_ascii_alphabetic() => {
            Ok((Some(lower_case(&text[..end])), &text[end + 1..]))
        }
        _ => Ok((None, text)),
    }
}

fn authority_form(text: &str) -> Result<Target<'_>, Error> {
    let (rest, query) = match text.split_once('?') {
        Some((rest, query)) => (rest, Some(query)),
        None => (text, None),
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let authority = host_of(authority, "http")?;
    Ok(Target {
        form: Form::Authority,
        scheme: None,
        authority,
        path: checked_path(path)?,
        query,
    })
}

/// The host and port of an authority, `None` when they are empty.
fn host_of<'a>(authority: &'a str, scheme: &str) -> Result<Option<Cow<'a, str>>, Error> {
    let host = match authority.rsplit_once('@') {
        Some((user, host)) if user.bytes().all(|byte| class::is(byte, USER_INFO)) => {
            checked_path(user)?;
            host
        }
        Some(_) => return Err(Error::Authority),
        None => authority,
    };
    if host.is_empty() {
        return Ok(None);
    }
    if let Some(rest) = host.strip_prefix('[') {
        return literal(host, rest).map(Some);
    }
    let is_web = matches!(scheme, "http" | "https");
    let port = if is_web {
        host.find(':')
    } else {
        host.rfind(':')
    };
    let (name, port) = host.split_at(port.unwrap_or(host.len()));
    // An escape could only stand for a byte above 0x7F, which no host that is served may contain.
    let is_host = |byte: u8| class::is(byte, HOST) && !matches!(byte, b'%' | b'[');
    if is_port(port) && name.bytes().all(is_host) {
        Ok(Some(Cow::Borrowed(host)))
    } else {
        Err(Error::Authority)
    }
}

/// `[address]` or `[address%25zone]`, then perhaps a port.
fn literal<'a>(host: &'a str, rest: &'a str) -> Result<Cow<'a, str>, Error> {
    let (inside, port) = rest.rsplit_once(']').ok_or(Error::Authority)?;
    let (address, zone) = match inside.split_once("%25") {
        Some((address, zone)) => (address, Some(zone)),
        None => (inside, None),
    };
    let is_zone =
        |zone: &str| !zone.is_empty() && zone.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if address.parse::<Ipv6Addr>().is_err() || !zone.is_none_or(is_zone) || !is_port(port) {
        return Err(Error::Authority);
    }
    Ok(match zone {
        Some(zone) => Cow::Owned(format!("[{address}%{zone}]{port}")),
        None => Cow::Borrowed(host),
    })
}

/// Nothing, or a colon and any number of digits.
fn is_port(port: &str) -> bool {
    port.is_empty()
        || port
            .strip_prefix(':')
            .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn lower_case(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}
