//! What is said before the answer: `100 Continue` and other hints.

use http::HeaderValue;
use serde_json::{Value, json};

use crate::h2c;
use crate::support::{Client, Proxy, recorder, server, service, to, to_url};

const EXPECTING: &str =
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
const GET: &str = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

/// A configuration for a server of HTTP/2.
fn to_h2c(server: std::net::SocketAddr) -> Value {
    to_url(&format!("h2c://{server}"))
}

/// A request of HTTP/2 like [`EXPECTING`].
fn expecting() -> http::Request<()> {
    http::Request::post("http://x/")
        .header("content-length", "2")
        .header("expect", "100-continue")
        .body(())
        .unwrap()
}

/// Servers of both versions that answer `403` to those that expect and have `deny` for a path, and else ask for the body.
fn asking() -> [Value; 2] {
    let old = server(|mut client: Client| {
        while client.has_more() {
            let head = client.head();
            assert!(head.contains("Expect: 100-continue"), "{head}");
            if head.starts_with("POST /deny") {
                client.send("HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno");
                return;
            }
            client.send("HTTP/1.1 100 Continue\r\n\r\n");
            assert_eq!(client.exactly(2), "ab");
            client.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes");
        }
    });
    let new = h2c::server(|request, mut respond| async move {
        assert_eq!(request.headers()["expect"], "100-continue");
        if request.uri().path() == "/deny" {
            h2c::answer(&mut respond, 403, "no");
            return;
        }
        h2c::interim(&mut respond, 100, "");
        let (body, _) = h2c::read(&mut request.into_body()).await.unwrap();
        assert_eq!(body, "ab");
        h2c::answer(&mut respond, 200, "yes");
    });
    [to(old), to_h2c(new)]
}

#[test]
fn a_client_is_asked_for_its_body_when_the_server_asks() {
    for http in asking() {
        let proxy = Proxy::with(&http, |_| {});
        let mut client = proxy.connect();
        client.send(EXPECTING);
        assert!(client.head().starts_with("HTTP/1.1 100 Continue"));
        client.send("ab");
        assert_eq!(client.response().body, "yes");

        let mut client = proxy.connect();
        client.send(EXPECTING.replace(" / ", " /deny "));
        let response = client.response();
        assert_eq!((response.status(), &*response.body), (403, "no"));
        assert_eq!(response.header("Connection"), Some("close"));
    }
}

#[test]
fn a_client_of_http2_is_asked_for_its_body_when_the_server_asks() {
    for http in asking() {
        let proxy = Proxy::with(&http, |_| {});
        h2c::run(async {
            let mut client = h2c::connect(proxy.address).await;
            let (mut answer, mut send) = client.send_request(expecting(), false).unwrap();
            let asked = h2c::hint(&mut answer).await.unwrap();
            assert_eq!(asked.status(), 100);
            send.send_data("ab".into(), true).unwrap();
            // It is asked once.
            assert!(h2c::hint(&mut answer).await.is_none());
            let mut answer = answer.await.unwrap();
            assert_eq!(h2c::read(answer.body_mut()).await.unwrap().0, "yes");
        });
    }
}

#[test]
fn a_client_of_http2_is_asked_where_its_server_does_not() {
    let silent = server(|mut client: Client| {
        client.head();
        assert_eq!(client.exactly(2), "ab");
        client.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes");
    });
    let proxy = Proxy::with(&to(silent), |_| {});
    h2c::run(async {
        let mut client = h2c::connect(proxy.address).await;
        let (mut answer, mut send) = client.send_request(expecting(), false).unwrap();
        assert_eq!(h2c::hint(&mut answer).await.unwrap().status(), 100);
        send.send_data("ab".into(), true).unwrap();
        assert_eq!(answer.await.unwrap().status(), 200);
    });
}

#[test]
fn a_client_of_http2_is_refused_before_it_has_sent_its_body() {
    for http in asking() {
        let proxy = Proxy::with(&http, |_| {});
        h2c::run(async {
            let mut client = h2c::connect(proxy.address).await;
            let request = http::Request::post("http://x/deny").header("expect", "100-continue");
            let (answer, send) = client
                .send_request(request.body(()).unwrap(), false)
                .unwrap();
            let mut answer = answer.await.unwrap();
            assert_eq!(answer.status(), 403);
            assert_eq!(h2c::read(answer.body_mut()).await.unwrap().0, "no");
            drop(send);
            // It may as well send it without having been asked.
            let (answer, mut send) = client.send_request(expecting(), false).unwrap();
            send.send_data("ab".into(), true).unwrap();
            let mut answer = answer.await.unwrap();
            assert_eq!(h2c::read(answer.body_mut()).await.unwrap().0, "yes");
        });
    }
}

#[test]
fn a_large_body_that_is_asked_for_goes_through() {
    const LENGTH: usize = 4 << 20;
    let server = h2c::server(|request, mut respond| async move {
        h2c::interim(&mut respond, 100, "");
        let (body, _) = h2c::read(&mut request.into_body()).await.unwrap();
        assert_eq!(body.len(), LENGTH);
        h2c::answer(&mut respond, 200, "yes");
    });
    let proxy = Proxy::with(&to_h2c(server), |_| {});
    let mut client = proxy.connect();
    client.send(format!(
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {LENGTH}\r\nExpect: 100-continue\r\n\r\n"
    ));
    assert!(client.head().starts_with("HTTP/1.1 100 Continue"));
    client.send(vec![b'q'; LENGTH]);
    assert_eq!(client.response().body, "yes");
}

#[test]
fn hints_of_a_server_of_http2_arrive_before_its_answer() {
    let server = h2c::server(|request, mut respond| async move {
        h2c::interim(&mut respond, 103, "</a>");
        // The rest follows when the hint has been seen.
        let (body, _) = h2c::read(&mut request.into_body()).await.unwrap();
        assert_eq!(body, "seen");
        h2c::interim(&mut respond, 102, "</b>");
        h2c::answer(&mut respond, 200, "");
    });
    let proxy = Proxy::with(&to_h2c(server), |_| {});
    let mut client = proxy.connect();
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n");
    assert_eq!(client.head(), "HTTP/1.1 103 Early Hints\r\nLink: </a>");
    client.send("seen");
    assert_eq!(client.head(), "HTTP/1.1 102 Processing\r\nLink: </b>");
    assert_eq!(client.response().status(), 200);
}

#[test]
fn hints_reach_clients_of_http2_without_what_is_for_one_connection() {
    let old = server(|mut client: Client| {
        client.head();
        client.send(
            "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: x-a\r\nX-A: 1\r\nContent-Length: 3\r\n\r\n",
        );
        assert_eq!(client.exactly(4), "seen");
        client.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    let new = h2c::server(|request, mut respond| async move {
        h2c::interim(&mut respond, 103, "</a>");
        let (body, _) = h2c::read(&mut request.into_body()).await.unwrap();
        assert_eq!(body, "seen");
        h2c::answer(&mut respond, 200, "");
    });
    for http in [to(old), to_h2c(new)] {
        let proxy = Proxy::with(&http, |_| {});
        h2c::run(async {
            let mut client = h2c::connect(proxy.address).await;
            let request = http::Request::post("http://x/").header("content-length", "4");
            let (mut answer, mut send) = client
                .send_request(request.body(()).unwrap(), false)
                .unwrap();
            let hint = h2c::hint(&mut answer).await.unwrap();
            assert_eq!(hint.status(), 103);
            let fields: Vec<_> = hint.headers().iter().collect();
            assert_eq!(
                fields,
                [(&http::header::LINK, &HeaderValue::from_static("</a>"))]
            );
            send.send_data("seen".into(), true).unwrap();
            assert_eq!(answer.await.unwrap().status(), 200);
        });
    }
}

#[test]
fn hints_that_a_client_does_not_read_have_a_bound() {
    const LINK: usize = 4 << 10;
    let server = server(|mut client: Client| {
        client.head();
        let hint = format!(
            "HTTP/1.1 103 Early Hints\r\nLink: {}\r\n\r\n",
            "a".repeat(LINK)
        );
        client.send(hint.repeat(60));
        client.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    let proxy = Proxy::with(&to(server), |_| {});
    h2c::run(async {
        let mut client = h2c::connect(proxy.address).await;
        let request = http::Request::get("http://x/").body(()).unwrap();
        let (mut answer, _) = client.send_request(request, true).unwrap();
        let mut n_hints = 0;
        while h2c::hint(&mut answer).await.is_some() {
            n_hints += 1;
        }
        assert_eq!(n_hints, (64 << 10) / LINK - 1);
        assert_eq!(answer.await.unwrap().status(), 200);
    });
}

/// A server that hints at its name and answers with this status.
fn hinting(name: &'static str, status: &'static str) -> Value {
    let (address, _) = recorder(move |_, client| {
        client.send(format!(
            "HTTP/1.1 103 Early Hints\r\nLink: {name}\r\n\r\nHTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n"
        ));
    });
    service(address)
}

#[test]
fn hints_pass_mirrors_and_those_of_unwanted_answers_do_not_pass_fallbacks() {
    // What Traefik 3.7.15 does.
    for (composed, main, hints) in [
        (
            json!({ "mirroring": { "service": "main", "mirrors": [{ "name": "other", "percent": 100 }] } }),
            "200",
            &["main"][..],
        ),
        (
            json!({ "failover": { "service": "main", "fallback": "other", "errors": { "status": ["500-599"] } } }),
            "200",
            &[],
        ),
        (
            json!({ "failover": { "service": "main", "fallback": "other", "errors": { "status": ["500-599"] } } }),
            "500",
            &["other"],
        ),
    ] {
        let proxy = Proxy::with(
            &json!({
                "routers": { "all": { "rule": "PathPrefix(`/`)", "service": "composed" } },
                "services": {
                    "composed": composed,
                    "main": hinting("main", main),
                    "other": hinting("other", "200"),
                },
            }),
            |_| {},
        );
        let mut client = proxy.connect();
        client.send(GET);
        for hint in hints {
            assert_eq!(
                client.head(),
                format!("HTTP/1.1 103 Early Hints\r\nLink: {hint}")
            );
        }
        assert!(client.head().starts_with("HTTP/1.1 200"), "{composed}");
    }
}
