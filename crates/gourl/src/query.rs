//! What is in a query string?
//!
//! Parts are separated by `&`. A part with a bad escape or a raw `;` is dropped alone; a query of more than
//! [`MAX_PARTS`] parts counts as empty as a whole.
//!
//! ```
//! use traefikrs_gourl::query;
//!
//! let raw = b"a=1&b=%zz&a=two+words&c";
//! assert!(query::any(raw, b"a", |value| value == b"two words"));
//! assert_eq!(query::first(raw, b"c").as_deref(), Some(&b""[..]));
//! assert_eq!(query::first(raw, b"b"), None);
//! ```

use std::borrow::Cow;

use crate::escape::triplet;

/// How many `&`-separated parts, empty ones included, a query may have before it counts as empty.
pub const MAX_PARTS: usize = 10_000;

/// What becomes of a raw `;` in a query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Semicolons {
    /// It separates parts: it is written `&`.
    #[default]
    Separate,
    /// It belongs to the text: it is written `%3B`.
    Encode,
}

impl Semicolons {
    /// Rewrites each raw `;` of `query`.
    ///
    /// ```
    /// # use traefikrs_gourl::query::Semicolons;
    /// assert_eq!(Semicolons::Separate.apply("a=1;b=2"), "a=1&b=2");
    /// assert_eq!(Semicolons::Encode.apply("a=1;b=2"), "a=1%3Bb=2");
    /// ```
    pub fn apply(self, query: &str) -> Cow<'_, str> {
        if !query.as_bytes().contains(&b';') {
            return Cow::Borrowed(query);
        }
        Cow::Owned(match self {
            Self::Separate => query.replace(';', "&"),
            Self::Encode => query.replace(';', "%3B"),
        })
    }
}

/// A decoded key and value.
pub type Pair<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

/// All pairs in order, decoded.
pub fn pairs(query: &[u8]) -> impl Iterator<Item = Pair<'_>> {
    parts(query).filter_map(|(key, value)| Some((decode(key)?, decode(value)?)))
}

/// The value of the first pair with this key.
pub fn first<'a>(query: &'a [u8], key: &[u8]) -> Option<Cow<'a, [u8]>> {
    values(query, key).next()
}

/// Tells whether some value of `key` satisfies `test`.
pub fn any(query: &[u8], key: &[u8], test: impl FnMut(&[u8]) -> bool) -> bool {
    let mut test = test;
    values(query, key).any(|value| test(&value))
}

/// The decoded values of `key` in order; only values with escapes or `+` allocate.
pub fn values<'a>(query: &'a [u8], key: &[u8]) -> impl Iterator<Item = Cow<'a, [u8]>> {
    parts(query)
        .filter(move |(raw, _)| decodes_to(raw, key))
        .filter_map(|(_, value)| decode(value))
}

/// Splits into raw keys and values.
fn parts(query: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let too_many =
        query.len() >= MAX_PARTS && query.iter().filter(|&&byte| byte == b'&').count() >= MAX_PARTS;
    let query = if too_many { &[] } else { query };
    query
        .split(|&byte| byte == b'&')
        .filter(|part| !part.is_empty() && !part.contains(&b';'))
        .map(|part| match part.iter().position(|&byte| byte == b'=') {
            Some(at) => (&part[..at], &part[at + 1..]),
            None => (part, &[][..]),
        })
}

/// `None` for a bad escape.
fn decode(raw: &[u8]) -> Option<Cow<'_, [u8]>> {
    if !raw.iter().any(|&byte| matches!(byte, b'%' | b'+')) {
        return Some(Cow::Borrowed(raw));
    }
    let mut out = Vec::with_capacity(raw.len());
    for byte in Decoder(raw) {
        out.push(byte?);
    }
    Some(Cow::Owned(out))
}

/// Compares without allocating; a bad escape equals nothing.
fn decodes_to(raw: &[u8], text: &[u8]) -> bool {
    if raw == text && !raw.iter().any(|&byte| matches!(byte, b'%' | b'+')) {
        return true;
    }
    raw.len() >= text.len() && Decoder(raw).eq(text.iter().map(|&byte| Some(byte)))
}

/// Yields `None` once for a bad escape, then nothing.
struct Decoder<'a>(&'a [u8]);

impl Iterator for Decoder<'_> {
    type Item = Option<u8>;

    fn next(&mut self) -> Option<Self::Item> {
        let (&byte, rest) = self.0.split_first()?;
        let (byte, rest) = match byte {
            b'+' => (Some(b' '), rest),
            b'%' => match triplet(self.0) {
                Ok(byte) => (Some(byte), &self.0[3..]),
                Err(_) => (None, &[][..]),
            },
            other => (Some(other), rest),
        };
        self.0 = rest;
        Some(byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_parts_are_dropped_alone() {
        let check = |raw: &str, expected: &[(&str, &str)]| {
            let seen: Vec<_> = pairs(raw.as_bytes())
                .map(|(key, value)| {
                    (
                        String::from_utf8(key.into_owned()).unwrap(),
                        String::from_utf8(value.into_owned()).unwrap(),
                    )
                })
                .collect();
            let seen: Vec<_> = seen
                .iter()
                .map(|(key, value)| (key.as_str(), value.as_str()))
                .collect();
            assert_eq!(seen, expected, "{raw}");
        };
        check("", &[]);
        check("&&a=1&&b&", &[("a", "1"), ("b", "")]);
        check("a=b=c&=x", &[("a", "b=c"), ("", "x")]);
        check("a=%zz&%z=1&b=%&c=%41+%2B", &[("c", "A +")]);
        check("a=1;b=2&c=3", &[("c", "3")]);
        check("%61+=%26", &[("a ", "&")]);
    }

    #[test]
    fn more_than_ten_thousand_parts_are_none() {
        let with = |ampersands| format!("a=1{}", "&".repeat(ampersands));
        assert_eq!(pairs(with(MAX_PARTS - 1).as_bytes()).count(), 1);
        assert_eq!(pairs(with(MAX_PARTS).as_bytes()).count(), 0);
        assert_eq!(first(with(MAX_PARTS).as_bytes(), b"a"), None);
    }

    #[test]
    fn a_key_is_found_under_any_spelling() {
        let query = b"%61%62=1&a+b=2&ab=%33&a%2=4";
        assert_eq!(values(query, b"ab").collect::<Vec<_>>(), [&b"1"[..], b"3"]);
        assert_eq!(first(query, b"a b").as_deref(), Some(&b"2"[..]));
        assert_eq!(first(query, b"a+b"), None);
        assert_eq!(first(query, b"a%2"), None);
    }
}
