//! What a request of HTTP/1 asks for.

use bytes::Bytes;
use http::{HeaderValue, Method, Uri};
use memchr::{memchr, memmem};
use traefikrs_gourl::{escaped_path, target};

/// A request target, read as Go's server reads it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Target {
    /// Path and query, in which bytes that [`Uri`] cannot hold are escaped.
    pub(crate) uri: Uri,
    /// The host of an absolute form, which counts instead of the `Host` header.
    pub(crate) host: Option<HeaderValue>,
    /// There is no path, not even `/`.
    pub(crate) has_no_path: bool,
    /// The path goes on behind a `#`; nothing else is told then.
    pub(crate) has_fragment: bool,
}

/// It is no target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Reads the target of a request line.
pub(crate) fn read(method: &Method, raw: Bytes) -> Result<Target, Malformed> {
    if *method != Method::CONNECT && (is_plain_path(&raw)? || *raw == *b"*") {
        let uri = Uri::from_maybe_shared(raw).map_err(|_| Malformed)?;
        return Ok(Target {
            uri,
            ..Target::default()
        });
    }
    read_odd(method, &raw)
}

/// Whether [`Uri`] takes it as Go does.
fn is_plain_path(raw: &[u8]) -> Result<bool, Malformed> {
    if raw.first() != Some(&b'/') || raw.iter().any(|&byte| is_odd(byte)) {
        return Ok(false);
    }
    if memchr(b'%', raw).is_some() {
        let path = raw.split(|&byte| byte == b'?').next().unwrap_or_default();
        escaped_path(path).map_err(|_| Malformed)?;
    }
    Ok(true)
}

/// Bytes that [`Uri`] refuses or understands in its own way.
fn is_odd(byte: u8) -> bool {
    matches!(byte, b'"' | b'<' | b'>' | b'`' | b'#' | 0x80..)
}

#[cold]
fn read_odd(method: &Method, raw: &[u8]) -> Result<Target, Malformed> {
    if *method == Method::CONNECT {
        // Nobody will look at it.
        target::Target::parse(raw, true).map_err(|_| Malformed)?;
        return Ok(Target::default());
    }
    if raw.first() == Some(&b'/') {
        return assemble(raw, None);
    }
    match target::Target::parse(raw, false) {
        Ok(read) => {
            let from_path =
                raw.len() - read.path.len() - read.query.map_or(0, |query| query.len() + 1);
            assemble(&raw[from_path..], read.authority.as_deref())
        }
        Err(target::Error::Fragment) => Ok(Target {
            has_fragment: true,
            ..Target::default()
        }),
        Err(target::Error::NotUtf8) => {
            let (origin, rest) = raw.split_at(origin_len(raw).ok_or(Malformed)?);
            let origin = target::Target::parse(origin, false).map_err(|_| Malformed)?;
            assemble(rest, origin.authority.as_deref())
        }
        Err(_) => Err(Malformed),
    }
}

/// Makes a target of a path, a query, and a host that counts instead of the header.
fn assemble(path_and_query: &[u8], host: Option<&str>) -> Result<Target, Malformed> {
    let query_at = memchr(b'?', path_and_query).unwrap_or(path_and_query.len());
    let (path, query) = path_and_query.split_at(query_at);
    let escaped = escaped_path(path).map_err(|_| Malformed)?;
    if path.contains(&b'#') {
        return Ok(Target {
            has_fragment: true,
            ..Target::default()
        });
    }
    let mut text = Vec::with_capacity(path_and_query.len() + 32);
    if path.is_empty() {
        text.push(b'/');
    } else if path.iter().any(|&byte| is_odd(byte)) {
        text.extend_from_slice(escaped.as_bytes());
    } else {
        text.extend_from_slice(path);
    }
    escape_odd(query, &mut text);
    Ok(Target {
        uri: Uri::from_maybe_shared(Bytes::from(text)).map_err(|_| Malformed)?,
        host: host
            .map(HeaderValue::from_str)
            .transpose()
            .map_err(|_| Malformed)?,
        has_no_path: path.is_empty(),
        has_fragment: false,
    })
}

/// The length of `scheme://authority`.
fn origin_len(target: &[u8]) -> Option<usize> {
    let authority_at = memmem::find(target, b"://")? + 3;
    let ends = |byte: &u8| matches!(byte, b'/' | b'?');
    let authority_len = target[authority_at..].iter().position(ends);
    Some(authority_len.map_or(target.len(), |len| authority_at + len))
}

fn escape_odd(text: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in text {
        if is_odd(byte) {
            let digit = |nibble: u8| DIGITS[usize::from(nibble)];
            out.extend([b'%', digit(byte >> 4), digit(byte & 15)]);
        } else {
            out.push(byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_get(raw: &[u8]) -> Result<Target, Malformed> {
        read(&Method::GET, Bytes::copy_from_slice(raw))
    }

    #[track_caller]
    fn check(raw: &[u8], uri: &str, host: Option<&str>) {
        let target = read_get(raw).unwrap();
        assert_eq!(target.uri.to_string(), uri, "{}", raw.escape_ascii());
        let found = target.host.as_ref().map(|host| host.to_str().unwrap());
        assert_eq!(found, host, "{}", raw.escape_ascii());
        assert!(!target.has_fragment);
    }

    #[test]
    fn paths_and_queries() {
        check(b"/a/../b?c", "/a/../b?c", None);
        check(b"*", "*", None);
        check(b"/<>", "/%3C%3E", None);
        check(b"/\xe9", "/%E9", None);
        check(b"/a?b=<\"#\xff>", "/a?b=%3C%22%23%FF%3E", None);
        // One such byte in the path, and all of it is decoded and encoded anew.
        check(b"/(%2F<?(%2F", "/%28/%3C?(%2F", None);
    }

    #[test]
    fn absolute_forms() {
        check(b"http://x.test:80/a?b", "/a?b", Some("x.test:80"));
        check(b"http://u:p@x/<?>", "/%3C?%3E", Some("x"));
        check(b"http://x?<>", "/?%3C%3E", Some("x"));
        check(b"http://x/\xff?\xfe", "/%FF?%FE", Some("x"));
        check(b"http://@/a", "/a", None);
        check(b"http:///a", "/a", None);
        check(b"http:/a", "/a", None);
        assert!(read_get(b"http://x").unwrap().has_no_path);
        assert!(read_get(b"http://x?a").unwrap().has_no_path);
        assert!(!read_get(b"http://x/").unwrap().has_no_path);
    }

    #[test]
    fn a_fragment_counts_in_the_path_only() {
        let has_fragment = |raw: &[u8]| read_get(raw).unwrap().has_fragment;
        assert!(has_fragment(b"/a#b?c"));
        assert!(has_fragment(b"http://x/a#b"));
        assert!(!has_fragment(b"/a?b#c"));
    }

    #[test]
    fn what_is_none() {
        for raw in [
            &b"foo"[..],
            b"*#b",
            b"a#b",
            b"?a",
            b"http://x#b",
            b"1http://x/",
            b"http://x:abc/",
            b"http://\xff/",
            b"://x/",
            b"mailto:x",
            b"/%zz<",
            b"/%zz",
            b"/a%2?b",
            b"/%#",
        ] {
            assert_eq!(read_get(raw), Err(Malformed), "{}", raw.escape_ascii());
        }
        let connect = |raw: &'static str| read(&Method::CONNECT, Bytes::from(raw));
        assert!(connect("x:80").is_ok());
        assert_eq!(connect("x:abc"), Err(Malformed));
    }

    proptest! {
        #[test]
        fn any_path_without_escapes_is_one(raw in prop::collection::vec(0x21u8..=0xff, 0..40)) {
            let path: Vec<u8> = raw.into_iter().filter(|byte| !matches!(byte, 0x7f | b'%')).collect();
            let read = read_get(&[b"/", &path[..]].concat()).unwrap();
            prop_assert!(read.has_fragment || read.uri.path().starts_with('/'));
        }

        #[test]
        fn a_plain_path_stays_as_it_is(path in "/[!$-;=?@-_a-z|~]{0,30}") {
            let plain = read_get(path.as_bytes());
            prop_assert_eq!(&plain, &assemble(path.as_bytes(), None));
            if let Ok(plain) = plain {
                prop_assert_eq!(plain.uri.to_string(), path);
            }
        }
    }
}
