//! How does Go write a URL that it has read, and where does a relative one lead?
//!
//! ```
//! use traefikrs_gourl::reference::normalize;
//!
//! assert_eq!(normalize("HTTP://h/a b?c d")?, "http://h/a%20b?c d");
//! assert_eq!(normalize("/q")?, "/q");
//! assert!(normalize("http://192.168.0.%31/").is_err());
//! # Ok::<(), traefikrs_gourl::reference::Error>(())
//! ```

use std::borrow::Cow;

use crate::class::{self, GO_HOST, PATH, RAW_PATH, UNRESERVED};
use crate::escape::{InvalidEscape, decode_path, encode};
use crate::parts::{Authority, Malformed, split_authority, split_query, split_scheme};
use crate::path::escaped_path;

mod resolve;

pub use resolve::resolve;

/// Why a text is no URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It contains a control character.
    #[error("invalid control character in URL")]
    ControlByte,
    /// It starts with a colon.
    #[error("missing protocol scheme")]
    NoScheme,
    /// The user or the host is malformed.
    #[error("invalid host in URL")]
    Authority,
    /// It has no scheme, and a colon in its first segment.
    #[error("first path segment in URL cannot contain colon")]
    Colon,
    /// A `%` of the path or the fragment is not followed by two hexadecimal digits.
    #[error(transparent)]
    Escape(#[from] InvalidEscape),
}

/// Reads an absolute or relative URL and writes it again: the path is escaped where it must be, the query is left
/// alone.
///
/// # Errors
/// When Go's `url.Parse` refuses it.
pub fn normalize(text: &str) -> Result<String, Error> {
    if text.bytes().any(|byte| byte < b' ' || byte == 0x7F) {
        return Err(Error::ControlByte);
    }
    let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
    let mut out = String::with_capacity(text.len() + fragment.len() + 16);
    if text == "*" {
        out.push('*');
    } else {
        without_fragment(text, &mut out)?;
    }
    if !fragment.is_empty() {
        out.push('#');
        out.push_str(&escaped_fragment(fragment)?);
    }
    Ok(out)
}

fn without_fragment(text: &str, out: &mut String) -> Result<(), Error> {
    let (scheme, rest) = split_scheme(text).map_err(|Malformed| Error::NoScheme)?;
    let (rest, query) = split_query(rest);
    if let Some(scheme) = &scheme {
        out.push_str(scheme);
        out.push(':');
    }
    match scheme.as_deref() {
        // An opaque URL, such as mailto:name.
        Some(_) if !rest.starts_with('/') => out.push_str(rest),
        None if !rest.starts_with('/') && first_segment(rest).contains(':') => {
            return Err(Error::Colon);
        }
        scheme => hierarchy(scheme, rest, out)?,
    }
    if let Some(query) = query {
        out.push('?');
        out.push_str(query);
    }
    Ok(())
}

/// Writes the authority, if there is one, and the path.
fn hierarchy(scheme: Option<&str>, rest: &str, out: &mut String) -> Result<(), Error> {
    let after_slashes = rest
        .strip_prefix("//")
        .filter(|rest| scheme.is_some() || !rest.starts_with('/'));
    let Some(rest) = after_slashes else {
        let path = escaped_path(rest.as_bytes())?;
        // Without an authority two slashes in front would start one.
        let path = match path
            .strip_prefix('/')
            .filter(|rest| scheme.is_some() && rest.starts_with('/'))
        {
            Some(rest) => Cow::Owned(format!("%2F{rest}")),
            None => path,
        };
        if out.is_empty() && first_segment(&path).contains(':') {
            out.push_str("./");
        }
        out.push_str(&path);
        return Ok(());
    };
    let (authority, path) = split_authority(rest);
    let Authority { user, host } = Authority::parse(authority, scheme.unwrap_or_default())
        .map_err(|Malformed| Error::Authority)?;
    if scheme.is_some() || !host.is_empty() || user.is_some() {
        if !host.is_empty() || !path.is_empty() || user.is_some() {
            out.push_str("//");
        }
        if let Some(user) = user {
            out.push_str(&escaped_user(user)?);
            out.push('@');
        }
        out.push_str(&encode(&host, |byte| class::is(byte, GO_HOST)));
    }
    out.push_str(&escaped_path(path.as_bytes())?);
    Ok(())
}

fn escaped_user(user: &str) -> Result<String, InvalidEscape> {
    let escaped = |text: &str| {
        let decoded = decode_path(text.as_bytes())?;
        let is_literal = |byte| class::is(byte, UNRESERVED) || b"$&+,;=".contains(&byte);
        Ok::<_, InvalidEscape>(encode(&decoded, is_literal).into_owned())
    };
    Ok(match user.split_once(':') {
        Some((name, password)) => format!("{}:{}", escaped(name)?, escaped(password)?),
        None => escaped(user)?,
    })
}

fn escaped_fragment(raw: &str) -> Result<Cow<'_, str>, InvalidEscape> {
    let decoded = decode_path(raw.as_bytes())?;
    if raw
        .bytes()
        .all(|byte| class::is(byte, RAW_PATH) || matches!(byte, b'?' | b'%'))
    {
        return Ok(Cow::Borrowed(raw));
    }
    let is_literal = |byte| class::is(byte, PATH) || b"?!()*".contains(&byte);
    Ok(Cow::Owned(encode(&decoded, is_literal).into_owned()))
}

fn first_segment(path: &str) -> &str {
    path.split('/').next().unwrap_or_default()
}
