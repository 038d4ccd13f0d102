use std::borrow::Cow;

use crate::class::{self, PLAIN, RAW_PATH, RESERVED};
use crate::escape::{
    InvalidEscape, decode_path, encode_path, normalize_escapes, push_upper, rewrite,
};

/// What a server makes of a raw path before anything compares it: escapes normalised, the escaped form taken
/// ([`escaped_path`]), dot segments and doubled slashes resolved ([`sanitize`]).
///
/// One scan and no allocation when the path is already so.
///
/// # Errors
/// When a `%` is not followed by two hexadecimal digits: the answer is 400.
pub fn canonical_path(raw: &str) -> Result<Cow<'_, str>, InvalidEscape> {
    if is_canonical(raw.as_bytes()) {
        return Ok(Cow::Borrowed(raw));
    }
    Ok(match normalized_path(raw)? {
        Cow::Borrowed(escaped) => sanitize(escaped),
        Cow::Owned(escaped) => Cow::Owned(sanitize(&escaped).into_owned()),
    })
}

/// [`canonical_path`] for a server told not to sanitise: escapes are normalised, the escaped form is taken, segments
/// stay as they are.
///
/// # Errors
/// When a `%` is not followed by two hexadecimal digits.
pub fn normalized_path(raw: &str) -> Result<Cow<'_, str>, InvalidEscape> {
    Ok(match normalize_escapes(raw.as_bytes())? {
        Cow::Borrowed(normal) => escaped_path(normal)?,
        Cow::Owned(normal) => Cow::Owned(escaped_path(&normal)?.into_owned()),
    })
}

/// Decides whether [`canonical_path`] would change nothing.
fn is_canonical(path: &[u8]) -> bool {
    let mut previous = b'x';
    for (at, &byte) in path.iter().enumerate() {
        if !class::is(byte, PLAIN) {
            let fine = match byte {
                b'/' => previous != b'/',
                b'.' => previous != b'/' || !is_dot_segment(&path[at..]),
                _ => false,
            };
            if !fine {
                return false;
            }
        }
        previous = byte;
    }
    path.first() == Some(&b'/')
}

/// Tells whether `rest`, which starts a segment, starts with `.` or `..` as a whole segment.
fn is_dot_segment(rest: &[u8]) -> bool {
    matches!(
        rest,
        [b'.'] | [b'.', b'/', ..] | [b'.', b'.'] | [b'.', b'.', b'/', ..]
    )
}

/// The escaped form of a path as the client wrote it.
///
/// It is the path itself when all its bytes may stand in a path. One byte that may not, such as `{`, `|` or a byte
/// above 0x7F, and the path is decoded as a whole and encoded anew: `%2F` then becomes a slash and `(` becomes `%28`.
///
/// # Errors
/// When a `%` is not followed by two hexadecimal digits.
///
/// ```
/// # use traefikrs_gourl::escaped_path;
/// assert_eq!(escaped_path(b"/a%2Fb(c)")?, "/a%2Fb(c)");
/// assert_eq!(escaped_path(b"/a%2Fb(c){")?, "/a/b%28c%29%7B");
/// # Ok::<(), traefikrs_gourl::InvalidEscape>(())
/// ```
pub fn escaped_path(raw: &[u8]) -> Result<Cow<'_, str>, InvalidEscape> {
    // Go decodes first, so a bad escape counts whether or not the path is rebuilt.
    let decoded = decode_path(raw)?;
    if is_valid_encoding(raw)
        && let Ok(text) = std::str::from_utf8(raw)
    {
        return Ok(Cow::Borrowed(text));
    }
    Ok(match decoded {
        Cow::Borrowed(decoded) => encode_path(decoded),
        Cow::Owned(decoded) => Cow::Owned(encode_path(&decoded).into_owned()),
    })
}

fn is_valid_encoding(raw: &[u8]) -> bool {
    raw.iter()
        .all(|&byte| class::is(byte, RAW_PATH) || byte == b'%')
}

/// Resolves `.` and `..` segments and doubled slashes of an escaped path, never above the root.
///
/// A slash at the very end survives; the one that a trailing `.` or `..` would leave does not.
/// Escapes are opaque, so `%2F..` is a name like any other.
///
/// ```
/// # use traefikrs_gourl::sanitize;
/// assert_eq!(sanitize("/a//b/../c/"), "/a/c/");
/// assert_eq!(sanitize("/a/b/.."), "/a");
/// assert_eq!(sanitize("/../../etc"), "/etc");
/// ```
pub fn sanitize(escaped: &str) -> Cow<'_, str> {
    if is_clean(escaped.as_bytes()) {
        return Cow::Borrowed(escaped);
    }
    let mut out = String::with_capacity(escaped.len() + 1);
    for segment in escaped.split('/') {
        match segment {
            "" | "." => {}
            ".." => out.truncate(out.rfind('/').unwrap_or(0)),
            name => {
                out.push('/');
                out.push_str(name);
            }
        }
    }
    // Go cleans a path without a leading slash as if it had one and takes that slash away again.
    let is_relative = !escaped.starts_with('/') && !escaped.is_empty();
    if is_relative && !out.is_empty() {
        out.remove(0);
    } else if !is_relative && out.is_empty() {
        out.push('/');
    }
    if escaped.ends_with('/') && !out.ends_with('/') {
        out.push('/');
    }
    Cow::Owned(out)
}

fn is_clean(path: &[u8]) -> bool {
    let mut previous = b'/';
    for (at, &byte) in path.iter().enumerate() {
        let unclean = match byte {
            b'/' => previous == b'/' && at > 0,
            b'.' => previous == b'/' && is_dot_segment(&path[at..]),
            _ => false,
        };
        if unclean {
            return false;
        }
        previous = byte;
    }
    !path.is_empty()
}

/// The path that routing rules compare: every escape decoded, except those of reserved characters
/// (`: / ? # [ ] @ ! $ & ' ( ) * + , ; = %`).
///
/// The input is an escaped path; an escape in it that is broken is left alone.
///
/// ```
/// # use traefikrs_gourl::routing_path;
/// assert_eq!(*routing_path("/foo%20bar%2Fbaz%23"), *b"/foo bar%2Fbaz%23");
/// ```
pub fn routing_path(escaped: &str) -> Cow<'_, [u8]> {
    rewrite(escaped.as_bytes(), |byte, triplet, out| {
        if class::is(byte, RESERVED) {
            push_upper(triplet, out);
        } else {
            out.push(byte);
        }
    })
    .unwrap_or(Cow::Borrowed(escaped.as_bytes()))
}

/// A path as Go's `url.URL` keeps it: decoded, and beside it the raw spelling when the decoded form alone would not
/// lead back to it.
///
/// Path rewriters change both and then ask for [`Path::escaped`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path<'a> {
    /// The path with every escape decoded.
    pub decoded: Cow<'a, [u8]>,
    /// The spelling to keep, if it is not the default encoding of `decoded`.
    pub raw: Option<Cow<'a, [u8]>>,
}

impl<'a> Path<'a> {
    /// Sets the path from its escaped form.
    ///
    /// # Errors
    /// When a `%` is not followed by two hexadecimal digits.
    pub fn from_escaped(escaped: &'a [u8]) -> Result<Self, InvalidEscape> {
        let decoded = decode_path(escaped)?;
        let is_default = encode_path(&decoded).as_bytes() == escaped;
        Ok(Self {
            decoded,
            raw: (!is_default).then_some(Cow::Borrowed(escaped)),
        })
    }

    /// The path to write into a request line.
    ///
    /// The raw spelling counts only when it is a legal one and says the same as the decoded path.
    pub fn escaped(&self) -> Cow<'_, str> {
        if let Some(raw) = &self.raw
            && is_valid_encoding(raw)
            && decode_path(raw).is_ok_and(|decoded| decoded == self.decoded)
            && let Ok(text) = std::str::from_utf8(raw)
        {
            return Cow::Borrowed(text);
        }
        if *self.decoded == *b"*" {
            return Cow::Borrowed("*");
        }
        encode_path(&self.decoded)
    }

    /// Keeps the path beyond its borrow.
    #[must_use]
    pub fn into_owned(self) -> Path<'static> {
        Path {
            decoded: Cow::Owned(self.decoded.into_owned()),
            raw: self.raw.map(|raw| Cow::Owned(raw.into_owned())),
        }
    }
}
