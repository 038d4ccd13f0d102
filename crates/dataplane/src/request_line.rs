//! Request targets that Go reads and hyper does not.
//!
//! hyper keeps a target as [`http::Uri`], which refuses a few bytes and drops everything behind a `#`. A line with
//! such bytes is written anew, with the meaning it has for Go, before hyper sees it.

use memchr::{memchr, memchr_iter, memmem};
use traefikrs_gourl::escaped_path;
use traefikrs_gourl::target::{self, Target};

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
    pub(crate) note: Option<Note>,
}

/// What hyper does not tell about a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Note {
    /// Its path goes on behind a `#`.
    Fragment,
    /// It is none for Go.
    Bad,
    /// It has no path, not even `/`.
    NoPath,
}

/// How far the end of a head, which is an empty line, has come in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct HeadEnd {
    is_at_line_start: bool,
    has_return: bool,
}

impl HeadEnd {
    /// The length of what belongs to the head, if its end is there.
    pub(crate) fn find(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut from = 0;
        for at in memchr_iter(b'\n', bytes) {
            let is_empty = match &bytes[from..at] {
                b"" => self.is_at_line_start,
                b"\r" => self.is_at_line_start && !self.has_return,
                _ => false,
            };
            if is_empty {
                return Some(at + 1);
            }
            *self = Self {
                is_at_line_start: true,
                has_return: false,
            };
            from = at + 1;
        }
        match &bytes[from..] {
            b"" => {}
            b"\r" if self.is_at_line_start && !self.has_return => self.has_return = true,
            _ => self.is_at_line_start = false,
        }
        None
    }
}

/// How many bytes of empty lines come first.
pub(crate) fn blank(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some(after) = rest
        .strip_prefix(b"\r\n")
        .or_else(|| rest.strip_prefix(b"\n"))
    {
        rest = after;
    }
    bytes.len() - rest.len()
}

/// Looks at the request line at the head of `bytes`, which begin with no [empty line](blank).
pub(crate) fn read(bytes: &[u8]) -> Line {
    let end = match memchr(b'\n', bytes) {
        Some(end) => end,
        None if bytes.len() < MAX_LINE => return Line::Unfinished,
        None => return Line::Fine,
    };
    let line = &bytes[..end];
    let target_at = memchr(b' ', line).map_or(end, |at| at + 1);
    let is_plain = line.get(target_at) == Some(&b'/');
    if is_plain && !line.iter().any(|&byte| is_odd(byte)) {
        return Line::Fine;
    }
    match rewritten(line) {
        Some(rewritten) => Line::Rewritten(rewritten),
        // Whatever hyper makes of it, what is behind the `#` does not get lost.
        None if line[target_at..].contains(&b'#') => noted(Note::Bad),
        None => Line::Fine,
    }
}

fn noted(note: Note) -> Line {
    Line::Rewritten(Rewritten {
        replaces: 0,
        line: Vec::new(),
        note: Some(note),
    })
}

/// Bytes that [`http::Uri`] refuses or understands in its own way, somewhere in a target.
fn is_odd(byte: u8) -> bool {
    matches!(byte, b'"' | b'<' | b'>' | b'`' | b'#' | 0x80..)
}

fn rewritten(line: &[u8]) -> Option<Rewritten> {
    let mut words = line.splitn(3, |&byte| byte == b' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    let is_request = method.iter().all(u8::is_ascii_graphic)
        && method != b"CONNECT"
        && !target.iter().any(u8::is_ascii_control)
        && matches!(version.trim_ascii_end(), b"HTTP/1.1" | b"HTTP/1.0");
    if !is_request {
        return None;
    }
    let (origin, rest) = target.split_at(origin_len(target)?);
    let query_at = memchr(b'?', rest).unwrap_or(rest.len());
    let (path, query) = rest.split_at(query_at);
    let note = if origin.is_empty() {
        path.contains(&b'#').then_some(Note::Fragment)
    } else {
        note_on_absolute(target, path)
    };
    if !target.iter().any(|&byte| is_odd(byte)) {
        return note.map(|note| Rewritten {
            replaces: 0,
            line: Vec::new(),
            note: Some(note),
        });
    }
    let mut line = Vec::with_capacity(line.len() + 32);
    line.extend_from_slice(method);
    line.push(b' ');
    line.extend_from_slice(origin);
    if path.iter().any(|&byte| is_odd(byte))
        && note != Some(Note::Fragment)
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
        note,
    })
}

/// Go is stricter with schemes and authorities than [`http::Uri`].
fn note_on_absolute(target: &[u8], path: &[u8]) -> Option<Note> {
    match Target::parse(target, false) {
        Err(target::Error::Fragment) => Some(Note::Fragment),
        // Raw bytes of another encoding are escaped.
        Err(target::Error::NotUtf8) if path.contains(&b'#') => Some(Note::Fragment),
        Err(target::Error::NotUtf8) => {
            let origin = &target[..origin_len(target)?];
            Target::parse(origin, false).err().map(|_| Note::Bad)
        }
        Err(_) => Some(Note::Bad),
        Ok(_) => path.is_empty().then_some(Note::NoPath),
    }
}

/// The length of `scheme://authority`, or 0 for a target that is a path.
fn origin_len(target: &[u8]) -> Option<usize> {
    if target.first() == Some(&b'/') {
        return Some(0);
    }
    let authority_at = memmem::find(target, b"://")? + 3;
    let ends = |byte: &u8| matches!(byte, b'/' | b'?');
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
            Line::Rewritten(rewritten) => rewritten.note == Some(Note::Fragment),
            other => panic!("{other:?}"),
        };
        assert!(has_fragment(b"GET /a#b?c HTTP/1.1\r\n"));
        assert!(has_fragment(b"GET http://x/a#b HTTP/1.1\r\n"));
        assert!(!has_fragment(b"GET /a?b#c HTTP/1.1\r\n"));
    }

    #[test]
    fn what_hyper_would_not_tell_is_noted() {
        let check = |line: &str, expected: Note| match read(line.as_bytes()) {
            Line::Rewritten(rewritten) => assert_eq!(rewritten.note, Some(expected), "{line}"),
            other => panic!("{other:?} for {line}"),
        };
        check("GET /a#b HTTP/1.1\r\n", Note::Fragment);
        check("M-SEARCH /a#b HTTP/1.1\r\n", Note::Fragment);
        check("X-A: </a#b> HTTP/1.1\r\n", Note::Bad);
        check("GET a#b HTTP/1.1\r\n", Note::Bad);
        check("GET *#b HTTP/1.1\r\n", Note::Bad);
        check("GET  /a#b HTTP/1.1\r\n", Note::Bad);
        check("GET http://x#b HTTP/1.1\r\n", Note::Bad);
        check("GET 1http://x/ HTTP/1.1\r\n", Note::Bad);
        check("GET http://x:abc/ HTTP/1.1\r\n", Note::Bad);
        let line = b"GET http://x:abc/?\xff HTTP/1.1\r\n";
        assert!(
            matches!(read(line), Line::Rewritten(rewritten) if rewritten.note == Some(Note::Bad))
        );
        check("GET http://x HTTP/1.1\r\n", Note::NoPath);
        check("GET http://x?a HTTP/1.1\r\n", Note::NoPath);
    }

    #[test]
    fn a_head_ends_with_an_empty_line() {
        let check = |parts: &[&str], expected: &[Option<usize>]| {
            let mut end = HeadEnd::default();
            let found: Vec<_> = parts.iter().map(|part| end.find(part.as_bytes())).collect();
            assert_eq!(found, expected, "{parts:?}");
        };
        check(&["GET / HTTP/1.1\r\n\r\nabc"], &[Some(18)]);
        check(&["a\n\nb"], &[Some(3)]);
        check(&["a\r\nb\n\r\n"], &[Some(7)]);
        check(&["a\r", "\n", "\r", "\nb"], &[None, None, None, Some(1)]);
        check(&["a\r\n\r", "b\r\n\r\n"], &[None, Some(5)]);
    }

    #[test]
    fn other_lines_are_left_alone() {
        for line in [
            "GET / HTTP/1.1\r\n",
            "\r\n",
            "X-A: </a> HTTP/1.1\r\n",
            "GET a<b HTTP/1.1\r\n",
            "GET http://x/a?b HTTP/1.1\r\n",
            "OPTIONS * HTTP/1.1\r\n",
            "GET /\u{1}\u{e9} HTTP/1.1\r\n",
            "GET /\u{e9}\t HTTP/1.1\r\n",
            "GET /\u{e9}\u{7f} HTTP/1.1\r\n",
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
