//! Requests that are refused before they are routed.

use crate::support::{Proxy, echo, to};

/// What the refused get, and whether they may ask again.
#[track_caller]
fn check(request: &[u8], expected: &str) {
    let proxy = Proxy::to(echo());
    let mut client = proxy.connect();
    client.send(request);
    let response = client.response();
    let text = [&*response.undated_head(), &*response.body].join("\n\n");
    assert_eq!(text.trim_end(), expected, "{}", request.escape_ascii());
    if response.header("Connection") == Some("close") {
        assert_eq!(client.rest(), "");
    } else {
        client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!(client.response().status(), 200);
    }
}

fn refusal(line: &str, text: &str) -> String {
    format!("HTTP/1.1 {line}\nContent-Type: text/plain; charset=utf-8\nConnection: close\n\n{text}")
}

/// As most refusals, whose text is the first line again.
fn refused(line: &str) -> String {
    refusal(line, line)
}

#[test]
fn hosts() {
    let missing = refused("400 Bad Request: missing required Host header");
    check(b"GET / HTTP/1.1\r\n\r\n", &missing);
    check(b"GET http://x.test/ HTTP/1.1\r\n\r\n", &missing);
    let two = refused("400 Bad Request");
    check(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", &two);
    let malformed = refused("400 Bad Request: malformed Host header");
    for host in ["a b", "a/b", "x@y", "{a}", "\u{e9}"] {
        check(
            format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes(),
            &malformed,
        );
    }
}

#[test]
fn trailers_that_frame() {
    let bad = refused("400 Bad Request");
    for name in ["Transfer-Encoding", "content-length", "X, Trailer"] {
        check(
            format!("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: {name}\r\n\r\n0\r\n\r\n")
                .as_bytes(),
            &bad,
        );
    }
}

#[test]
fn targets() {
    let bad = refused("400 Bad Request");
    check(b"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", &bad);
    check(b"GET /a%2 HTTP/1.1\r\nHost: x\r\n\r\n", &bad);
    check(
        b"GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n",
        "HTTP/1.1 400 Bad Request\nContent-Length: 0",
    );
    check(
        b"GET http://x/a#b HTTP/1.1\r\nHost: x\r\n\r\n",
        "HTTP/1.1 400 Bad Request\nContent-Length: 0",
    );
    check(
        b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 0",
    );
    check(
        b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n",
        "HTTP/1.1 501 Not Implemented\nConnection: close\nContent-Length: 0",
    );
}

#[test]
fn framing() {
    let unknown = refusal("501 Not Implemented", "Unsupported transfer encoding");
    let chunked = "Transfer-Encoding: chunked";
    for coding in [
        "Transfer-Encoding: gzip, chunked",
        &format!("{chunked}\r\n{chunked}"),
    ] {
        let request = format!("POST / HTTP/1.1\r\nHost: x\r\n{coding}\r\n\r\n0\r\n\r\n");
        check(request.as_bytes(), &unknown);
    }
    check(
        b"POST / HTTP/1.1\r\nHost: x\r\nExpect: wonders\r\nContent-Length: 1\r\n\r\na",
        "HTTP/1.1 417 Expectation Failed\nConnection: close\nContent-Length: 0",
    );
}

#[test]
fn what_the_parser_refuses() {
    let bad = refused("400 Bad Request");
    for request in [
        "nonsense\r\n\r\n",
        "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET foo HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nX: \0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\na",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\na",
    ] {
        check(request.as_bytes(), &bad);
    }
    check(
        b"GET / HTTP/1.1\r\nHost: x\r\nX : y\r\n\r\n",
        &refused("400 Bad Request: invalid header name"),
    );
    check(
        b"GET / HTTP/2.0\r\nHost: x\r\n\r\n",
        &refused("505 HTTP Version Not Supported: unsupported protocol version"),
    );
}

#[test]
fn half_a_request_is_a_malformed_one() {
    let proxy = Proxy::to(echo());
    let mut client = proxy.connect();
    client.send("GET / HTTP/1.1\r\nHost: x\r\n");
    client.half_close();
    assert_eq!(client.response().status(), 400);
}

#[test]
fn a_line_that_is_none_is_refused_at_once() {
    let proxy = Proxy::to(echo());
    for sent in ["nonsense\r\n", "GET / HTTP/1.1\r\nno colon\r\n"] {
        let mut client = proxy.connect();
        client.send(sent);
        assert_eq!(client.response().status(), 400, "{sent:?}");
    }
}

#[test]
fn a_refusal_arrives_although_the_client_still_sends() {
    let proxy = Proxy::with(&to(echo()), |web| web.http.max_header_bytes = 8192);
    for _ in 0..20 {
        let mut client = proxy.connect();
        client.send(format!("GET / HTTP/1.1\r\nX: {}", "a".repeat(400_000)));
        assert_eq!(client.response().status(), 431);
    }
}

#[test]
fn large_heads() {
    let ask = |len: usize| {
        let proxy = Proxy::with(&to(echo()), |web| web.http.max_header_bytes = 8192);
        let mut client = proxy.connect();
        client.send(format!(
            "GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n",
            "a".repeat(len)
        ));
        client.response().status()
    };
    assert_eq!(ask(8192), 200);
    assert_eq!(ask(12_300), 431);
    assert_eq!(ask(200_000), 431);
}
