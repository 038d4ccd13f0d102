//! What a client sends after the head.

use serde_json::json;

use crate::support::{Client, Proxy, answers, echo, header, server, to_url};

fn body_of(text: &str) -> &str {
    text.split_once("\n\n").unwrap().1
}

#[test]
fn a_body_goes_through_in_its_framing() {
    let proxy = Proxy::to(echo());
    let response = proxy.ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
    assert!(
        response.body.contains("\nContent-Length: 3\n"),
        "{}",
        response.body
    );
    assert_eq!(body_of(&response.body), "abc");

    let response = proxy.ask(
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
    );
    assert!(
        response.body.contains("\nTransfer-Encoding: chunked\n"),
        "{}",
        response.body
    );
    assert_eq!(body_of(&response.body), "abc");
}

#[test]
fn chunks_win_over_a_length() {
    let proxy = Proxy::to(echo());
    let response = proxy.ask(
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    );
    assert!(
        !response.body.contains("Content-Length"),
        "{}",
        response.body
    );
    assert_eq!(body_of(&response.body), "a");
}

#[test]
fn a_post_without_a_body_has_the_length_zero() {
    let proxy = Proxy::to(echo());
    for method in ["POST", "PUT", "PATCH"] {
        let response = proxy.ask(&format!("{method} / HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert!(
            response.body.contains("\nContent-Length: 0\n"),
            "{}",
            response.body
        );
    }
    let response = proxy.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(
        !response.body.contains("Content-Length"),
        "{}",
        response.body
    );
}

#[test]
fn any_method_may_have_a_body() {
    let proxy = Proxy::to(echo());
    for method in ["GET", "DELETE", "OPTIONS", "PURGE"] {
        let response = proxy.ask(&format!(
            "{method} / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
        ));
        assert!(
            response.body.contains("\nContent-Length: 3\n"),
            "{}",
            response.body
        );
        assert_eq!(body_of(&response.body), "abc");
    }
}

#[test]
fn trailers_pass_from_one_protocol_to_the_other() {
    let inner = Proxy::to(echo()).leak();
    // HTTP/1.1, then HTTP/2, then HTTP/1.1 again.
    let proxy = Proxy::with(&to_url(&format!("h2c://{inner}")), |_| {});
    let response = proxy.ask(
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: X-Tr\r\n\r\n\
         1\r\na\r\n0\r\nX-Tr: v\r\nX-Forwarded-For: me\r\nHost: y\r\n\r\n",
    );
    assert!(
        response.body.contains("\nTrailer: X-Tr\n"),
        "{}",
        response.body
    );
    assert_eq!(body_of(&response.body).to_lowercase(), "ax-tr: v\r\n");
}

#[test]
fn trailers_go_both_ways() {
    let proxy = Proxy::to(echo());
    let response = proxy.ask(
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: X-Tr\r\n\r\n1\r\na\r\n0\r\nX-Tr: v\r\n\r\n",
    );
    assert!(
        response.body.contains("\nTrailer: X-Tr\n"),
        "{}",
        response.body
    );
    assert_eq!(body_of(&response.body).to_lowercase(), "ax-tr: v\r\n");

    let proxy = Proxy::to(answers(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Tr\r\n\r\n1\r\na\r\n0\r\nX-Tr: v\r\n\r\n",
    ));
    let response = proxy.ask("GET / HTTP/1.1\r\nHost: x\r\nTE: trailers\r\n\r\n");
    assert_eq!(response.header("Trailer"), Some("X-Tr"));
    assert_eq!(response.trailers, "X-Tr: v\r\n");
    // Announced or not, asked for or not.
    let proxy = Proxy::to(answers(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Tr: v\r\nContent-Length: 1\r\n\r\n",
    ));
    let response = proxy.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(response.trailers, "X-Tr: v\r\n");
    let response = proxy.ask("GET / HTTP/1.0\r\nHost: x\r\n\r\n");
    assert_eq!(response.body, "a");
}

#[test]
fn a_client_that_asks_whether_to_go_on_is_told_so() {
    let proxy = Proxy::to(server(|mut client: Client| {
        let head = client.head();
        assert!(head.contains("Expect: 100-continue"), "{head}");
        client.send("HTTP/1.1 100 Continue\r\n\r\n");
        assert_eq!(client.exactly(2), "ab");
        client.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }));
    let mut client = proxy.connect();
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(client.head(), "HTTP/1.1 100 Continue");
    client.send("ab");
    assert_eq!(client.response().status(), 200);
}

#[test]
fn a_body_that_the_server_does_not_ask_for_is_not_asked_for() {
    let proxy = Proxy::to(answers(
        "HTTP/1.1 413 Too Much\r\nContent-Length: 2\r\n\r\nno",
    ));
    let mut client = proxy.connect();
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    let response = client.response();
    assert_eq!(
        response.undated_head(),
        "HTTP/1.1 413 Request Entity Too Large\nContent-Length: 2\nConnection: close"
    );
    client.half_close();
    assert_eq!(client.rest(), "");
}

#[test]
fn an_interim_answer_arrives_before_the_answer() {
    let proxy = Proxy::to(server(|mut client: Client| {
        while client.has_more() {
            let head = client.head();
            client.send("HTTP/1.1 103 Early Hints\r\nLink: a\r\nConnection: Keep-Alive\r\n\r\n");
            if head.contains("HTTP/1.1") && header(&head, "X-Wait").is_some() {
                client.until("seen");
            }
            client.send(
                "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            );
        }
    }));
    let mut client = proxy.connect();
    client.send("POST / HTTP/1.1\r\nHost: x\r\nX-Wait: 1\r\nContent-Length: 4\r\n\r\n");
    assert_eq!(client.head(), "HTTP/1.1 103 Early Hints\r\nLink: a");
    client.send("seen");
    assert_eq!(client.head(), "HTTP/1.1 102 Processing");
    assert_eq!(client.response().status(), 200);
    // Where such a thing is not known, it is not said.
    client.send("GET / HTTP/1.0\r\nHost: x\r\n\r\n");
    assert_eq!(client.response().status(), 200);
}

#[test]
fn a_large_body_goes_both_ways() {
    let proxy = Proxy::to(echo());
    let body = "0123456789abcdef".repeat(1 << 16);
    let response = proxy.ask(&format!(
        "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    assert_eq!(body_of(&response.body).len(), body.len());
    assert!(body_of(&response.body) == body);
}

/// A request with a body that nobody reads, and what its answer says of the connection.
#[track_caller]
fn check_unread(request: &str, status: u16, connection: Option<&str>) {
    let proxy = Proxy::with(&json!({}), |_| {});
    let mut client = proxy.connect();
    client.send(request);
    let response = client.response();
    assert_eq!(response.status(), status, "{request}");
    assert_eq!(response.header("Connection"), connection, "{request}");
    if connection.is_none() {
        client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!(client.response().status(), 404, "{request}");
    } else {
        assert_eq!(client.rest(), "", "{request}");
    }
}

#[test]
fn a_body_that_nobody_reads_does_not_end_the_connection() {
    let post = "POST / HTTP/1.1\r\nHost: x\r\n";
    check_unread(
        &format!("{post}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"),
        404,
        None,
    );
    check_unread(
        &format!(
            "{post}Content-Length: 100000\r\n\r\n{}",
            "a".repeat(100_000)
        ),
        404,
        None,
    );
    let close = Some("close");
    check_unread(&format!("{post}Content-Length: 3\r\n\r\n"), 404, close);
    check_unread(
        &format!("{post}Content-Length: 300000\r\n\r\na"),
        404,
        close,
    );
    check_unread(
        &format!("{post}Content-Length: 3\r\nExpect: 100-continue\r\n\r\n"),
        404,
        close,
    );
    check_unread(
        &format!("{post}Transfer-Encoding: chunked\r\n\r\nxyz\r\n"),
        404,
        close,
    );
}

#[test]
fn chunks_that_are_none_are_500() {
    let proxy = Proxy::to(echo());
    for chunks in ["3\r\nabc0\r\n\r\n", "xyz\r\nabc\r\n"] {
        let response = proxy.ask(&format!(
            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"
        ));
        assert_eq!(response.status(), 500, "{chunks}");
        assert_eq!(response.header("Connection"), Some("close"), "{chunks}");
    }
}

#[test]
fn a_known_length_stays_whatever_is_announced() {
    let proxy = Proxy::to(echo());
    let response =
        proxy.ask("POST / HTTP/1.1\r\nHost: x\r\nTrailer: X-T\r\nContent-Length: 3\r\n\r\nabc");
    assert!(
        response.body.contains("\nContent-Length: 3\n"),
        "{}",
        response.body
    );
}
