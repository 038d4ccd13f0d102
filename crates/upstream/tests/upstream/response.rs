use http::Method;
use tokio::time::Instant;
use traefikrs_upstream::Upstreams;

use super::support::{Read, Server, Step, kind, read, request, say, settle};

/// `status body`, then the trailers, then whether the connection is used again; or the kind of the error.
async fn outcome(method: Method, script: Vec<Step>) -> String {
    let server = Server::start([script]).await;
    let upstreams = Upstreams::new();
    let Read {
        head,
        data,
        trailers,
    } = match read(&upstreams, &server.peer(), request(method)).await {
        Ok(read) => read,
        Err(error) => return kind(&error),
    };
    settle().await;
    upstreams.sweep(Instant::now());
    let mut outcome = format!(
        "{} {}",
        head.status.as_u16(),
        String::from_utf8_lossy(&data)
    );
    for (name, value) in trailers.iter().flatten() {
        outcome += &format!(" {name}={}", value.to_str().unwrap());
    }
    outcome
        + if upstreams.stats().idle == 1 {
            " kept"
        } else {
            " closed"
        }
}

/// The answer in one piece and byte by byte, with the server waiting after it, or closing if the wire ends in `$`.
async fn check(method: Method, wire: &str, expected: &str) {
    let (bytes, closes) = wire
        .strip_suffix('$')
        .map_or((wire, false), |bytes| (bytes, true));
    let bytes = bytes.as_bytes().to_vec();
    let last = if closes { Step::Hush } else { Step::Hold };
    let whole = outcome(
        method.clone(),
        vec![Step::Head, Step::Say(bytes.clone()), last.clone()],
    )
    .await;
    assert_eq!(whole, expected, "{wire:?}");
    let trickled = outcome(method, vec![Step::Head, Step::Trickle(bytes), last]).await;
    assert_eq!(trickled, expected, "{wire:?} byte by byte");
}

#[tokio::test(flavor = "local")]
async fn the_framing_says_where_a_response_ends() {
    for (wire, expected) in [
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            "200 hello kept",
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "200  kept"),
        ("HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", "200 ok kept"),
        (
            "HTTP/1.1  200 OK\r\nContent-Length: 2\r\n\r\nok",
            "200 ok kept",
        ),
        ("HTTP/1.1 200 OK\nContent-Length: 2\n\nok", "200 ok kept"),
        (
            "HTTP/1.1 200 OK\r\ncontent-length : 2\r\n\r\nok",
            "200 ok kept",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
            "200 ok kept",
        ),
        (
            "HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\nok",
            "999 ok kept",
        ),
        (
            "HTTP/1.1 200 OK\r\n\r\nuntil close$",
            "200 until close closed",
        ),
        (
            "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\nuntil close$",
            "200 until close closed",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            "200 hello kept",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nhe\r\n03\r\nllo\r\n0\r\n\r\n",
            "200 hello kept",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5 ;a=\"b\"\r\nhello\r\n0\r\n\r\n",
            "200 hello kept",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n",
            "200 ok x-sum=7 kept",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-A: 1\r\nX-B: 2\r\n\r\n",
            "200  x-a=1 x-b=2 kept",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nHost: a\r\nX-A: 1\r\n\r\n",
            "200  x-a=1 kept",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 9\r\n\r\n",
            "200  kept",
        ),
    ] {
        check(Method::GET, wire, expected).await;
    }
}

#[tokio::test(flavor = "local")]
async fn some_responses_have_no_body_whatever_they_say() {
    for (method, wire, expected) in [
        (
            Method::HEAD,
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
            "200  kept",
        ),
        (
            Method::HEAD,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            "200  kept",
        ),
        (Method::HEAD, "HTTP/1.1 200 OK\r\n\r\n", "200  kept"),
        (
            Method::GET,
            "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
            "204  kept",
        ),
        (
            Method::GET,
            "HTTP/1.1 204 No Content\r\nContent-Length: x\r\n\r\n",
            "204  closed",
        ),
        (
            Method::GET,
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
            "304  kept",
        ),
        (
            Method::GET,
            "HTTP/1.1 304 Not Modified\r\n\r\n",
            "304  kept",
        ),
    ] {
        check(method, wire, expected).await;
    }
}

#[tokio::test(flavor = "local")]
async fn the_server_says_whether_the_connection_may_be_used_again() {
    for (wire, expected) in [
        (
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
            "200 ok closed",
        ),
        (
            "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 2\r\n\r\nok",
            "200 ok closed",
        ),
        (
            "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
            "200 ok closed",
        ),
        (
            "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nok",
            "200 ok kept",
        ),
        (
            "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\nraw$",
            "200 raw closed",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            "200 ok closed",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok$",
            "200 ok closed",
        ),
    ] {
        check(Method::GET, wire, expected).await;
    }
}

#[tokio::test(flavor = "local")]
async fn interim_responses_are_passed_over() {
    for (wire, expected) in [
        (
            "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            "200 ok kept",
        ),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Wait\r\n\r\nHTTP/1.1 204 None\r\n\r\n",
            "204  kept",
        ),
        ("HTTP/1.1 100 Continue\r\n\r\n$", "TruncatedHead"),
        (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
            "UpgradeMismatch",
        ),
    ] {
        check(Method::GET, wire, expected).await;
    }
    check(
        Method::GET,
        &"HTTP/1.1 100 Continue\r\n\r\n".repeat(101),
        "MalformedHead",
    )
    .await;
}

#[tokio::test(flavor = "local")]
async fn misbehaviour_has_a_name() {
    for (wire, expected) in [
        ("$", "Closed"),
        ("HTTP/1.1 200 OK\r\nContent-$", "TruncatedHead"),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel$",
            "TruncatedBody",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel$",
            "TruncatedBody",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n$",
            "TruncatedBody",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n$",
            "TruncatedBody",
        ),
        ("garbage\r\n", "MalformedHead"),
        ("SSH-2.0-OpenSSH_9.2\r\n", "MalformedHead"),
        ("HTTP/2 200 OK\r\n\r\n", "MalformedHead"),
        ("HTTP/1.1 20 OK\r\n\r\n", "MalformedHead"),
        ("HTTP/1.1 099 Low\r\n\r\n", "MalformedHead"),
        ("HTTP/1.1 abc\r\n\r\n", "MalformedHead"),
        ("HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "MalformedHead"),
        ("HTTP/1.1 200 OK\r\nin side: x\r\n\r\n", "MalformedHead"),
        ("HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n", "MalformedHead"),
        ("HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n", "MalformedHead"),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok",
            "MalformedHead",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok",
            "MalformedHead",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok",
            "MalformedHead",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok",
            "MalformedHead",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nok",
            "MalformedHead",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\nok",
            "MalformedHead",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            "MalformedHead",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n",
            "MalformedHead",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            "MalformedHead",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
            "MalformedBody",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
            "MalformedBody",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
            "MalformedBody",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\n",
            "MalformedBody",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\nok",
            "MalformedBody",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a\nok",
            "MalformedBody",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok0\r\n\r\n",
            "MalformedBody",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nno colon\r\n\r\n",
            "MalformedBody",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: 1\n\r\n",
            "MalformedBody",
        ),
    ] {
        check(Method::GET, wire, expected).await;
    }
}

#[tokio::test(flavor = "local")]
async fn bytes_nobody_asked_for_cost_the_connection() {
    for (method, wire, expected) in [
        (
            Method::GET,
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n",
            "200 ok closed",
        ),
        (
            Method::GET,
            "HTTP/1.1 204 None\r\nContent-Length: 2\r\n\r\nok",
            "204  closed",
        ),
        (
            Method::GET,
            "HTTP/1.1 304 Same\r\nContent-Length: 2\r\n\r\nok",
            "304  closed",
        ),
        (
            Method::HEAD,
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            "200  closed",
        ),
        (
            Method::GET,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nmore",
            "200  closed",
        ),
    ] {
        assert_eq!(
            outcome(method, vec![Step::Head, say(wire), Step::Hold]).await,
            expected,
            "{wire:?}"
        );
    }
}

#[tokio::test(flavor = "local")]
async fn a_reset_is_told_from_a_close() {
    for (said, expected) in [
        ("", "Io"),
        ("HTTP/1.1 103 Early Hints\r\n\r\n", "Io"),
        // Traefik: a head that has begun is malformed, whatever ends it.
        ("HTTP/1.1 2", "TruncatedHead"),
        ("HTTP/1.1 200 OK\r\n", "TruncatedHead"),
        ("HTTP/1.1 200 OK\r\nContent-", "TruncatedHead"),
        (
            "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 2",
            "TruncatedHead",
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", "Io"),
    ] {
        let script = vec![Step::Head, say(said), Step::Reset];
        assert_eq!(outcome(Method::GET, script).await, expected, "{said:?}");
    }
}

#[tokio::test(flavor = "local")]
async fn heads_are_bounded() {
    let head = |fields: String| format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n{fields}\r\nok");
    let value = |n: usize| format!("X: {}\r\n", "v".repeat(n));
    for (wire, expected) in [
        (head("X: y\r\n".repeat(4000)), "200 ok kept"),
        (head("X: y\r\n".repeat(5000)), "MalformedHead"),
        (head(value(1_000_000)), "200 ok kept"),
        (head(value(1_100_000)), "MalformedHead"),
        // Without an end, too.
        (
            format!("HTTP/1.1 200 OK\r\nX: {}", "v".repeat(1_100_000)),
            "MalformedHead",
        ),
    ] {
        assert_eq!(
            outcome(Method::GET, vec![Step::Head, say(&wire), Step::Hold]).await,
            expected,
            "{}",
            wire.len()
        );
    }
}

#[tokio::test(flavor = "local")]
async fn chunks_are_bounded() {
    let body =
        |chunks: String| format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
    for (wire, expected) in [
        (
            body(format!("2;{}\r\nok\r\n0\r\n\r\n", "x".repeat(16_000))),
            "200 ok kept",
        ),
        (
            body(format!("2;{}\r\nok\r\n0\r\n\r\n", "x".repeat(17_000))),
            "MalformedBody",
        ),
        (
            body("1;xxxxxxxxxxxxxxxxxxxxxxxxx\r\ny\r\n".repeat(3000)),
            "MalformedBody",
        ),
        (
            body(format!("0\r\nX: {}\r\n\r\n", "x".repeat(66_000))),
            "MalformedBody",
        ),
    ] {
        assert_eq!(
            outcome(Method::GET, vec![Step::Head, say(&wire), Step::Hold]).await,
            expected,
            "{}",
            wire.len()
        );
    }
}

#[tokio::test(flavor = "local")]
async fn header_fields_arrive_as_they_were_sent() {
    for (field, name, expected) in [
        ("X-Upper: a b", "x-upper", &b"a b"[..]),
        ("x-two: 1\r\nX-TWO: 2", "x-two", b"1|2"),
        ("X-Folded: a\r\n  b\r\n\tc", "x-folded", b"a b c"),
        ("X-Raw: \u{e9}", "x-raw", "\u{e9}".as_bytes()),
        ("X-Empty:", "x-empty", b""),
    ] {
        let wire = format!("HTTP/1.1 200 OK\r\n{field}\r\nContent-Length: 0\r\n\r\n");
        let server = Server::start([vec![Step::Head, say(wire), Step::Hold]]).await;
        let read = read(&Upstreams::new(), &server.peer(), request(Method::GET))
            .await
            .unwrap();
        let values: Vec<_> = read
            .head
            .headers
            .get_all(name)
            .iter()
            .map(|value| value.as_bytes())
            .collect();
        assert_eq!(values.join(&b'|'), expected, "{field:?}");
    }
}
