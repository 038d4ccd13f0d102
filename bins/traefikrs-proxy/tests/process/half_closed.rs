//! Sockets of which one half is closed.

use std::sync::{Mutex, mpsc};

use crate::Site;
use crate::client::Client;
use crate::proxy::DEADLINE;
use crate::servers::server;
use crate::strict::{Fault, Strict};

#[test]
fn a_client_that_says_no_more_takes_its_request_along() {
    let (told, tells) = mpsc::channel();
    let told = Mutex::new(told);
    let server = server(move |mut client: Client| {
        let told = told.lock().unwrap().clone();
        while let Some(head) = client.head() {
            drop(told.send(head));
        }
        drop(told.send("gone".to_owned()));
    });
    let site = Site::before(server, &[]);
    let mut client = site.connect();
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(tells.recv_timeout(DEADLINE).unwrap().starts_with("GET / "));
    client.half_close();
    assert_eq!(tells.recv_timeout(DEADLINE).unwrap(), "gone");
    // As from Traefik.
    assert_eq!(client.answer().map(|answer| answer.status), Some(499));
    assert_eq!(client.rest(), "");
}

#[test]
fn a_client_that_ends_in_the_middle_asks_for_nothing() {
    let server = Strict::start();
    let site = Site::before(server.address, &[]);
    for (sent, status) in [
        ("", None),
        ("GET / HT", Some(400)),
        ("GET / HTTP/1.1\r\n", Some(400)),
        ("GET / HTTP/1.1\r\nHost: x\r\n", Some(400)),
        ("GET / HTTP/1.1\r\nHost: x\r\n\r", Some(400)),
        // What only HTTP/2 begins with, broken off.
        ("PRI * HTTP/2.0\r\n\r\nSM", None),
    ] {
        let mut client = site.connect();
        client.send(sent);
        client.half_close();
        let answer = client.answer();
        assert_eq!(answer.map(|answer| answer.status), status, "{sent:?}");
        assert_eq!(client.rest(), "", "{sent:?}");
    }
    assert_eq!(server.take(0), []);
}

#[test]
fn a_body_that_ends_in_the_middle_is_not_taken_for_a_whole_one() {
    let server = Strict::start();
    let site = Site::before(server.address, &[]);
    for body in [
        "Content-Length: 9\r\n\r\n",
        "Content-Length: 9\r\n\r\nabc",
        "Transfer-Encoding: chunked\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n3\r\nab",
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc",
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0",
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n",
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n",
    ] {
        let mut client = site.connect();
        client.send(format!("POST / HTTP/1.1\r\nHost: x\r\n{body}"));
        client.half_close();
        let answer = client.answer();
        assert_eq!(answer.map(|answer| answer.status), Some(502), "{body:?}");
        assert_eq!(client.rest(), "", "{body:?}");
        for request in server.take(0) {
            assert_eq!(request.fault, Some(Fault::BrokenOff), "{body:?}: {request}");
        }
    }
}

#[test]
fn a_server_that_says_no_more_is_not_asked_again() {
    // It closes its half behind each answer, without saying so, and would take another request.
    let (closes, closed) = mpsc::channel();
    let closes = Mutex::new(closes);
    let server = server(move |mut client: Client| {
        let closes = closes.lock().unwrap().clone();
        while let Some(head) = client.head() {
            let number = usize::from(head.starts_with("GET /2"));
            client.send(format!(
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{number}"
            ));
            client.half_close();
            closes.send(()).ok();
        }
    });
    let site = Site::before(server, &[]);
    let mut client = site.connect();
    for (method, path) in [
        ("GET", "/1"),
        ("GET", "/2"),
        ("DELETE", "/1"),
        ("DELETE", "/1"),
    ] {
        client.send(format!("{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n"));
        let answer = client.answer().unwrap();
        assert_eq!(answer.status, 200, "{method} {path}: {answer:?}");
        closed.recv_timeout(DEADLINE).unwrap();
    }
}
