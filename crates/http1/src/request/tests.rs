use bytes::Bytes;
use http::Version;
use proptest::prelude::*;

use super::{RequestHead, RequestReader};
use crate::{Refused, append};

const LIMIT: usize = 4096;

/// Reads what comes in these pieces, as a connection would.
fn read_pieces<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Option<(RequestHead<Bytes>, usize)>, Refused> {
    let (mut reader, mut pending) = (RequestReader::default(), Bytes::new());
    let mut head = None;
    for piece in pieces {
        append(&mut pending, Bytes::copy_from_slice(piece));
        if head.is_none() {
            head = reader.read(&mut pending, LIMIT, |_, raw| Some(raw))?;
        }
    }
    Ok(head.map(|head| (head, pending.len())))
}

fn read(wire: &str) -> Result<RequestHead<Bytes>, Refused> {
    read_pieces([wire.as_bytes()]).map(|read| read.expect("the head is complete").0)
}

fn text(head: &RequestHead<Bytes>) -> String {
    let mut text = format!(
        "{} {} {:?}",
        head.method,
        head.target.escape_ascii(),
        head.version
    );
    for (name, value) in &head.headers {
        text += &format!("|{name}: {}", value.as_bytes().escape_ascii());
    }
    text
}

#[track_caller]
fn check(wire: &str, expected: &str) {
    assert_eq!(text(&read(wire).unwrap()), expected, "{wire:?}");
}

#[track_caller]
fn check_refused(wire: &str, expected: Refused) {
    assert_eq!(read(wire).unwrap_err(), expected, "{wire:?}");
}

#[test]
fn heads() {
    check(
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1|host: x",
    );
    check("GET / HTTP/1.0\n\n", "GET / HTTP/1.0");
    check("\r\n\n\r\nGET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.0");
    check(
        "get \u{e9}<>\"#%zz HTTP/1.0\nA:\t b c \t\r\nA: d\n\r\n",
        "get \\xc3\\xa9<>\\\"#%zz HTTP/1.0|a: b c|a: d",
    );
    check("FOO * HTTP/1.7\r\nhost:\r\n\r\n", "FOO * HTTP/1.1|host: ");
    check("CONNECT x:1 HTTP/1.1\n\n", "CONNECT x:1 HTTP/1.1");
    check(
        "GET / HTTP/1.0\r\nA: b\r\n \t c \r\n\td\r\nE:\r\n f\r\nG: h\r\n \r\n\r\n",
        "GET / HTTP/1.0|a: b c d|e: f|g: h ",
    );
}

#[test]
fn what_is_none_is_refused() {
    for line in [
        "nonsense",
        "GET /",
        "GET / HTTP/1",
        "GET / http/1.1",
        "GET / HTTP/1.10",
        "GET /a b HTTP/1.1",
        "GET  / HTTP/1.1",
        "GET  HTTP/1.1",
        " GET / HTTP/1.1",
        "GE(T / HTTP/1.1",
        "GET /\ta HTTP/1.1",
        "GET /\u{7f} HTTP/1.1",
        "GET / HTTP/1.1\r",
        "GET / HTTP/1.1 ",
    ] {
        check_refused(&format!("{line}\r\n\r\n"), Refused::Malformed);
    }
    for version in ["0.9", "2.0", "9.9"] {
        check_refused(
            &format!("GET / HTTP/{version}\r\nHost: x\r\n\r\n"),
            Refused::Version,
        );
    }
    for field in [
        "no colon",
        ": no name",
        "X\t: tab",
        " X: leads",
        "X(: not a token",
        "X: \0",
        "X: a\rb",
        "X: a\r",
        "X: a\r\n b\0c",
    ] {
        check_refused(
            &format!("GET / HTTP/1.1\r\n{field}\r\n\r\n"),
            Refused::Malformed,
        );
    }
    for field in ["X : y", "X Y: z"] {
        check_refused(
            &format!("GET / HTTP/1.1\r\nHost: x\r\n{field}\r\n\r\n"),
            Refused::Name,
        );
    }
}

#[test]
fn a_line_that_is_none_is_refused_before_the_head_is_complete() {
    for wire in [
        "nonsense\r\n",
        "GET / HTTP/1.1\r\nno colon\r\n",
        "GET / HTTP/1.1\r\n X: leads\r\n",
    ] {
        assert_eq!(
            read_pieces([wire.as_bytes()]).unwrap_err(),
            Refused::Malformed,
            "{wire:?}"
        );
    }
    for wire in ["", "\r", "GET /", "GET / HTTP/1.1\r\nX: y\r\n z\r\n"] {
        assert!(
            read_pieces([wire.as_bytes()]).unwrap().is_none(),
            "{wire:?}"
        );
    }
}

#[test]
fn of_several_faults_the_first_in_this_order_counts() {
    let request = |line: &str, fields: &str| format!("{line}\r\n{fields}\r\n\r\n");
    let none = "GET none HTTP/1.1";
    let mut reader = RequestReader::default();
    let mut pending = Bytes::from(request(none, "Transfer-Encoding: x"));
    let read = reader.read(&mut pending, LIMIT, |_, _| None::<()>);
    assert_eq!(read.unwrap_err(), Refused::Malformed);
    let get = "GET / HTTP/2.0";
    let hosts = "Host: x\r\nHost: x";
    let coding = "Transfer-Encoding: x";
    let length = "Content-Length: x";
    let spaced = "X Y: z";
    for (fields, expected) in [
        (&[spaced, hosts, coding, length][..], Refused::Malformed),
        (&[spaced, coding, length], Refused::Coding),
        (&[spaced, length], Refused::Malformed),
        (&[spaced], Refused::Version),
    ] {
        check_refused(&request(get, &fields.join("\r\n")), expected);
    }
    check_refused(&request("GET / HTTP/1.1", spaced), Refused::MissingHost);
}

#[test]
fn too_much_is_refused() {
    let head = |len: usize| format!("GET / HTTP/1.0\r\nX: {}\r\n\r\n", "a".repeat(len - 23));
    assert!(read(&head(LIMIT)).is_ok());
    check_refused(&head(LIMIT + 1), Refused::TooLarge);
    assert_eq!(
        read_pieces([&[b'a'; LIMIT][..]]).unwrap_err(),
        Refused::TooLarge
    );
    let mut reader = RequestReader::default();
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a:\r\n".repeat(5000));
    let read = reader.read(&mut Bytes::from(many), 1 << 20, |_, raw| Some(raw));
    assert_eq!(read.unwrap_err(), Refused::TooLarge);
}

/// What the fields say: the length of the body (none for chunks), and whether another request may follow.
#[track_caller]
fn check_framing(version: &str, fields: &[&str], expected: Result<(Option<u64>, bool), Refused>) {
    let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
    let read = read(&format!("POST / HTTP/{version}\r\nHost: x\r\n{fields}\r\n"));
    let read = read.map(|head| (head.body.left(), head.keep_alive));
    assert_eq!(read, expected, "{version} {fields:?}");
}

#[test]
fn framing() {
    const CHUNKED: &str = "Transfer-Encoding: chunked";
    let check = check_framing;
    check("1.1", &[], Ok((Some(0), true)));
    check("1.1", &["Content-Length: 3"], Ok((Some(3), true)));
    check(
        "1.1",
        &["Content-Length: 3", "content-length: 3"],
        Ok((Some(3), true)),
    );
    check(
        "1.1",
        &["Content-Length: 9223372036854775807"],
        Ok((Some(u64::MAX >> 1), true)),
    );
    for lengths in [
        &["Content-Length: 3", "Content-Length: 03"][..],
        &["Content-Length: 3, 3"],
        &["Content-Length: +3"],
        &["Content-Length: -1"],
        &["Content-Length: 0x3"],
        &["Content-Length: 1 2"],
        &["Content-Length:"],
        &["Content-Length:\r\n 3"],
        &["Transfer-Encoding: chunked\r\n "],
        &["Content-Length: 9223372036854775808"],
        &["Content-Length: 18446744073709551616"],
        &[CHUNKED, "Content-Length: abc"],
        &[CHUNKED, "Trailer: X, content-length"],
    ] {
        check("1.1", lengths, Err(Refused::Malformed));
    }
    check("1.1", &[CHUNKED], Ok((None, true)));
    check("1.1", &["transfer-encoding:\tChunked "], Ok((None, true)));
    check("1.1", &["Content-Length: 3", CHUNKED], Ok((None, false)));
    for codings in [
        &[CHUNKED, CHUNKED][..],
        &["Transfer-Encoding: gzip, chunked"],
        &["Transfer-Encoding: identity"],
        &["Transfer-Encoding: chunked;a"],
        &["Transfer-Encoding: \x0bchunked"],
        &["Transfer-Encoding:"],
    ] {
        let expected = if codings[0].contains('\x0b') {
            Refused::Malformed
        } else {
            Refused::Coding
        };
        check("1.1", codings, Err(expected));
    }
    check("1.0", &[CHUNKED], Err(Refused::Malformed));
    check("1.0", &[], Ok((Some(0), false)));
    check("1.0", &["Connection: Keep-Alive"], Ok((Some(0), true)));
    check(
        "1.0",
        &["Connection: keep-alive, close"],
        Ok((Some(0), false)),
    );
    check(
        "1.1",
        &["Connection: x", "Connection: y ,CLOSE"],
        Ok((Some(0), false)),
    );
    self::check(
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1|host: x",
    );
}

fn wire() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        6 => "[A-Za-z-]{1,6}:[ \t]{0,2}[ -~]{0,8}",
        1 => "[ \t][ -~]{0,5}",
        1 => "[ -~]{0,8}",
        2 => Just("Host: x".to_owned()),
        1 => Just("Content-Length: 1".to_owned()),
        1 => Just("Transfer-Encoding: chunked".to_owned()),
    ];
    let end = prop_oneof![3 => Just("\r\n"), 1 => Just("\n")];
    let lines = proptest::collection::vec((line, end), 0..6);
    let start = prop_oneof![
        "(\r?\n){0,2}[A-Z]{1,4} /[!-~]{0,8} HTTP/1.[01]\r?\n",
        "[ -~]{0,20}\n"
    ];
    (start, lines, "\r?\n[a-z]{0,9}").prop_map(|(start, lines, rest)| {
        let lines: String = lines.into_iter().map(|(line, end)| line + end).collect();
        [start, lines, rest].concat().into_bytes()
    })
}

proptest! {
    #[test]
    fn the_cut_makes_no_difference(
        mut wire in wire(),
        cuts in proptest::collection::vec(1_usize..9, 0..60),
        mutation in proptest::option::weighted(0.3, (any::<prop::sample::Index>(), any::<u8>())),
    ) {
        if let Some((at, byte)) = mutation {
            let at = at.index(wire.len());
            wire[at] = byte;
        }
        let mut rest = &wire[..];
        let mut pieces = Vec::new();
        for cut in cuts {
            let (piece, after) = rest.split_at(cut.min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        pieces.push(rest);
        let outcome = |read: Result<Option<(RequestHead<Bytes>, usize)>, Refused>| {
            read.map(|read| read.map(|(head, left)| (text(&head), head.body.left(), head.keep_alive, left)))
        };
        let whole = outcome(read_pieces([&wire[..]]));
        let pieces = outcome(read_pieces(pieces));
        // Of several faults, another may be met first.
        prop_assert!(whole == pieces || (whole.is_err() && pieces.is_err()), "{whole:?} {pieces:?}");
    }

    #[test]
    fn another_parser_reads_the_same(wire in wire()) {
        let mut fields = [httparse::EMPTY_HEADER; 16];
        let mut other = httparse::Request::new(&mut fields);
        let (Ok(httparse::Status::Complete(len)), Ok(Some((head, left)))) = (other.parse(&wire), read_pieces([&wire[..]])) else {
            return Ok(());
        };
        prop_assert_eq!(len + left, wire.len());
        prop_assert_eq!(head.method.as_str(), other.method.unwrap());
        prop_assert_eq!(&head.target[..], other.path.unwrap().as_bytes());
        prop_assert_eq!(head.version == Version::HTTP_11, other.version == Some(1));
        let framing = ["content-length", "transfer-encoding"];
        let theirs = other.headers.iter().map(|field| (field.name.to_ascii_lowercase(), field.value));
        let mut theirs: Vec<_> = theirs.filter(|(name, _)| !framing.contains(&&**name)).collect();
        let ours = head.headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes()));
        let mut ours: Vec<_> = ours.filter(|(name, _)| !framing.contains(&&**name)).collect();
        theirs.sort();
        ours.sort();
        prop_assert_eq!(ours, theirs);
    }
}
