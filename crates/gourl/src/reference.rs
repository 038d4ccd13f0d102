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
use std::fmt;

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
    Url::parse(text).map(|url| url.to_string())
}

/// What does Go find in an absolute or relative URL? It is written as Go writes it again.
#[derive(Debug)]
pub struct Url<'t> {
    /// In lower case.
    pub scheme: Option<Cow<'t, str>>,
    /// Host and port, decoded; empty where there is no host.
    pub host: Cow<'t, [u8]>,
    /// Escaped where it must be.
    pub path: Cow<'t, str>,
    user: Option<String>,
    has_slashes: bool,
    /// What follows the scheme where that is no path: `name` of `mailto:name`.
    opaque: Option<&'t str>,
    query: Option<&'t str>,
    fragment: Cow<'t, str>,
}

impl<'t> Url<'t> {
    /// Takes a URL apart.
    ///
    /// # Errors
    /// When Go's `url.Parse` refuses it.
    pub fn parse(text: &'t str) -> Result<Self, Error> {
        if text.bytes().any(|byte| byte < b' ' || byte == 0x7F) {
            return Err(Error::ControlByte);
        }
        let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
        let fragment = escaped_fragment(fragment)?;
        let (scheme, rest) = split_scheme(text).map_err(|Malformed| Error::NoScheme)?;
        let (rest, query) = split_query(rest);
        let mut url = Self {
            scheme,
            host: Cow::default(),
            path: Cow::default(),
            user: None,
            has_slashes: false,
            opaque: None,
            query,
            fragment,
        };
        match url.scheme {
            _ if text == "*" => url.path = Cow::Borrowed("*"),
            Some(_) if !rest.starts_with('/') => url.opaque = Some(rest),
            None if !rest.starts_with('/') && first_segment(rest).contains(':') => {
                return Err(Error::Colon);
            }
            _ => url.hierarchy(rest)?,
        }
        Ok(url)
    }

    /// `user:password` in front of the host, decoded: what Go's client authenticates with.
    pub fn credentials(&self) -> Option<Vec<u8>> {
        let user = self.user.as_deref()?;
        let (name, password) = user.split_once(':').unwrap_or((user, ""));
        let name = decode_path(name.as_bytes()).ok()?;
        let password = decode_path(password.as_bytes()).ok()?;
        Some([&name, &b":"[..], &password].concat())
    }

    /// Reads the authority, if there is one, and the path.
    fn hierarchy(&mut self, rest: &'t str) -> Result<(), Error> {
        let after_slashes = rest
            .strip_prefix("//")
            .filter(|rest| self.scheme.is_some() || !rest.starts_with('/'));
        let path = match after_slashes {
            None => rest,
            Some(rest) => {
                let (authority, path) = split_authority(rest);
                let scheme = self.scheme.as_deref().unwrap_or_default();
                let Authority { user, host } =
                    Authority::parse(authority, scheme).map_err(|Malformed| Error::Authority)?;
                self.user = user.map(escaped_user).transpose()?;
                self.host = host;
                self.has_slashes = true;
                path
            }
        };
        self.path = escaped_path(path.as_bytes())?;
        Ok(())
    }
}

impl fmt::Display for Url<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(scheme) = &self.scheme {
            write!(f, "{scheme}:")?;
        }
        let has_authority = !self.host.is_empty() || self.user.is_some();
        let starts_afresh = self.scheme.is_none() && !has_authority;
        if has_authority || (self.has_slashes && self.scheme.is_some() && !self.path.is_empty()) {
            f.write_str("//")?;
        }
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        f.write_str(&encode(&self.host, |byte| class::is(byte, GO_HOST)))?;
        // Without an authority two slashes in front would start one.
        match self.path.strip_prefix('/') {
            Some(rest) if self.scheme.is_some() && !self.has_slashes && rest.starts_with('/') => {
                write!(f, "%2F{rest}")?;
            }
            _ if starts_afresh && first_segment(&self.path).contains(':') => {
                write!(f, "./{}", self.path)?;
            }
            _ => f.write_str(&self.path)?,
        }
        f.write_str(self.opaque.unwrap_or_default())?;
        if let Some(query) = self.query {
            write!(f, "?{query}")?;
        }
        if !self.fragment.is_empty() {
            write!(f, "#{}", self.fragment)?;
        }
        Ok(())
    }
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
