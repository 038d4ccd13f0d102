//! What a server answers, as the client gets it.

use crate::support::{Client, Proxy, answers, server};

#[track_caller]
fn check(answer: &str, expected_head: &str, expected_body: &str) {
    let proxy = Proxy::to(answers(answer));
    let response = proxy.ask("GET / HTTP/1.1\r\nHost: x.test\r\n\r\n");
    assert_eq!(response.undated_head(), expected_head);
    assert_eq!(response.body, expected_body);
    assert!(response.header("Date").is_some());
}

#[test]
fn headers_go_through_under_the_standard_phrase() {
    check(
        "HTTP/1.1 404 Nope\r\nX-a: b\r\nX-A: c\r\nServer: s\r\nContent-Length: 2\r\n\r\nhi",
        "HTTP/1.1 404 Not Found\nX-A: b\nX-A: c\nServer: s\nContent-Length: 2",
        "hi",
    );
}

#[test]
fn hop_by_hop_headers_stay_behind() {
    check(
        "HTTP/1.1 200 OK\r\nConnection: X-Gone, keep-alive\r\nX-Gone: 1\r\nKeep-Alive: 5\r\nProxy-Connection: x\r\n\
         Proxy-Authenticate: a\r\nUpgrade: h9\r\nTE: x\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 0",
        "",
    );
}

#[test]
fn a_type_is_not_invented() {
    check(
        "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n<html>hi</html>",
        "HTTP/1.1 200 OK\nContent-Length: 15",
        "<html>hi</html>",
    );
}

#[test]
fn chunks_stay_chunks() {
    check(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n1\r\n!\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\nTransfer-Encoding: chunked",
        "hi!",
    );
}

#[test]
fn a_date_of_the_server_is_kept() {
    let proxy = Proxy::to(answers(
        "HTTP/1.1 200 OK\r\nDate: yesterday\r\nContent-Length: 0\r\n\r\n",
    ));
    assert_eq!(
        proxy
            .ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            .header("Date"),
        Some("yesterday")
    );
}

#[test]
fn what_ends_with_the_connection_becomes_chunks() {
    let proxy = Proxy::to(server(|mut client: Client| {
        client.head();
        client.send("HTTP/1.1 200 OK\r\n\r\nto the end");
    }));
    let response = proxy.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(
        response.undated_head(),
        "HTTP/1.1 200 OK\nTransfer-Encoding: chunked"
    );
    assert_eq!(response.body, "to the end");

    let response = proxy.ask("GET / HTTP/1.0\r\nHost: x\r\n\r\n");
    assert!(
        response.head.starts_with("HTTP/1.0 200 OK"),
        "{}",
        response.head
    );
    assert_eq!(response.header("Transfer-Encoding"), None);
    assert_eq!(response.body, "to the end");
}

#[test]
fn an_old_server_does_not_make_the_answer_old() {
    let proxy = Proxy::to(server(|mut client: Client| {
        client.head();
        client.send("HTTP/1.0 200 OK\r\n\r\nold");
    }));
    let response = proxy.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(
        response.undated_head(),
        "HTTP/1.1 200 OK\nTransfer-Encoding: chunked"
    );
    assert_eq!(response.body, "old");
}

#[test]
fn the_length_of_what_is_not_sent_is_told_to_head_only() {
    let proxy = Proxy::to(answers("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"));
    let mut client = proxy.connect();
    client.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
    let head = client.head();
    assert!(head.contains("Content-Length: 5"), "{head}");
    client.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(client.head().starts_with("HTTP/1.1 200 OK"));

    let proxy = Proxy::to(answers(
        "HTTP/1.1 304 Not Modified\r\nETag: e\r\nContent-Length: 5\r\n\r\n",
    ));
    let response = proxy.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(
        response.undated_head(),
        "HTTP/1.1 304 Not Modified\nEtag: e"
    );
}

#[test]
fn parts_arrive_as_they_are_sent() {
    let proxy = Proxy::to(server(|mut client: Client| {
        client.head();
        client.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
        // The rest comes when the client has seen the first part, which it says on a second connection.
        client.until("seen");
        client.send("1\r\nb\r\n0\r\n\r\n");
    }));
    let mut client = proxy.connect();
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n");
    client.head();
    assert_eq!(client.until("a\r\n"), "1\r\na\r\n");
    client.send("seen");
    assert_eq!(client.chunks().0, "b");
}

#[test]
fn a_status_without_a_name_or_a_body() {
    check(
        "HTTP/1.1 799 Whatever\r\nContent-Length: 1\r\n\r\na",
        "HTTP/1.1 799 status code 799\nContent-Length: 1",
        "a",
    );
    let proxy = Proxy::to(answers(
        "HTTP/1.1 204 No Content\r\nX-A: b\r\nContent-Length: 0\r\n\r\n",
    ));
    let mut client = proxy.connect();
    for _ in 0..2 {
        client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        let head = client.head();
        assert!(
            head.starts_with("HTTP/1.1 204 No Content\r\nX-A: b\r\n"),
            "{head}"
        );
    }
}
