//! Copies of requests, for services that answer to nobody.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::mpsc::channel;

use serde_json::{Value, json};

use crate::support::{Proxy, Record, recorder, recording, server, service};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmain";
const MIRRORED: &str = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nmirror";

/// Everything goes to `main`; `change` says what else is different.
fn configuration(services: &[(&str, Value)], change: impl FnOnce(&mut Value)) -> Value {
    let mut http = json!({
        "routers": { "all": { "rule": "PathPrefix(`/`)", "service": "mirroring" } },
        "services": { "mirroring": { "mirroring": {
            "service": "main",
            "mirrors": [{ "name": "mirror", "percent": 100 }],
        } } },
    });
    for (name, service) in services {
        http["services"][name] = service.clone();
    }
    change(&mut http);
    http
}

fn mirroring(change: impl FnOnce(&mut Value)) -> (Proxy, Record, Record) {
    let (main, main_record) = recording(OK);
    let (mirror, mirror_record) = recording(MIRRORED);
    let http = configuration(
        &[("main", service(main)), ("mirror", service(mirror))],
        change,
    );
    (Proxy::with(&http, |_| {}), main_record, mirror_record)
}

fn setting(http: &mut Value) -> &mut Value {
    &mut http["services"]["mirroring"]["mirroring"]
}

fn post(target: &str, body: &str) -> String {
    format!(
        "POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn post_chunked(target: &str, body: &str) -> String {
    let chunk = match body.len() {
        0 => String::new(),
        len => format!("{len:x}\r\n{body}\r\n"),
    };
    format!(
        "POST {target} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}0\r\n\r\n"
    )
}

#[test]
fn a_mirror_sees_what_the_main_service_sees() {
    let (proxy, main, mirror) = mirroring(|_| {});
    for request in [
        "GET /a?b=c HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.2.3.4\r\nX-A: 1\r\nX-A: 2\r\n\r\n".to_owned(),
        "HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        post("/", "hello"),
        post("/", ""),
        post_chunked("/", "hello"),
        post_chunked("/", ""),
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n1\r\na\r\n0\r\nX-T: v\r\n\r\n"
            .to_owned(),
    ] {
        let mut client = proxy.connect();
        client.send(&request);
        if request.starts_with("HEAD") {
            assert!(client.head().contains(" 200 "), "{request}");
        } else {
            assert_eq!(client.response().body, "main", "{request}");
        }
        assert_eq!(mirror.next(), main.next());
    }
}

#[test]
fn copies_are_finished_before_the_end() {
    let (main, _) = recording(OK);
    let (arrived, has_arrived) = channel();
    let (go, may_go) = channel::<()>();
    let may_go = Mutex::new(may_go);
    let slow = server(move |mut client| {
        client.head();
        arrived.send(()).unwrap();
        may_go.lock().unwrap().recv().unwrap();
        client.send(MIRRORED);
    });
    let (second, record) = recording(MIRRORED);
    let services = [
        ("main", service(main)),
        ("mirror", service(slow)),
        ("second", service(second)),
    ];
    let http = configuration(&services, |http| {
        setting(http)["mirrors"] =
            json!([{ "name": "mirror", "percent": 100 }, { "name": "second", "percent": 100 }]);
    });
    let proxy = Proxy::with(&http, |web| {
        web.life_cycle.grace = std::time::Duration::from_secs(3600);
    });
    let mut client = proxy.connect();
    client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(client.response().body, "main");
    has_arrived.recv().unwrap();
    proxy.running.shutdown();
    assert_eq!(client.rest(), "");
    // One after the other.
    go.send(()).unwrap();
    assert_eq!(record.next().target(), "/a");
    proxy.running.wait().unwrap();
}

#[test]
fn a_percentage_of_all_requests_is_copied() {
    let (proxy, _, mirror) = mirroring(|http| setting(http)["mirrors"][0]["percent"] = json!(30));
    for n in 0..14 {
        proxy.ask(&format!("GET /{n} HTTP/1.1\r\nHost: x\r\n\r\n"));
    }
    // What Traefik 3.7.15 copies: M--M--M---M--M
    let copied: BTreeSet<_> = (0..5).map(|_| mirror.next().target().to_owned()).collect();
    // Copies go their own ways, and may overtake each other.
    let expected = ["/0", "/3", "/6", "/10", "/13"];
    assert_eq!(copied, expected.map(str::to_owned).into());
}

#[test]
fn counting_goes_on_after_a_reload() {
    let (main, _) = recording(OK);
    let (mirror, record) = recording(MIRRORED);
    let mut http = configuration(
        &[("main", service(main)), ("mirror", service(mirror))],
        |http| setting(http)["mirrors"][0]["percent"] = json!(50),
    );
    let proxy = Proxy::with(&http, |_| {});
    proxy.ask("GET /1 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(record.next().target(), "/1");
    http["routers"]["other"] = json!({ "rule": "Host(`other`)", "service": "main" });
    proxy.publish(&http);
    for n in 2..4 {
        proxy.ask(&format!("GET /{n} HTTP/1.1\r\nHost: x\r\n\r\n"));
    }
    assert_eq!(record.next().target(), "/3");
}

#[test]
fn every_mirror_gets_its_copy_with_its_own_middlewares() {
    let (main, main_record) = recording(OK);
    let (mirror, record) = recording(MIRRORED);
    let add = |name: &str| {
        json!({ "headers": {
        "customRequestHeaders": { "X-From": name },
        "customResponseHeaders": { "X-Answer": name },
    } })
    };
    let with = |address, name: &str| {
        let mut service = service(address);
        service["middlewares"] = json!([name]);
        service
    };
    let http = configuration(
        &[
            ("main", with(main, "main")),
            ("mirror", with(mirror, "first")),
            ("second", with(mirror, "second")),
        ],
        |http| {
            setting(http)["mirrors"] =
                json!([{ "name": "mirror", "percent": 100 }, { "name": "second", "percent": 100 }]);
            http["middlewares"] =
                json!({ "main": add("main"), "first": add("first"), "second": add("second") });
        },
    );
    let proxy = Proxy::with(&http, |_| {});
    let response = proxy.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(response.header("X-Answer"), Some("main"));
    assert_eq!(main_record.next().header("X-From"), Some("main"));
    assert_eq!(record.next().header("X-From"), Some("first"));
    assert_eq!(record.next().header("X-From"), Some("second"));
}

#[test]
fn a_body_up_to_the_limit_is_copied() {
    let (proxy, main, mirror) = mirroring(|http| setting(http)["maxBodySize"] = json!(5));
    for (request, is_copied) in [
        (post("/1", "hello"), true),
        (post("/2", "hello!"), false),
        (post_chunked("/3", "hello!"), false),
        (post_chunked("/4", "hello"), true),
        (post("/5", ""), true),
    ] {
        assert_eq!(proxy.ask(&request).body, "main");
        let seen = main.next();
        if is_copied {
            assert_eq!(mirror.next(), seen, "{request}");
        }
    }
    assert!(mirror.is_empty());
}

#[test]
fn a_large_body_without_a_limit_goes_to_the_main_service_alone() {
    let (proxy, main, mirror) = mirroring(|_| {});
    let large = "x".repeat((8 << 20) + 1);
    assert_eq!(proxy.ask(&post("/large", &large)).status(), 200);
    assert_eq!(proxy.ask(&post_chunked("/large", &large)).status(), 200);
    assert_eq!(main.next().body.len(), large.len());
    assert_eq!(main.next().body.len(), large.len());
    proxy.ask(&post("/fits", &large[1..]));
    let copy = mirror.next();
    assert_eq!((copy.target(), copy.body.len()), ("/fits", large.len() - 1));
}

#[test]
fn a_copy_without_its_body_is_a_whole_request() {
    let (proxy, _, mirror) = mirroring(|http| setting(http)["mirrorBody"] = json!(false));
    for request in [
        post("/", "hello"),
        post_chunked("/", "hello"),
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n1\r\na\r\n0\r\nX-T: v\r\n\r\n"
            .to_owned(),
    ] {
        assert_eq!(proxy.ask(&request).body, "main");
        let seen = mirror.next();
        assert_eq!(seen.header("Content-Length"), Some("0"), "{seen:?}");
        assert_eq!(seen.header("Transfer-Encoding"), None, "{seen:?}");
        assert_eq!(seen.header("Trailer"), None, "{seen:?}");
    }
}

#[test]
fn a_mirror_sees_requests_that_the_main_service_did_not_answer() {
    let (mirror, record) = recording(MIRRORED);
    let dead = "127.0.0.1:1".parse().unwrap();
    for (main, status) in [
        (service(dead), 502),
        (json!({ "loadBalancer": { "servers": [] } }), 503),
    ] {
        let http = configuration(&[("main", main), ("mirror", service(mirror))], |_| {});
        let proxy = Proxy::with(&http, |_| {});
        assert_eq!(proxy.ask(&post("/", "hello")).status(), status);
        assert_eq!(record.next().body, "hello");
    }
}

#[test]
fn a_mirror_is_never_waited_for() {
    let (main, _) = recording(OK);
    let dead = "127.0.0.1:1".parse().unwrap();
    let hung = server(|mut client| {
        client.head();
        client.rest();
    });
    for mirror in [dead, hung] {
        let http = configuration(
            &[("main", service(main)), ("mirror", service(mirror))],
            |_| {},
        );
        let proxy = Proxy::with(&http, |_| {});
        let mut client = proxy.connect();
        for _ in 0..20 {
            client.send(post("/", "hello"));
            assert_eq!(client.response().body, "main");
        }
    }
}

#[test]
fn the_main_service_answers_before_the_body_is_through() {
    let (mirror, record) = recording(MIRRORED);
    let main = server(|mut client| {
        client.head();
        client.exactly(1);
        client.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nma");
        client.exactly(1);
        client.send("in");
    });
    let http = configuration(
        &[("main", service(main)), ("mirror", service(mirror))],
        |_| {},
    );
    let proxy = Proxy::with(&http, |_| {});
    let mut client = proxy.connect();
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na");
    assert!(client.head().contains(" 200 "));
    assert_eq!(client.exactly(2), "ma");
    client.send("b");
    assert_eq!(client.exactly(2), "in");
    assert_eq!(record.next().body, "ab");
}

#[test]
fn a_request_that_the_client_gave_up_is_not_copied() {
    let (begun, has_begun) = channel();
    let (gone, is_gone) = channel();
    let (begun, gone) = (Mutex::new(begun), Mutex::new(gone));
    let (main, _) = recorder(move |seen, client| {
        if seen.target() == "/given-up" {
            begun.lock().unwrap().send(()).unwrap();
            client.rest();
            gone.lock().unwrap().send(()).unwrap();
        } else {
            client.send(OK);
        }
    });
    let (mirror, record) = recording(MIRRORED);
    let http = configuration(
        &[("main", service(main)), ("mirror", service(mirror))],
        |_| {},
    );
    let proxy = Proxy::with(&http, |_| {});
    let mut client = proxy.connect();
    client.send("GET /given-up HTTP/1.1\r\nHost: x\r\n\r\n");
    has_begun.recv().unwrap();
    drop(client);
    is_gone.recv().unwrap();
    proxy.ask("GET /next HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(record.next().target(), "/next");
}

#[test]
fn mirrors_that_hang_are_not_asked_without_end() {
    let (main, _) = recording(OK);
    let (mirror, record) = recorder(|seen, client| {
        if seen.target() == "/hang" {
            client.rest();
        } else {
            client.send(MIRRORED);
        }
    });
    let http = configuration(
        &[("main", service(main)), ("mirror", service(mirror))],
        |_| {},
    );
    let proxy = Proxy::with(&http, |_| {});
    let mut client = proxy.connect();
    for _ in 0..300 {
        client.send("GET /hang HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!(client.response().body, "main");
    }
    for _ in 0..256 {
        assert_eq!(record.next().target(), "/hang");
    }
    client.send("GET /dropped HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(client.response().body, "main");
    assert!(record.is_empty());
}

#[test]
fn a_copy_asks_for_no_other_protocol() {
    let (proxy, main, mirror) = mirroring(|_| {});
    let asked = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n";
    assert_eq!(proxy.ask(asked).body, "main");
    assert_eq!(main.next().header("Upgrade"), Some("foo"));
    assert_eq!(mirror.next().header("Upgrade"), None);
}

#[test]
fn mirrors_are_services_of_any_kind() {
    let (main, _) = recording(OK);
    let (a, a_record) = recording(MIRRORED);
    let (b, b_record) = recording("HTTP/1.1 503 Gone\r\nContent-Length: 0\r\n\r\n");
    let http = configuration(
        &[
            ("main", service(main)),
            ("a", service(a)),
            ("b", service(b)),
            (
                "turns",
                json!({ "weighted": { "services": [{ "name": "inner" }, { "name": "a" }] } }),
            ),
            (
                "inner",
                json!({ "mirroring": { "service": "failover", "mirrors": [{ "name": "a", "percent": 100 }] } }),
            ),
            (
                "failover",
                json!({ "failover": { "service": "b", "fallback": "a", "errors": { "status": ["503"] } } }),
            ),
        ],
        |http| setting(http)["mirrors"][0]["name"] = json!("turns"),
    );
    let proxy = Proxy::with(&http, |_| {});
    proxy.ask(&post("/1", "hello"));
    assert_eq!(b_record.next().body, "hello");
    // The fallback, and the mirror of the mirror.
    assert_eq!(a_record.next().body, "hello");
    assert_eq!(a_record.next().body, "hello");
    proxy.ask(&post("/2", "hello"));
    assert_eq!(a_record.next().target(), "/2");
    assert!(b_record.is_empty());
}
