//! Which route, which answer, which middlewares.

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use serde_json::json;

use crate::support::{Proxy, answers, echo};

fn named(name: &str) -> std::net::SocketAddr {
    answers(format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{name}",
        name.len()
    ))
}

fn service(servers: &[std::net::SocketAddr]) -> serde_json::Value {
    let servers: Vec<_> = servers
        .iter()
        .map(|server| json!({ "url": format!("http://{server}") }))
        .collect();
    json!({ "loadBalancer": { "servers": servers } })
}

fn get(proxy: &Proxy, host: &str, path: &str) -> String {
    let response = proxy.ask(&format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n"));
    format!("{} {}", response.status(), response.body)
}

#[test]
fn no_route_is_not_found() {
    let proxy = Proxy::with(&json!({}), |_| {});
    let response = proxy.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(
        response.undated_head(),
        "HTTP/1.1 404 Not Found\nContent-Type: text/plain; charset=utf-8\nX-Content-Type-Options: nosniff\nContent-Length: 19"
    );
    assert_eq!(response.body, "404 page not found\n");
}

#[test]
fn the_rule_decides() {
    let proxy = Proxy::with(
        &json!({
            "routers": {
                "site": { "rule": "Host(`x.test`)", "service": "site" },
                "api": { "rule": "Host(`x.test`) && PathPrefix(`/api`)", "service": "api" },
            },
            "services": { "site": service(&[named("site")]), "api": service(&[named("api")]) },
        }),
        |_| {},
    );
    assert_eq!(get(&proxy, "X.test:80", "/"), "200 site");
    assert_eq!(get(&proxy, "x.test", "/api/a"), "200 api");
    assert_eq!(get(&proxy, "x.test", "/%61pi"), "200 api");
    assert_eq!(get(&proxy, "y.test", "/"), "404 404 page not found\n");
}

#[test]
fn servers_take_turns() {
    let proxy = Proxy::with(
        &json!({
            "routers": { "all": { "rule": "PathPrefix(`/`)", "service": "both" } },
            "services": { "both": service(&[named("a"), named("b")]) },
        }),
        |_| {},
    );
    let mut answers: Vec<_> = (0..4).map(|_| get(&proxy, "x", "/")).collect();
    answers.sort();
    assert_eq!(answers, ["200 a", "200 a", "200 b", "200 b"]);
}

#[test]
fn services_take_turns_by_weight() {
    let proxy = Proxy::with(
        &json!({
            "routers": { "all": { "rule": "PathPrefix(`/`)", "service": "mix" } },
            "services": {
                "mix": { "weighted": { "services": [{ "name": "a", "weight": 3 }, { "name": "b", "weight": 1 }] } },
                "a": service(&[named("a")]),
                "b": service(&[named("b")]),
            },
        }),
        |_| {},
    );
    let answers: Vec<_> = (0..8).map(|_| get(&proxy, "x", "/")).collect();
    assert_eq!(
        answers.iter().filter(|answer| *answer == "200 a").count(),
        6,
        "{answers:?}"
    );
}

#[test]
fn middlewares_change_request_and_answer() {
    let server = echo();
    let proxy = Proxy::with(
        &json!({
            "routers": {
                "all": { "rule": "PathPrefix(`/`)", "service": "echo", "middlewares": ["strip", "mark"] },
                "moved": { "rule": "PathPrefix(`/old`)", "service": "echo", "middlewares": ["mark", "move"] },
            },
            "services": { "echo": service(&[server]) },
            "middlewares": {
                "strip": { "stripPrefix": { "prefixes": ["/api"] } },
                "mark": { "headers": { "customResponseHeaders": { "X-Mark": "1" }, "customRequestHeaders": { "X-In": "2" } } },
                "move": { "redirectRegex": { "regex": "/old", "replacement": "/new" } },
            },
        }),
        |_| {},
    );
    let response = proxy.ask("GET /api/a HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(
        response.body.starts_with("GET /a HTTP/1.1\n"),
        "{}",
        response.body
    );
    assert!(response.body.contains("\nX-In: 2\n"), "{}", response.body);
    assert_eq!(response.header("X-Mark"), Some("1"));

    let response = proxy.ask("GET /old HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(
        (response.status(), response.header("X-Mark")),
        (302, Some("1"))
    );
    assert_eq!(response.header("Location"), Some("http://x/new"));
    assert_eq!(response.body, "Found");
}

#[test]
fn children_see_what_the_parent_left() {
    let proxy = Proxy::with(
        &json!({
            "routers": {
                "parent": { "rule": "PathPrefix(`/api`)", "middlewares": ["strip"] },
                "child": { "rule": "Path(`/a`)", "service": "a", "parentRefs": ["parent"] },
                "all": { "rule": "PathPrefix(`/`)", "service": "a" },
            },
            "services": { "a": service(&[named("a")]) },
            "middlewares": { "strip": { "stripPrefix": { "prefixes": ["/api"] } } },
        }),
        |_| {},
    );
    assert_eq!(get(&proxy, "x", "/api/a"), "200 a");
    // There is no way back to other routes.
    assert_eq!(get(&proxy, "x", "/api/b"), "404 404 page not found\n");
    assert_eq!(get(&proxy, "x", "/b"), "200 a");
}

#[test]
fn the_proxy_answers_for_itself() {
    let proxy = Proxy::with(
        &json!({
            "routers": {
                "ping": { "rule": "PathPrefix(`/ping`)", "service": "ping@internal" },
                "noop": { "rule": "PathPrefix(`/noop`)", "service": "noop@internal" },
                "api": { "rule": "PathPrefix(`/api`)", "service": "api@internal" },
            },
            "services": { "ping@internal": {}, "noop@internal": {}, "api@internal": {} },
        }),
        |web| web.life_cycle.request_accept_grace = std::time::Duration::from_secs(3600),
    );
    assert_eq!(get(&proxy, "x", "/ping"), "200 OK");
    assert_eq!(get(&proxy, "x", "/noop"), "418 ");
    assert_eq!(get(&proxy, "x", "/api/version"), "404 404 page not found\n");
    proxy.running.shutdown();
    assert_eq!(get(&proxy, "x", "/ping"), "503 Service Unavailable");
}

#[test]
fn the_api_is_asked_with_the_request() {
    let proxy = Proxy::with_api(
        &api(),
        Arc::new(|request, _| Response::new(Bytes::from(request.uri.to_string()))),
    );
    assert_eq!(get(&proxy, "x", "/api/a?b"), "200 /api/a?b");
}

pub(crate) fn api() -> serde_json::Value {
    json!({
        "routers": { "api": { "rule": "PathPrefix(`/api`)", "service": "api@internal" } },
        "services": { "api@internal": {} },
    })
}
