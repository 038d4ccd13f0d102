//! A service, and another where its answer is not wanted.

use serde_json::{Value, json};

use crate::support::{Proxy, Record, recording, server, service};

const UNWANTED: &str = "HTTP/1.1 503 Gone\r\nContent-Length: 8\r\nSet-Cookie: unwanted=1\r\nX-From: main\r\n\r\nunwanted";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\nX-Standby: 1\r\n\r\nfallback";

fn configuration(services: &[(&str, Value)], change: impl FnOnce(&mut Value)) -> Value {
    let mut http = json!({
        "routers": { "all": { "rule": "PathPrefix(`/`)", "service": "failover" } },
        "services": { "failover": { "failover": {
            "service": "main",
            "fallback": "fallback",
            "errors": { "status": ["500-599"] },
        } } },
    });
    for (name, service) in services {
        http["services"][name] = service.clone();
    }
    change(&mut http);
    http
}

fn failover(main: &'static str, change: impl FnOnce(&mut Value)) -> (Proxy, Record, Record) {
    let (main, main_record) = recording(main);
    let (fallback, fallback_record) = recording(OK);
    let services = [("main", service(main)), ("fallback", service(fallback))];
    let http = configuration(&services, change);
    (Proxy::with(&http, |_| {}), main_record, fallback_record)
}

fn errors(http: &mut Value) -> &mut Value {
    &mut http["services"]["failover"]["failover"]["errors"]
}

fn post(body: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn post_chunked(body: &str) -> String {
    let chunk = match body.len() {
        0 => String::new(),
        len => format!("{len:x}\r\n{body}\r\n"),
    };
    format!("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}0\r\n\r\n")
}

#[test]
fn an_unwanted_answer_is_replaced_and_leaves_no_trace() {
    let (proxy, main, fallback) = failover(UNWANTED, |_| {});
    for request in [
        "GET /a?b=c HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n".to_owned(),
        post("hello"),
        post(""),
        post_chunked("hello"),
        post_chunked(""),
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n1\r\na\r\n0\r\nX-T: v\r\n\r\n"
            .to_owned(),
    ] {
        let response = proxy.ask(&request);
        assert_eq!(
            response.undated_head(),
            "HTTP/1.1 200 OK\nContent-Length: 8\nX-Standby: 1"
        );
        assert_eq!(response.body, "fallback");
        assert_eq!(fallback.next(), main.next());
    }
}

#[test]
fn a_wanted_answer_is_passed_on() {
    for main in [
        "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nmain",
        "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 499 Odd\r\nContent-Length: 4\r\n\r\nmain",
    ] {
        let (proxy, _, fallback) = failover(main, |_| {});
        let mut client = proxy.connect();
        client.send(post("hello"));
        assert_eq!(client.response().body, "main");
        assert!(fallback.is_empty());
    }
}

#[test]
fn faults_of_the_way_count_as_answers() {
    let (fallback, record) = recording(OK);
    let garbage = server(|mut client| {
        client.head();
        client.send("garbage\r\n\r\n");
    });
    let unfinished = server(|mut client| {
        client.head();
        client.send("HTTP/1.1 503 Gone\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n");
        client.rest();
    });
    let dead = "127.0.0.1:1".parse().unwrap();
    for main in [
        service(dead),
        service(garbage),
        service(unfinished),
        json!({ "loadBalancer": { "servers": [] } }),
    ] {
        let services = [("main", main), ("fallback", service(fallback))];
        let proxy = Proxy::with(&configuration(&services, |_| {}), |_| {});
        assert_eq!(proxy.ask(&post("hello")).body, "fallback");
        assert_eq!(record.next().body, "hello");
    }
}

#[test]
fn the_last_answer_stands_whatever_it_is() {
    let (main, _) = recording(UNWANTED);
    let (fallback, _) =
        recording("HTTP/1.1 500 Oops\r\nContent-Length: 4\r\nSet-Cookie: last=1\r\n\r\nlast");
    let services = [("main", service(main)), ("fallback", service(fallback))];
    let proxy = Proxy::with(&configuration(&services, |_| {}), |_| {});
    let response = proxy.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(
        response.undated_head(),
        "HTTP/1.1 500 Internal Server Error\nContent-Length: 4\nSet-Cookie: last=1"
    );
    assert_eq!(response.body, "last");
}

#[test]
fn a_body_over_the_limit_reaches_nobody() {
    let (proxy, main, fallback) = failover(UNWANTED, |http| {
        errors(http)["maxRequestBodyBytes"] = json!(5);
    });
    for (request, is_served) in [
        (post("hello"), true),
        (post("hello!"), false),
        (post_chunked("hello"), true),
        (post_chunked("hello!"), false),
        (post(&"x".repeat(300_000)), false),
    ] {
        let response = proxy.ask(&request);
        if is_served {
            assert_eq!(response.body, "fallback");
            assert_eq!(main.next(), fallback.next());
            continue;
        }
        assert_eq!(response.status(), 413);
        assert_eq!(response.body, "Request body too large\n");
        assert_eq!(
            response.header("Content-Type"),
            Some("text/plain; charset=utf-8")
        );
        assert_eq!(response.header("X-Content-Type-Options"), Some("nosniff"));
    }
    assert!(main.is_empty() && fallback.is_empty());
}

#[test]
fn a_limit_of_zero_allows_requests_without_a_body() {
    let (proxy, _, _) = failover(UNWANTED, |http| {
        errors(http)["maxRequestBodyBytes"] = json!(0);
    });
    for (request, status) in [
        ("GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(), 200),
        (post(""), 200),
        (post_chunked(""), 200),
        (post("x"), 413),
        (post_chunked("x"), 413),
    ] {
        assert_eq!(proxy.ask(&request).status(), status, "{request}");
    }
}

#[test]
fn a_large_body_without_a_limit_is_sent_once() {
    let (proxy, main, fallback) = failover(UNWANTED, |_| {});
    let large = "x".repeat((8 << 20) + 1);
    for request in [post(&large), post_chunked(&large)] {
        assert_eq!(proxy.ask(&request).body, "unwanted");
        assert_eq!(main.next().body.len(), large.len());
        assert!(fallback.is_empty());
    }
    assert_eq!(proxy.ask(&post(&large[1..])).body, "fallback");
    assert_eq!(fallback.next().body.len(), large.len() - 1);
}

#[test]
fn each_try_passes_its_own_middlewares() {
    let (main, main_record) = recording(UNWANTED);
    let (fallback, fallback_record) = recording(OK);
    let add = |name: &str| {
        json!({ "headers": {
        "customRequestHeaders": { format!("X-To-{name}"): "1" },
        "customResponseHeaders": { format!("X-By-{name}"): "1" },
    } })
    };
    let with = |address, name: &str| {
        let mut service = service(address);
        service["middlewares"] = json!([name]);
        service
    };
    let services = [("main", with(main, "a")), ("fallback", with(fallback, "b"))];
    let http = configuration(&services, |http| {
        http["services"]["failover"]["middlewares"] = json!(["both"]);
        http["middlewares"] = json!({ "a": add("A"), "b": add("B"), "both": add("Both") });
    });
    let proxy = Proxy::with(&http, |_| {});
    let response = proxy.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    let by = ["X-By-A", "X-By-B", "X-By-Both"].map(|name| response.header(name).is_some());
    assert_eq!(by, [false, true, true]);
    for (record, expected) in [
        (main_record, [true, false, true]),
        (fallback_record, [false, true, true]),
    ] {
        let seen = record.next();
        let to = ["X-To-A", "X-To-B", "X-To-Both"].map(|name| seen.header(name).is_some());
        assert_eq!(to, expected);
    }
}

#[test]
fn a_middleware_may_give_the_unwanted_answer() {
    let (proxy, main, fallback) = failover(UNWANTED, |http| {
        errors(http)["status"] = json!(["300-399"]);
        http["services"]["main"]["middlewares"] = json!(["away"]);
        http["middlewares"] = json!({ "away": { "redirectRegex": { "regex": ".*", "replacement": "http://away/" } } });
    });
    assert_eq!(proxy.ask(&post("hello")).body, "fallback");
    assert_eq!(fallback.next().body, "hello");
    assert!(main.is_empty());
}

#[test]
fn a_main_service_that_is_down_is_not_asked() {
    let (proxy, main, fallback) = failover(UNWANTED, |http| {
        http["services"]["main"]["loadBalancer"]["passiveHealthCheck"] =
            json!({ "failureWindow": "1h", "maxFailedAttempts": 2 });
    });
    for n in 0..4 {
        assert_eq!(proxy.ask(&post("hello")).body, "fallback");
        assert_eq!(fallback.next().body, "hello");
        assert_eq!(main.is_empty(), n >= 2, "{n}");
    }
}

#[test]
fn services_nest() {
    let (main, main_record) = recording(UNWANTED);
    let (fallback, _) = recording(OK);
    let (last, _) = recording("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlast");
    let (mirror, mirror_record) = recording(OK);
    let services = [
        ("bad", service(main)),
        ("good", service(fallback)),
        ("last", service(last)),
        ("mirror", service(mirror)),
        (
            "mirrored",
            json!({ "mirroring": { "service": "bad", "mirrors": [{ "name": "mirror", "percent": 100 }] } }),
        ),
        (
            "inner",
            json!({ "failover": { "service": "mirrored", "fallback": "good", "errors": { "status": ["503"] } } }),
        ),
        (
            "main",
            json!({ "weighted": { "services": [{ "name": "inner" }, { "name": "bad" }] } }),
        ),
        (
            "fallback",
            json!({ "weighted": { "services": [{ "name": "last" }] } }),
        ),
    ];
    let http = configuration(&services, |http| {
        errors(http)["status"] = json!(["200", "503"]);
    });
    let proxy = Proxy::with(&http, |_| {});
    // The inner fallback answers, and its answer is not wanted either.
    assert_eq!(proxy.ask(&post("hello")).body, "last");
    assert_eq!(main_record.next(), mirror_record.next());
    assert_eq!(proxy.ask(&post("hello")).body, "last");
    assert!(mirror_record.is_empty());
}

#[test]
fn either_service_may_switch_protocols() {
    const SWITCH: &str =
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\nhello";
    for (main, statuses) in [(SWITCH, "100-199"), (UNWANTED, "500-599")] {
        let (main, _) = recording(main);
        let (fallback, _) = recording(SWITCH);
        let services = [("main", service(main)), ("fallback", service(fallback))];
        let http = configuration(&services, |http| errors(http)["status"] = json!([statuses]));
        let proxy = Proxy::with(&http, |_| {});
        let mut client = proxy.connect();
        client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n");
        assert!(client.head().starts_with("HTTP/1.1 101 "));
        assert_eq!(client.exactly(5), "hello");
    }
}

#[test]
fn a_connection_goes_on_after_an_unwanted_answer() {
    let (proxy, _, _) = failover(UNWANTED, |_| {});
    let mut client = proxy.connect();
    for _ in 0..3 {
        client.send(post("hello"));
        assert_eq!(client.response().body, "fallback");
        client.send(post_chunked("hello"));
        assert_eq!(client.response().body, "fallback");
    }
}
