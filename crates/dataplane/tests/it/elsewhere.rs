//! Servers that cannot be reached, and those that answer in their place.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::support::{Client, Proxy, Record, header, recording, server};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlive";
const GET: &str = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";
const DELETE: &str = "DELETE / HTTP/1.1\r\nHost: a.test\r\n\r\n";
const POST: &str = "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello";
const CHUNKED: &str =
    "PUT / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";

/// Nobody listens there.
const DEAD: &str = "http://127.0.0.1:1";

/// A load balancer with these servers.
fn servers(urls: &[&str]) -> Value {
    let urls: Vec<_> = urls.iter().map(|url| json!({ "url": url })).collect();
    json!({ "loadBalancer": { "servers": urls } })
}

/// Everything goes to the first service.
fn routed(services: &[(&str, Value)]) -> Value {
    let mut http = json!({
        "routers": { "all": { "rule": "PathPrefix(`/`)", "service": services[0].0 } },
        "services": {},
    });
    for (name, service) in services {
        http["services"][name] = service.clone();
    }
    http
}

fn proxy(services: &[(&str, Value)]) -> Proxy {
    Proxy::with(&routed(services), |_| {})
}

fn live() -> (String, Record) {
    let (address, record) = recording(OK);
    (format!("http://{address}"), record)
}

/// A server that does so with each connection, and how many there were.
fn counted(serve: impl Fn(Client) + Send + Sync + 'static) -> (SocketAddr, impl Fn() -> usize) {
    let n = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&n);
    let address = server(move |client| {
        counter.fetch_add(1, Ordering::SeqCst);
        serve(client);
    });
    (address, move || n.load(Ordering::SeqCst))
}

/// A server that ends every connection where TLS should begin, so that nothing can be sent to it.
fn cut() -> (String, impl Fn() -> usize) {
    let (address, n) = counted(|mut client| {
        client.has_more();
    });
    (format!("https://{address}"), n)
}

/// A server that reads a request and closes.
fn deaf() -> (String, impl Fn() -> usize) {
    let (address, n) = counted(|mut client| {
        client.head();
    });
    (format!("http://{address}"), n)
}

#[test]
fn what_was_not_sent_goes_to_another_server_whole() {
    let (live, record) = live();
    let (cut, _) = cut();
    for dead in [DEAD, "https://127.0.0.1:1", "h2c://127.0.0.1:1", &cut] {
        let proxy = proxy(&[("s", servers(&[dead, &live]))]);
        for request in [GET, DELETE, POST, CHUNKED] {
            // Once for each turn.
            for _ in 0..2 {
                assert_eq!(proxy.ask(request).body, "live", "{dead} {request}");
                let seen = record.next();
                let method = request.split(' ').next().unwrap();
                assert!(seen.head.starts_with(&format!("{method} / HTTP/1.1\r\n")));
                assert_eq!(seen.header("host"), Some("a.test"));
                assert_eq!(seen.header("x-forwarded-for"), Some("127.0.0.1"));
                let expected = if request.contains("hello") {
                    "hello"
                } else {
                    ""
                };
                assert_eq!(seen.body, expected);
            }
        }
        assert!(record.is_empty());
    }
}

#[test]
fn each_server_is_asked_once_and_no_more_than_ten() {
    for (n_servers, n_asked) in [(1, 1), (3, 3), (10, 10), (12, 10)] {
        let (urls, counts): (Vec<_>, Vec<_>) = (0..n_servers).map(|_| cut()).unzip();
        // Both are the same server.
        let urls: Vec<&str> = urls.iter().chain(&urls).map(String::as_str).collect();
        let proxy = proxy(&[("s", servers(&urls))]);
        let response = proxy.ask(POST);
        assert_eq!(
            (response.status(), response.body.as_str()),
            (502, "Bad Gateway")
        );
        let counts: Vec<_> = counts.iter().map(|count| count()).collect();
        assert_eq!(counts.iter().sum::<usize>(), n_asked, "{counts:?}");
        assert!(counts.iter().all(|&count| count <= 1), "{counts:?}");
    }
}

#[test]
fn what_a_server_may_have_seen_goes_to_two_more_if_it_may_be_repeated() {
    for (request, n_asked) in [(GET, 3), (DELETE, 3), (POST, 1), (CHUNKED, 1)] {
        let (urls, counts): (Vec<_>, Vec<_>) = (0..5).map(|_| deaf()).unzip();
        let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
        let proxy = proxy(&[("s", servers(&urls))]);
        assert_eq!(proxy.ask(request).status(), 502);
        let n: usize = counts.iter().map(|count| count()).sum();
        assert_eq!(n, n_asked, "{request}");
    }
    let ((deaf, _), (live, _)) = (deaf(), live());
    let proxy = proxy(&[("s", servers(&[&deaf, &live]))]);
    assert_eq!(proxy.ask(GET).body, "live");
}

#[test]
fn an_answer_is_an_answer_whatever_it_says() {
    for answer in [
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 2",
        "nonsense\r\n\r\n",
    ] {
        let bad = server(move |mut client| {
            client.head();
            client.send(answer);
        });
        let (live, record) = live();
        let proxy = proxy(&[("s", servers(&[&format!("http://{bad}"), &live]))]);
        assert!(proxy.ask(GET).status() >= 500);
        assert!(record.is_empty());
    }
}

#[test]
fn each_server_gets_its_own_host_and_base_path() {
    let (live, record) = live();
    let mut service = servers(&["http://127.0.0.1:1/dead", &format!("{live}/base/")]);
    for server in service["loadBalancer"]["servers"].as_array_mut().unwrap() {
        server["preservePath"] = json!(true);
    }
    service["loadBalancer"]["passHostHeader"] = json!(false);
    let proxy = proxy(&[("s", service)]);
    proxy.ask("GET /a?b HTTP/1.1\r\nHost: a.test\r\n\r\n");
    let seen = record.next();
    assert_eq!(seen.target(), "/base/a?b");
    assert_eq!(seen.header("host"), live.strip_prefix("http://"));
}

#[test]
fn a_cookie_moves_to_the_server_that_answers() {
    let (live, _) = live();
    let sticky = |urls: &[&str]| {
        let mut service = servers(urls);
        service["loadBalancer"]["sticky"] = json!({ "cookie": { "name": "seat" } });
        proxy(&[("s", service)])
    };
    let seat = |answer: &crate::support::Response| {
        let cookie = answer.header("set-cookie")?;
        Some(cookie.split(';').next().unwrap().to_owned())
    };
    let with = |seat: &str| format!("GET / HTTP/1.1\r\nHost: a\r\nCookie: {seat}\r\n\r\n");

    let on_dead = sticky(&[DEAD]).ask(GET);
    assert_eq!(on_dead.status(), 502);
    let on_dead = seat(&on_dead).unwrap();
    let proxy = sticky(&[DEAD, &live]);
    let moved = proxy.ask(&with(&on_dead));
    assert_eq!(moved.body, "live");
    let on_live = seat(&moved).unwrap();
    assert_ne!(on_live, on_dead);
    assert_eq!(seat(&proxy.ask(&with(&on_live))), None);

    // Nobody is reached: it stays where it is.
    let proxy = sticky(&[DEAD, "http://127.0.0.1:2"]);
    let nobody = proxy.ask(&with(&on_dead));
    assert_eq!((nobody.status(), seat(&nobody)), (502, None));
}

#[test]
fn a_fenced_server_stands_in_for_nobody() {
    let (live, record) = live();
    let mut service = servers(&[DEAD, &live]);
    service["loadBalancer"]["servers"][1]["fenced"] = json!(true);
    assert_eq!(proxy(&[("s", service)]).ask(GET).status(), 502);
    assert!(record.is_empty());
}

#[test]
fn a_check_hears_of_every_server_that_failed() {
    let ((cut, n_cut), (live, _)) = (cut(), live());
    let mut service = servers(&[&cut, &live]);
    service["loadBalancer"]["passiveHealthCheck"] =
        json!({ "failureWindow": "1h", "maxFailedAttempts": 2 });
    let proxy = proxy(&[("s", service)]);
    for _ in 0..10 {
        assert_eq!(proxy.ask(GET).body, "live");
    }
    assert_eq!(n_cut(), 2);
}

#[test]
fn a_service_is_not_left_for_another() {
    let (live, record) = live();
    let weighted = json!({ "weighted": { "services": [{ "name": "leaf" }, { "name": "other" }] } });
    let services = |leaf: &[&str]| {
        proxy(&[
            ("all", weighted.clone()),
            ("leaf", servers(leaf)),
            ("other", servers(&[DEAD])),
        ])
    };
    let statuses = |proxy: &Proxy| [(); 4].map(|()| proxy.ask(GET).status());
    assert_eq!(statuses(&services(&[DEAD, &live])), [200, 502, 200, 502]);
    assert_eq!((record.next(), record.next()).1.body, "");
    assert_eq!(statuses(&services(&[DEAD])), [502; 4]);
}

#[test]
fn a_fallback_is_for_services_that_nobody_answers_for() {
    let ((live, _), (standby, standby_record)) = (live(), live());
    let failover = json!({ "failover": {
        "service": "main", "fallback": "standby", "errors": { "status": ["502"] },
    } });
    let services = |main: &[&str]| {
        proxy(&[
            ("all", failover.clone()),
            ("main", servers(main)),
            ("standby", servers(&[DEAD, &standby])),
        ])
    };
    for request in [GET, POST] {
        let main_lives = services(&[DEAD, &live]);
        assert_eq!(main_lives.ask(request).body, "live");
        assert!(standby_record.is_empty());
        let main_is_dead = services(&[DEAD]);
        for _ in 0..2 {
            assert_eq!(main_is_dead.ask(request).body, "live");
            let seen = standby_record.next();
            assert_eq!(seen.body.is_empty(), request == GET);
        }
    }
}

#[test]
fn mirrors_and_their_main_service_are_asked_elsewhere_too() {
    let ((main, main_record), (mirror, mirror_record)) = (live(), live());
    let mirroring = json!({ "mirroring": {
        "service": "main", "mirrors": [{ "name": "mirror", "percent": 100 }],
    } });
    let proxy = proxy(&[
        ("all", mirroring),
        ("main", servers(&[DEAD, &main])),
        ("mirror", servers(&[DEAD, &mirror])),
    ]);
    for request in [GET, POST, CHUNKED] {
        assert_eq!(proxy.ask(request).body, "live");
        assert_eq!(main_record.next().body, mirror_record.next().body);
    }
}

#[test]
fn an_upgrade_finds_the_server_that_is_there() {
    let loud = server(|mut client| {
        let head = client.head();
        assert_eq!(header(&head, "Upgrade"), Some("websocket"));
        client.send(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        );
        let heard = client.rest();
        client.send(heard.to_uppercase());
    });
    for dead in [DEAD, "h2c://127.0.0.1:1", "https://127.0.0.1:1"] {
        let proxy = proxy(&[("s", servers(&[dead, &format!("http://{loud}")]))]);
        let mut client = proxy.connect();
        client.send(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello",
        );
        assert_eq!(client.response().status(), 101, "{dead}");
        client.half_close();
        assert_eq!(client.rest(), "HELLO");
    }
}
