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

use crate::escape::{InvalidEscape, triplet};
use crate::host;
use crate::parts::{Authority, Malformed, split_authority, split_query, split_scheme};

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
            let (rest, query) = split_query(text);
            return Self::with_authority(Form::Authority, None, rest, query);
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
        let (scheme, rest) = split_scheme(text).map_err(|Malformed| Error::NoScheme)?;
        let (rest, query) = split_query(rest);
        // Traefik: the path of `scheme:name` is empty and the name what is sent on, which it then refuses.
        if !rest.starts_with('/') {
            return Err(Error::NotAPath);
        }
        match (scheme, rest.strip_prefix("//")) {
            (Some(scheme), Some(rest)) => {
                Self::with_authority(Form::Absolute, Some(scheme), rest, query)
            }
            (scheme, _) => {
                let form = if scheme.is_some() {
                    Form::Absolute
                } else {
                    Form::Origin
                };
                Ok(Self {
                    form,
                    scheme,
                    authority: None,
                    path: checked_path(rest)?,
                    query,
                })
            }
        }
    }

    /// `rest` is an authority and a path.
    fn with_authority(
        form: Form,
        scheme: Option<Cow<'a, str>>,
        rest: &'a str,
        query: Option<&'a str>,
    ) -> Result<Self, Error> {
        let (authority, path) = split_authority(rest);
        let authority = Authority::parse(authority, scheme.as_deref().unwrap_or("http"));
        let host = match authority.map_err(|Malformed| Error::Authority)?.host {
            // Go would let more pass here than in a Host header; no rule and no server could use it.
            host if !host::is_valid(&host) => return Err(Error::Authority),
            Cow::Borrowed(host) => std::str::from_utf8(host).map(Cow::Borrowed),
            Cow::Owned(host) => String::from_utf8(host)
                .map(Cow::Owned)
                .map_err(|error| error.utf8_error()),
        };
        let host = host.map_err(|_| Error::Authority)?;
        let authority = (!host.is_empty()).then_some(host);
        Ok(Self {
            form,
            scheme,
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
