//! Request targets that Go reads and hyper does not.
//!
//! hyper keeps a target as [`http::Uri`], which refuses a few bytes and drops everything behind a `#`. A line with
//! such bytes is written anew, with the meaning it has for Go, before hyper sees it.

use memchr::{memchr, memmem};
use traefikrs_gourl::escaped_path;

/// The longest line that is looked at; hyper refuses longer ones in any case.
const MAX_LINE: usize = 70_000;

/// What the first bytes of a request are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// Nothing that hyper would not read as it should.
    Fine,
    /// Its end is not there yet, and what is there may have to change.
    Unfinished,
    /// To be read as if it were this.
    Rewritten(Rewritten),
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rewritten {
    /// How many bytes are replaced.
    pub(crate) replaces: usize,
    pub(crate) line: Vec<u8>,
    /// There was a `#` in the path.
    pub(crate) has_fragment: bool,
}

/// Looks at the request line at the head of `bytes`.
pub(crate) fn read(bytes: &[u8]) -> Line {
    let end = match memchr(b'\n', bytes) {
        Some(end) => end,
        None if bytes.len() < MAX_LINE => return Line::Unfinished,
        None => return Line::Fine,
    };
    let line = &bytes[..end];
    if !line.iter().any(|&byte| is_odd(byte)) {
        return Line::Fine;
    }
    rewritten(line).map_or(Line::Fine, Line::Rewritten)
}

/// Bytes that [`http::Uri`] refuses or understands in its own way, somewhere in a target.
fn is_odd(byte: u8) -> bool {
    matches!(byte, b'"' | b'<' | b'>' | b'`' | b'#' | 0x80..)
}

fn rewritten(line: &[u8]) -> Option<Rewritten> {
    let mut words = line.splitn(3, |&byte| byte == b' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    let is_request = method.iter().all(u8::is_ascii_alphabetic)
        && matches!(version.trim_ascii_end(), b"HTTP/1.1" | b"HTTP/1.0");
    if !is_request {
        return None;
    }
    let (origin, rest) = target.split_at(origin_len(target)?);
    let query_at = memchr(b'?', rest).unwrap_or(rest.len());
    let (path, query) = rest.split_at(query_at);
    let has_fragment = path.contains(&b'#');
    let mut line = Vec::with_capacity(line.len() + 32);
    line.extend_from_slice(method);
    line.push(b' ');
    line.extend_from_slice(origin);
    if path.iter().any(|&byte| is_odd(byte))
        && !has_fragment
        && let Ok(path) = escaped_path(path)
    {
        line.extend_from_slice(path.as_bytes());
    } else {
        // It will be refused, for its fragment or for an escape that is none.
        escape_odd(path, &mut line);
    }
    escape_odd(query, &mut line);
    line.push(b' ');
    line.extend_from_slice(version);
    Some(Rewritten {
        replaces: method.len() + target.len() + version.len() + 2,
        line,
        has_fragment,
    })
}

/// The length of `scheme://authority`, or 0 for a target that is a path.
fn origin_len(target: &[u8]) -> Option<usize> {
    if target.first() == Some(&b'/') {
        return Some(0);
    }
    let authority_at = memmem::find(target, b"://")? + 3;
    let ends = |byte: &u8| matches!(byte, b'/' | b'?' | b'#');
    let authority_len = target[authority_at..].iter().position(ends);
    let len = authority_len.map_or(target.len(), |len| authority_at + len);
    (!target[..len].iter().any(|&byte| is_odd(byte))).then_some(len)
}

fn escape_odd(text: &[u8], line: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in text {
        if is_odd(byte) {
            let digit = |nibble: u8| DIGITS[usize::from(nibble)];
            line.extend([b'%', digit(byte >> 4), digit(byte & 15)]);
        } else {
            line.push(byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(line: &[u8], expected: &str) {
        match read(line) {
            Line::Rewritten(Rewritten {
                replaces,
                line: new,
                ..
            }) => {
                assert_eq!(replaces, line.len() - 1);
                assert_eq!(new.escape_ascii().to_string(), expected);
            }
            other => panic!("{other:?} for {}", line.escape_ascii()),
        }
    }

    #[test]
    fn odd_bytes_are_escaped() {
        check(b"GET /<> HTTP/1.1\r\n", r"GET /%3C%3E HTTP/1.1\r");
        check(b"GET /\xe9 HTTP/1.0\n", "GET /%E9 HTTP/1.0");
        check(
            b"GET /a?b=<\"#\xff> HTTP/1.1\r\n",
            r"GET /a?b=%3C%22%23%FF%3E HTTP/1.1\r",
        );
        // One such byte in the path, and all of it is decoded and encoded anew.
        check(
            b"GET /(%2F<?(%2F HTTP/1.1\r\n",
            r"GET /%28/%3C?(%2F HTTP/1.1\r",
        );
        check(
            b"GET http://x?<> HTTP/1.1\r\n",
            r"GET http://x?%3C%3E HTTP/1.1\r",
        );
        check(
            b"GET http://x/<?> HTTP/1.1\r\n",
            r"GET http://x/%3C?%3E HTTP/1.1\r",
        );
        check(b"GET /%zz< HTTP/1.1\r\n", r"GET /%zz%3C HTTP/1.1\r");
    }

    #[test]
    fn a_fragment_is_noticed_in_the_path_only() {
        let has_fragment = |line: &[u8]| match read(line) {
            Line::Rewritten(rewritten) => rewritten.has_fragment,
            other => panic!("{other:?}"),
        };
        assert!(has_fragment(b"GET /a#b?c HTTP/1.1\r\n"));
        assert!(has_fragment(b"GET http://x/a#b HTTP/1.1\r\n"));
        assert!(!has_fragment(b"GET /a?b#c HTTP/1.1\r\n"));
    }

    #[test]
    fn other_lines_are_left_alone() {
        for line in [
            "GET / HTTP/1.1\r\n",
            "\r\n",
            "X-A: </a#b> HTTP/1.1\r\n",
            "GET a<b HTTP/1.1\r\n",
            "\u{e9}\n",
        ] {
            assert_eq!(read(line.as_bytes()), Line::Fine, "{line}");
        }
        assert_eq!(read(b"GET /"), Line::Unfinished);
        assert_eq!(read(&[b'a'; MAX_LINE]), Line::Fine);
    }

    proptest! {
        #[test]
        fn a_rewritten_target_is_one_for_hyper(target in prop::collection::vec(0x21u8..=0xff, 0..40)) {
            let target: Vec<u8> = target.into_iter().filter(|&byte| byte != 0x7f).collect();
            let line = [b"GET /", &target[..], b" HTTP/1.1\r\n"].concat();
            if let Line::Rewritten(rewritten) = read(&line) {
                let target = rewritten.line[4..].split(|&byte| byte == b' ').next().unwrap();
                let uri = http::Uri::try_from(target).unwrap();
                let read = uri.to_string();
                prop_assert_eq!(read.as_bytes(), target);
            }
        }
    }
}
