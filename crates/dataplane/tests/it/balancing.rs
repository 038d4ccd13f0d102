//! Who is asked, and what a client is told of it.

use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::support::{Proxy, Response, answers, server};

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// A server that says who it is.
fn named(name: &'static str) -> SocketAddr {
    answers(format!(
        "HTTP/1.1 200 OK\r\nX-Label: {name}\r\nContent-Length: 0\r\n\r\n"
    ))
}

fn urls(servers: &[SocketAddr]) -> Value {
    servers
        .iter()
        .map(|server| json!({ "url": format!("http://{server}") }))
        .collect()
}

fn balanced(servers: &[SocketAddr], how: &Value) -> Value {
    let mut balancer = json!({ "servers": urls(servers) });
    for (key, value) in how.as_object().unwrap() {
        balancer[key] = value.clone();
    }
    json!({
        "routers": { "all": { "rule": "PathPrefix(`/`)", "service": "balanced" } },
        "services": { "balanced": { "loadBalancer": balancer } },
    })
}

fn with_cookie(cookie: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost: a\r\nCookie: {cookie}\r\n\r\n")
}

/// The cookies that an answer sets, without their attributes.
fn cookies(response: &Response) -> Vec<&str> {
    let lines = response.head.lines();
    lines
        .filter_map(|line| line.strip_prefix("Set-Cookie: "))
        .filter_map(|cookie| cookie.split(';').next())
        .collect()
}

fn label(response: &Response) -> &str {
    response.header("x-label").unwrap_or("none")
}

#[test]
fn a_cookie_leads_back_to_its_server() {
    let how = json!({ "sticky": { "cookie": { "name": "seat", "httpOnly": true } } });
    let proxy = Proxy::with(&balanced(&[named("a"), named("b")], &how), |_| {});
    let first = proxy.ask(GET);
    let seat = first.header("set-cookie").unwrap();
    assert!(seat.ends_with("; Path=/; HttpOnly"), "{seat}");
    let seat = cookies(&first)[0];
    for _ in 0..5 {
        let again = proxy.ask(&with_cookie(&format!("x=y; {seat}")));
        assert_eq!((label(&again), cookies(&again)), (label(&first), vec![]));
    }
    let stranger = proxy.ask(&with_cookie("seat=nobody"));
    assert_eq!(cookies(&stranger).len(), 1);
}

#[test]
fn levels_have_cookies_of_their_own_in_front_of_the_servers() {
    let of_server = answers(
        "HTTP/1.1 200 OK\r\nSet-Cookie: own=1\r\nSet-Cookie: other=2\r\nContent-Length: 0\r\n\r\n",
    );
    let mut http = balanced(
        &[of_server],
        &json!({ "sticky": { "cookie": { "name": "in" } } }),
    );
    http["routers"]["all"]["service"] = json!("outer");
    http["services"]["outer"] = json!({ "weighted": {
        "services": [{ "name": "balanced" }],
        "sticky": { "cookie": { "name": "out" } },
    } });
    let response = Proxy::with(&http, |_| {}).ask(GET);
    let names: Vec<_> = cookies(&response)
        .into_iter()
        .filter_map(|cookie| cookie.split('=').next())
        .collect();
    assert_eq!(names, ["out", "in", "own", "other"]);
}

#[test]
fn a_service_whose_servers_are_all_fenced_keeps_its_clients() {
    let (a, b) = (named("a"), named("b"));
    let balancer = |server: SocketAddr, is_fenced: bool| {
        json!({ "loadBalancer": {
            "servers": [{ "url": format!("http://{server}"), "fenced": is_fenced }],
            "sticky": { "cookie": { "name": format!("in{}", server.port()) } },
            "healthCheck": { "path": "/" },
        } })
    };
    let proxy = |service: &str, is_fenced: bool| {
        let http = json!({
            "routers": { "all": { "rule": "PathPrefix(`/`)", "service": service } },
            "services": {
                "a": balancer(a, is_fenced),
                "b": balancer(b, false),
                "weighted": { "weighted": {
                    "services": [{ "name": "a" }, { "name": "b" }],
                    "sticky": { "cookie": { "name": "out" } },
                    "healthCheck": {},
                } },
                "failover": { "failover": { "service": "a", "fallback": "b" } },
            },
        });
        Proxy::with(&http, |_| {})
    };
    let first = proxy("weighted", false).ask(GET);
    assert_eq!(label(&first), "a");
    let [outer, inner] = cookies(&first)[..] else {
        panic!("{}", first.head);
    };
    let both = format!("{outer}; {inner}");
    for (service, cookie, expected) in [
        ("weighted", both.as_str(), ["a", "a"]),
        ("weighted", inner, ["a", "b"]),
        // Traefik: 503, as it is up and takes nobody in.
        ("weighted", outer, ["b", "b"]),
        ("weighted", "x=y", ["b", "b"]),
        ("failover", inner, ["a", "a"]),
        ("failover", "x=y", ["b", "b"]),
    ] {
        let proxy = proxy(service, true);
        let answers = [(); 2].map(|()| proxy.ask(&with_cookie(cookie)));
        assert_eq!(
            answers.each_ref().map(label),
            expected,
            "{service} {cookie}"
        );
    }
}

#[test]
fn an_answer_of_the_proxy_sets_the_cookie_too() {
    let sticky = json!({ "sticky": { "cookie": { "name": "seat" } } });
    let nobody = "127.0.0.1:1".parse().unwrap();
    let response = Proxy::with(&balanced(&[nobody], &sticky), |_| {}).ask(GET);
    assert_eq!((response.status(), cookies(&response).len()), (502, 1));

    let mut http = balanced(&[], &sticky);
    http["routers"]["all"]["service"] = json!("outer");
    http["services"]["outer"] = json!({ "weighted": {
        "services": [{ "name": "balanced" }],
        "sticky": { "cookie": { "name": "out" } },
    } });
    let response = Proxy::with(&http, |_| {}).ask(GET);
    assert_eq!(response.status(), 503);
    assert_eq!(response.body, "no available server\n");
    let names: Vec<_> = cookies(&response)
        .into_iter()
        .map(|cookie| &cookie[..4])
        .collect();
    assert_eq!(names, ["out="]);
}

#[test]
fn a_server_that_fails_is_passed_over() {
    let bad = answers("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n");
    let nobody = "127.0.0.1:1".parse().unwrap();
    let how = json!({ "passiveHealthCheck": { "failureWindow": "1h", "maxFailedAttempts": 2 } });
    let proxy = Proxy::with(&balanced(&[bad, nobody, named("c")], &how), |_| {});
    let statuses: Vec<_> = (0..12).map(|_| proxy.ask(GET).status()).collect();
    let count = |status| statuses.iter().filter(|&&other| other == status).count();
    // Another one answers for the server that is not there.
    assert_eq!((count(500), count(200)), (2, 10), "{statuses:?}");

    let proxy = Proxy::with(&balanced(&[bad], &how), |_| {});
    let statuses: Vec<_> = (0..4).map(|_| proxy.ask(GET).status()).collect();
    assert_eq!(statuses, [500, 500, 503, 503]);
}

#[test]
fn not_all_servers_are_taken_out_where_there_is_a_limit() {
    let bad = answers("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n");
    let nobody = "127.0.0.1:1".parse().unwrap();
    for (limit, left) in [(100, 503), (50, 500)] {
        let how =
            json!({ "passiveHealthCheck": { "failureWindow": "1h", "maxEjectedPercent": limit } });
        let proxy = Proxy::with(&balanced(&[nobody, bad], &how), |_| {});
        let statuses: Vec<_> = (0..6).map(|_| proxy.ask(GET).status()).collect();
        assert_eq!(statuses[2..], [left; 4], "{statuses:?}");
    }
}

#[test]
fn a_client_cannot_make_a_server_look_bad() {
    let server = server(|mut client| {
        while client.has_more() {
            let head = client.head();
            if head.starts_with("POST") {
                client.chunks();
            }
            client.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let how = json!({ "passiveHealthCheck": { "failureWindow": "1h", "maxFailedAttempts": 1 } });
    let proxy = Proxy::with(&balanced(&[server], &how), |_| {});
    let mut client = proxy.connect();
    client
        .send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\nxyz\r\n");
    drop(client.rest());
    assert_eq!(proxy.ask(GET).status(), 200);
}

/// A server whose answers end when the returned end is dropped.
fn held(name: &'static str) -> (SocketAddr, Sender<()>) {
    let (release, wait): (_, Receiver<()>) = channel();
    let wait = Arc::new(Mutex::new(wait));
    let address = server(move |mut client| {
        while client.has_more() {
            client.head();
            client.send(format!(
                "HTTP/1.1 200 OK\r\nX-Label: {name}\r\nContent-Length: 2\r\n\r\na"
            ));
            // Ends when the test says so.
            drop(wait.lock().map(|wait| wait.recv()));
            client.send("b");
        }
    });
    (address, release)
}

#[test]
fn of_two_servers_the_one_that_is_not_busy_is_asked() {
    let (busy, release) = held("busy");
    let idle = named("idle");
    let how = json!({ "strategy": "p2c" });
    let proxy = Proxy::with(&balanced(&[busy, idle], &how), |_| {});
    let (mut client, mut head) = (proxy.connect(), String::new());
    while !head.contains("busy") {
        client = proxy.connect();
        client.send(GET);
        head = client.head();
    }
    for _ in 0..20 {
        assert_eq!(label(&proxy.ask(GET)), "idle");
    }
    drop(release);
    assert_eq!(client.exactly(2), "ab");
    drop(client);
    while label(&proxy.ask(GET)) != "busy" {}
}

#[test]
fn hashing_goes_by_the_address_of_the_socket() {
    let servers = ["a", "b", "c", "d"].map(named);
    let proxy = Proxy::with(&balanced(&servers, &json!({ "strategy": "hrw" })), |_| {});
    let first = proxy.ask(GET);
    for n in 0..20 {
        let forwarded = format!("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 10.0.0.{n}\r\n\r\n");
        assert_eq!(label(&proxy.ask(&forwarded)), label(&first));
    }
    let mut http = balanced(&servers[..1], &json!({}));
    http["services"]["other"] = json!({ "loadBalancer": { "servers": urls(&servers[1..2]) } });
    http["services"]["hashed"] = json!({ "highestRandomWeight": {
        "services": [{ "name": "balanced" }, { "name": "other", "weight": 0 }],
    } });
    http["routers"]["all"]["service"] = json!("hashed");
    let proxy = Proxy::with(&http, |_| {});
    assert!((0..5).all(|_| label(&proxy.ask(GET)) == "a"));
}

#[test]
fn the_quick_server_is_preferred_and_the_dead_one_no_trap() {
    let (heard, asked) = channel();
    let heard = Mutex::new(heard);
    let deaf = server(move |mut client| {
        client.head();
        heard.lock().unwrap().send(()).unwrap();
    });
    let servers = [deaf, named("b"), named("c")];
    let proxy = Proxy::with(
        &balanced(&servers, &json!({ "strategy": "leasttime" })),
        |_| {},
    );
    assert!((0..60).all(|_| proxy.ask(GET).status() == 200));
    let failed = asked.try_iter().count();
    assert!((1..=10).contains(&failed), "{failed}");
}
