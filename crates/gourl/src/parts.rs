//! The pieces that request targets and URL references share.

use std::borrow::Cow;
use std::net::Ipv6Addr;

use crate::class::{self, GO_HOST, USER_INFO};
use crate::escape::{decode_path, triplet};

/// What follows `//`.
pub(crate) struct Authority<'a> {
    /// As it was written.
    pub(crate) user: Option<&'a str>,
    /// Decoded, with its port.
    pub(crate) host: Cow<'a, [u8]>,
}

/// A scheme, user or host that Go refuses.
#[derive(Debug)]
pub(crate) struct Malformed;

/// Splits `scheme:` off, if there is one, in lower case.
pub(crate) fn split_scheme(text: &str) -> Result<(Option<Cow<'_, str>>, &str), Malformed> {
    let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    let Some(end) = text.bytes().position(|byte| !is_scheme(byte)) else {
        return Ok((None, text));
    };
    let (scheme, rest) = text.split_at(end);
    let Some(rest) = rest.strip_prefix(':') else {
        return Ok((None, text));
    };
    match scheme.bytes().next() {
        None => Err(Malformed),
        Some(first) if first.is_ascii_alphabetic() => Ok((Some(lower_case(scheme)), rest)),
        Some(_) => Ok((None, text)),
    }
}

/// Splits what follows the first `?` off.
pub(crate) fn split_query(text: &str) -> (&str, Option<&str>) {
    match text.split_once('?') {
        Some((rest, query)) => (rest, Some(query)),
        None => (text, None),
    }
}

/// Splits an authority, whose `//` has been read, from its path.
pub(crate) fn split_authority(text: &str) -> (&str, &str) {
    text.split_at(text.find('/').unwrap_or(text.len()))
}

impl<'a> Authority<'a> {
    pub(crate) fn parse(text: &'a str, scheme: &str) -> Result<Self, Malformed> {
        let (user, host) = match text.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, text),
        };
        if !user.is_none_or(is_user) {
            return Err(Malformed);
        }
        Ok(Self {
            user,
            host: host_and_port(host, scheme)?,
        })
    }
}

fn is_user(user: &str) -> bool {
    user.bytes().all(|byte| class::is(byte, USER_INFO)) && decode_path(user.as_bytes()).is_ok()
}

fn host_and_port<'a>(host: &'a str, scheme: &str) -> Result<Cow<'a, [u8]>, Malformed> {
    if let Some(rest) = host.strip_prefix('[') {
        return literal(host, rest);
    }
    let colon = if matches!(scheme, "http" | "https") {
        host.find(':')
    } else {
        host.rfind(':')
    };
    let (name, port) = host.split_at(colon.unwrap_or(host.len()));
    let is_fine = |byte: u8| byte >= 0x80 || byte == b'%' || class::is(byte, GO_HOST);
    if !is_port(port) || name.contains('[') || !name.bytes().all(is_fine) || !has_fine_escapes(name)
    {
        return Err(Malformed);
    }
    decode_path(host.as_bytes()).map_err(|_| Malformed)
}

/// A host may be escaped only where it is not ASCII; `%25` is let through.
fn has_fine_escapes(name: &str) -> bool {
    let mut rest = name.as_bytes();
    while let Some(at) = rest.iter().position(|&byte| byte == b'%') {
        rest = &rest[at..];
        if !triplet(rest).is_ok_and(|byte| byte >= 0x80 || byte == b'%') {
            return false;
        }
        rest = &rest[3..];
    }
    true
}

/// `[address]` or `[address%25zone]`, then perhaps a port.
fn literal<'a>(host: &'a str, rest: &'a str) -> Result<Cow<'a, [u8]>, Malformed> {
    let (inside, port) = rest.rsplit_once(']').ok_or(Malformed)?;
    let (address, zone) = match inside.split_once("%25") {
        Some((address, zone)) => (address, Some(zone)),
        None => (inside, None),
    };
    let is_zone =
        |zone: &str| !zone.is_empty() && zone.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if address.parse::<Ipv6Addr>().is_err() || !zone.is_none_or(is_zone) || !is_port(port) {
        return Err(Malformed);
    }
    Ok(match zone {
        Some(zone) => Cow::Owned(format!("[{address}%{zone}]{port}").into_bytes()),
        None => Cow::Borrowed(host.as_bytes()),
    })
}

/// Nothing, or a colon and any number of digits.
fn is_port(port: &str) -> bool {
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    port.is_empty() || port.strip_prefix(':').is_some_and(is_number)
}

fn lower_case(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}
