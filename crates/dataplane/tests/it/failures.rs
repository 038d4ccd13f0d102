//! Servers that fail.

use std::net::TcpListener;

use serde_json::json;

use crate::support::{Client, Proxy, server, to};

const GET: &str = "GET / HTTP/1.1\r\nHost: x.test\r\n\r\n";

#[track_caller]
fn check(serve: impl Fn(Client) + Send + Sync + 'static, status: &str, body: &str) {
    let proxy = Proxy::to(server(serve));
    let response = proxy.ask(GET);
    assert_eq!(
        response.undated_head(),
        format!("HTTP/1.1 {status}\nContent-Length: {}", body.len())
    );
    assert_eq!(response.body, body);
}

#[test]
fn a_server_that_is_not_there_is_a_bad_gateway() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let response = Proxy::to(address).ask(GET);
    assert_eq!(
        response.undated_head(),
        "HTTP/1.1 502 Bad Gateway\nContent-Length: 11"
    );
    assert_eq!(response.body, "Bad Gateway");
}

#[test]
fn a_server_that_says_nothing_is_a_bad_gateway() {
    check(
        |mut client| {
            client.head();
        },
        "502 Bad Gateway",
        "Bad Gateway",
    );
}

#[test]
fn a_server_that_talks_nonsense_is_an_error() {
    check(
        |mut client| {
            client.head();
            client.send("nonsense\r\n\r\n");
        },
        "500 Internal Server Error",
        "Internal Server Error",
    );
    check(
        |mut client| {
            client.head();
            client.send("HTTP/1.1 200 OK\r\nConte");
        },
        "500 Internal Server Error",
        "Internal Server Error",
    );
}

#[test]
fn a_server_that_takes_too_long_is_a_timeout() {
    let mut http = to(server(|mut client: Client| drop(client.rest())));
    http["services"]["server"]["loadBalancer"]["serversTransport"] = json!("impatient");
    http["serversTransports"] =
        json!({ "impatient@file": { "forwardingTimeouts": { "responseHeaderTimeout": "1ms" } } });
    let response = Proxy::with(&http, |_| {}).ask(GET);
    assert_eq!(
        response.undated_head(),
        "HTTP/1.1 504 Gateway Timeout\nContent-Length: 15"
    );
    assert_eq!(response.body, "Gateway Timeout");
}

#[test]
fn no_server_is_unavailable() {
    let http = json!({
        "routers": { "all": { "rule": "PathPrefix(`/`)", "service": "none" } },
        "services": { "none": { "loadBalancer": { "servers": [] } } },
    });
    let proxy = Proxy::with(&http, |_| {});
    let head = "HTTP/1.1 503 Service Unavailable\nContent-Type: text/plain; charset=utf-8\n\
                X-Content-Type-Options: nosniff\nContent-Length: 20";
    let response = proxy.ask(GET);
    assert_eq!(response.undated_head(), head);
    assert_eq!(response.body, "no available server\n");

    let mut client = proxy.connect();
    client.send("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let seen = client.rest();
    assert!(
        seen.contains("Content-Length: 20\r\n") && seen.ends_with("\r\n\r\n"),
        "{seen}"
    );
}

#[test]
fn a_failure_leaves_the_connection_usable() {
    let proxy = Proxy::to(server(|mut client: Client| {
        if client.head().starts_with("GET /good") {
            client.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        }
    }));
    let mut client = proxy.connect();
    client.send(GET);
    assert_eq!(client.response().status(), 502);
    client.send("GET /good HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(client.response().status(), 200);
}
