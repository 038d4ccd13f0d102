//! What is said about the client, and to whom; the server's view of headers.

use serde_json::json;
use traefikrs_dataplane::Trust;

use crate::support::{Proxy, echo, to};

/// The headers that the server sees, without those in every request.
#[track_caller]
fn check(proxy: &Proxy, request_headers: &[&str], expected: &[&str]) {
    let request = format!("GET / HTTP/1.1\r\n{}\r\n\r\n", request_headers.join("\r\n"));
    let body = proxy.ask(&request).body;
    let mut seen: Vec<_> = body
        .lines()
        .skip(1)
        .filter(|line| !line.is_empty())
        .collect();
    seen.retain(|line| *line != "X-Forwarded-Server: here");
    assert_eq!(seen, expected);
}

fn trusting() -> Proxy {
    Proxy::with(&to(echo()), |web| {
        web.forwarded_headers.trust = Trust::Networks(vec!["127.0.0.0/8".parse().unwrap()]);
        web.forwarded_headers.connection = vec!["x-keep".parse().unwrap()];
    })
}

const CLAIMS: [&str; 10] = [
    "Host: x.test",
    "X-Forwarded-For: 1.1.1.1",
    "X_Forwarded_For: 2.2.2.2",
    "X-Forwarded-Proto: https",
    "x-forwarded_host: q",
    "Forwarded: for=1",
    "X-Real-Ip: 3.3.3.3",
    "X-Forwarded-Prefix: /a",
    "X-Scheme: s",
    "X-Forwarded-Server: me",
];

#[test]
fn claims_of_strangers_are_forgotten() {
    check(
        &Proxy::to(echo()),
        &CLAIMS,
        &[
            "Forwarded: for=1",
            "Host: x.test",
            "X-Forwarded-For: 127.0.0.1",
            "X-Forwarded-Host: x.test",
            "X-Forwarded-Port: 80",
            "X-Forwarded-Proto: http",
            "X-Real-Ip: 127.0.0.1",
            "X-Scheme: s",
        ],
    );
}

#[test]
fn claims_of_trusted_peers_are_passed_on() {
    check(
        &trusting(),
        &CLAIMS,
        &[
            "Forwarded: for=1",
            "Host: x.test",
            "X-Forwarded-For: 1.1.1.1, 127.0.0.1",
            "X-Forwarded-Host: x.test",
            "X-Forwarded-Port: 443",
            "X-Forwarded-Prefix: /a",
            "X-Forwarded-Proto: https",
            "X-Forwarded_host: q",
            "X-Real-Ip: 3.3.3.3",
            "X-Scheme: s",
            "X_forwarded_for: 2.2.2.2",
        ],
    );
    check(
        &trusting(),
        &[
            "Host: x.test",
            "X-Forwarded-For: 1.1.1.1",
            "X-Forwarded-For: 2.2.2.2",
        ],
        &[
            "Host: x.test",
            "X-Forwarded-For: 1.1.1.1, 2.2.2.2, 127.0.0.1",
            "X-Forwarded-Host: x.test",
            "X-Forwarded-Port: 80",
            "X-Forwarded-Proto: http",
            "X-Real-Ip: 127.0.0.1",
        ],
    );
}

#[test]
fn the_peer_is_not_appended_when_it_shall_not_be() {
    let proxy = Proxy::with(&to(echo()), |web| {
        web.forwarded_headers.trust = Trust::Everyone;
        web.forwarded_headers.append_for = false;
    });
    for claim in [None, Some("X-Forwarded-For: 1.1.1.1")] {
        let expected: Vec<_> = ["Host: x"]
            .into_iter()
            .chain(claim)
            .chain([
                "X-Forwarded-Host: x",
                "X-Forwarded-Port: 80",
                "X-Forwarded-Proto: http",
                "X-Real-Ip: 127.0.0.1",
            ])
            .collect();
        let request: Vec<_> = ["Host: x"].into_iter().chain(claim).collect();
        check(&proxy, &request, &expected);
    }
}

#[test]
fn the_host_tells_the_port() {
    check(
        &Proxy::to(echo()),
        &["Host: X.test:8443"],
        &[
            "Host: X.test:8443",
            "X-Forwarded-For: 127.0.0.1",
            "X-Forwarded-Host: X.test:8443",
            "X-Forwarded-Port: 8443",
            "X-Forwarded-Proto: http",
            "X-Real-Ip: 127.0.0.1",
        ],
    );
}

#[test]
fn an_empty_host_becomes_that_of_the_server() {
    let server = echo();
    let proxy = Proxy::to(server);
    let host = format!("Host: {server}");
    for request in ["GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"] {
        let body = proxy.ask(request).body;
        assert!(body.contains(&host), "{body}");
        assert!(!body.contains("X-Forwarded-Host"), "{body}");
    }
}

#[test]
fn the_host_of_the_server_is_sent_if_that_of_the_client_is_not_passed() {
    let server = echo();
    let mut http = to(server);
    http["services"]["server"]["loadBalancer"]["passHostHeader"] = json!(false);
    let body = Proxy::with(&http, |_| {})
        .ask("GET / HTTP/1.1\r\nHost: x.test\r\n\r\n")
        .body;
    assert!(body.contains(&format!("Host: {server}")), "{body}");
    assert!(body.contains("X-Forwarded-Host: x.test"), "{body}");
}

#[test]
fn the_authority_of_an_absolute_target_is_the_host() {
    let body = Proxy::to(echo())
        .ask("GET http://u@Y.test:1/p?q HTTP/1.1\r\nHost: x.test\r\n\r\n")
        .body;
    assert!(
        body.starts_with("GET /p?q HTTP/1.1\nHost: Y.test:1\n"),
        "{body}"
    );
    assert!(body.contains("\nX-Forwarded-Port: 1\n"), "{body}");
}

#[test]
fn what_is_for_this_hop_stays_here() {
    let request = [
        "Host: x.test",
        "TE: trailers, deflate",
        "Keep-Alive: 5",
        "Proxy-Connection: x",
        "Proxy-Authorization: y",
        "Connection: X-A, Keep-Alive, x-forwarded-for, X-Keep",
        "X-A: 1",
        "X-Keep: 2",
        "Upgrade: h9",
    ];
    let common = [
        "Host: x.test",
        "Te: trailers",
        "X-Forwarded-For: 127.0.0.1",
        "X-Forwarded-Host: x.test",
        "X-Forwarded-Port: 80",
        "X-Forwarded-Proto: http",
        "X-Real-Ip: 127.0.0.1",
    ];
    check(&Proxy::to(echo()), &request, &common);
    // What is kept for rules and middlewares is not kept for the server.
    check(&trusting(), &request, &common);
}

#[test]
fn a_client_cannot_take_away_what_is_said_about_it() {
    check(
        &trusting(),
        &[
            "Host: x.test",
            "X-Forwarded-For: 1.1.1.1",
            "Connection: X-Forwarded-For, X-Real-Ip, Host",
        ],
        &[
            "Host: x.test",
            "X-Forwarded-For: 1.1.1.1, 127.0.0.1",
            "X-Forwarded-Host: x.test",
            "X-Forwarded-Port: 80",
            "X-Forwarded-Proto: http",
            "X-Real-Ip: 127.0.0.1",
        ],
    );
}

#[test]
fn an_old_wish_for_freshness_is_put_in_new_words() {
    let body = Proxy::to(echo())
        .ask("GET / HTTP/1.1\r\nHost: x\r\nPragma: no-cache\r\n\r\n")
        .body;
    assert!(body.contains("\nCache-Control: no-cache\n"), "{body}");
}

#[test]
fn bytes_and_methods_go_through_untouched() {
    let proxy = Proxy::to(echo());
    let body = proxy
        .ask_bytes(b"get / HTTP/1.1\r\nHost: x\r\nX-Bytes: \xe9\r\n\r\n")
        .body;
    assert!(body.starts_with("get / HTTP/1.1\n"), "{body}");
    assert!(body.contains("\nX-Bytes: \u{e9}\n"), "{body}");
    assert!(
        proxy
            .ask("TRACE / HTTP/1.1\r\nHost: x\r\n\r\n")
            .body
            .starts_with("TRACE / ")
    );
}

#[test]
fn the_zone_of_an_address_stays_here() {
    let body = Proxy::to(echo())
        .ask("GET / HTTP/1.1\r\nHost: [fe80::1%25eth0]:81\r\n\r\n")
        .body;
    assert!(body.contains("Host: [fe80::1]:81"), "{body}");
}

#[test]
fn only_the_first_line_of_connection_makes_the_scheme_ws() {
    for (first, second, expected) in [("Upgrade", "x-a", "ws"), ("x-a", "Upgrade", "http")] {
        let request = format!(
            "GET / HTTP/1.1\r\nHost: x\r\nConnection: {first}\r\nConnection: {second}\r\nUpgrade: websocket\r\n\r\n"
        );
        let body = Proxy::to(echo()).ask(&request).body;
        assert!(
            body.contains(&format!("X-Forwarded-Proto: {expected}\n")),
            "{body}"
        );
    }
}
