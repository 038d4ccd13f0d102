use std::borrow::Cow;
use std::fmt::{self, Write};

use crate::class::{self, PATH, UNRESERVED};

/// A `%` that two hexadecimal digits do not follow.
///
/// Its text is the one of Go: `invalid URL escape "%zz"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid URL escape \"{}\"", Quoted(self.bytes()))]
pub struct InvalidEscape {
    bytes: [u8; 3],
    len: u8,
}

impl InvalidEscape {
    /// `rest` starts at the `%`.
    fn at(rest: &[u8]) -> Self {
        let mut bytes = [0; 3];
        let mut len = 0;
        for (to, from) in bytes.iter_mut().zip(rest) {
            *to = *from;
            len += 1;
        }
        Self { bytes, len }
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

struct Quoted<'a>(&'a [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for char in chunk.valid().chars() {
                match char {
                    '\'' => f.write_char(char)?,
                    other => write!(f, "{}", other.escape_debug())?,
                }
            }
            write!(f, "{}", chunk.invalid().escape_ascii())?;
        }
        Ok(())
    }
}

/// Upper-cases every escape and decodes the escapes of letters, digits and `- . _ ~`.
///
/// Nothing else changes, so `%2f` becomes `%2F` but never a slash.
///
/// # Errors
/// When a `%` is not followed by two hexadecimal digits.
///
/// ```
/// # use traefikrs_gourl::normalize_escapes;
/// assert_eq!(*normalize_escapes(b"/%7euser/a%2fb")?, *b"/~user/a%2Fb");
/// # Ok::<(), traefikrs_gourl::InvalidEscape>(())
/// ```
pub fn normalize_escapes(raw: &[u8]) -> Result<Cow<'_, [u8]>, InvalidEscape> {
    rewrite(raw, |byte, triplet, out| {
        if class::is(byte, UNRESERVED) {
            out.push(byte);
        } else {
            push_upper(triplet, out);
        }
    })
}

/// Decodes every escape of a path; a `+` stays a plus.
///
/// # Errors
/// When a `%` is not followed by two hexadecimal digits.
pub fn decode_path(escaped: &[u8]) -> Result<Cow<'_, [u8]>, InvalidEscape> {
    rewrite(escaped, |byte, _, out| out.push(byte))
}

/// Encodes a decoded path in Go's default way: letters, digits and `- _ . ~ $ & + , / : ; = @` stand for themselves.
pub fn encode_path(decoded: &[u8]) -> Cow<'_, str> {
    encode(decoded, |byte| class::is(byte, PATH))
}

/// Writes the bytes that `is_literal` keeps, all of them ASCII, and escapes the others.
pub(crate) fn encode(decoded: &[u8], is_literal: impl Fn(u8) -> bool) -> Cow<'_, str> {
    let Some(first) = decoded.iter().position(|&byte| !is_literal(byte)) else {
        return Cow::Borrowed(std::str::from_utf8(decoded).expect("what is kept is ASCII"));
    };
    let mut out = String::with_capacity(decoded.len() + 16);
    out.extend(decoded[..first].iter().map(|&byte| char::from(byte)));
    for &byte in &decoded[first..] {
        if is_literal(byte) {
            out.push(char::from(byte));
        } else {
            push_escape(byte, &mut out);
        }
    }
    Cow::Owned(out)
}

/// Copies `raw`, handing each escape to `escape` as its byte and as its three characters.
///
/// Borrows when there is no escape, or when the copy turns out equal.
pub(crate) fn rewrite(
    raw: &[u8],
    mut escape: impl FnMut(u8, &[u8], &mut Vec<u8>),
) -> Result<Cow<'_, [u8]>, InvalidEscape> {
    if !raw.contains(&b'%') {
        return Ok(Cow::Borrowed(raw));
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.iter().position(|&byte| byte == b'%') {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        let byte = triplet(rest)?;
        escape(byte, &rest[..3], &mut out);
        rest = &rest[3..];
    }
    out.extend_from_slice(rest);
    Ok(if out == raw {
        Cow::Borrowed(raw)
    } else {
        Cow::Owned(out)
    })
}

/// Decodes the escape that `rest` starts with.
#[inline]
pub(crate) fn triplet(rest: &[u8]) -> Result<u8, InvalidEscape> {
    if let &[b'%', high, low, ..] = rest
        && let (Some(high), Some(low)) = (nibble(high), nibble(low))
    {
        return Ok(high << 4 | low);
    }
    Err(InvalidEscape::at(rest))
}

pub(crate) fn push_upper(triplet: &[u8], out: &mut Vec<u8>) {
    out.extend(triplet.iter().map(u8::to_ascii_uppercase));
}

fn push_escape(byte: u8, out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.push('%');
    out.push(char::from(DIGITS[usize::from(byte >> 4)]));
    out.push(char::from(DIGITS[usize::from(byte & 15)]));
}

#[inline]
fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_quotes_the_escape_as_go_does() {
        let check = |raw: &[u8], expected: &str| {
            assert_eq!(decode_path(raw).unwrap_err().to_string(), expected);
        };
        check(b"/a%zz/b", r#"invalid URL escape "%zz""#);
        check(b"/a%2", r#"invalid URL escape "%2""#);
        check(b"/a%", r#"invalid URL escape "%""#);
        check(b"/%2\"x", r#"invalid URL escape "%2\"""#);
        check(b"/%\xff\xfe", r#"invalid URL escape "%\xff\xfe""#);
        check("/%é".as_bytes(), r#"invalid URL escape "%é""#);
    }

    #[test]
    fn encoding_keeps_exactly_the_bytes_go_keeps() {
        let all: Vec<u8> = (0x20..0x80).collect();
        assert_eq!(
            encode_path(&all),
            "%20%21%22%23$%25&%27%28%29%2A+,-./0123456789:;%3C=%3E%3F@ABCDEFGHIJKLMNOPQRSTUVWXYZ%5B%5C%5D%5E_%60abcdefghijklmnopqrstuvwxyz%7B%7C%7D~%7F"
        );
        assert_eq!(encode_path("/é".as_bytes()), "/%C3%A9");
        assert!(matches!(encode_path(b"/a/b"), Cow::Borrowed(_)));
    }
}
