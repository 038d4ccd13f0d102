//! Routes from an HTTP endpoint, for us and for Traefik.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use crate::backend::Backend;
use crate::proxy::{Proxy, await_true};
use crate::{Site, routes};

/// An endpoint whose answers are given byte by byte.
struct Endpoint {
    address: SocketAddr,
    answer: Arc<Mutex<String>>,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Endpoint {
    fn start(first: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = Self {
            address: listener.local_addr().unwrap(),
            answer: Arc::new(Mutex::new(first)),
            heads: Arc::default(),
        };
        let (answer, heads) = (Arc::clone(&endpoint.answer), Arc::clone(&endpoint.heads));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                if let Some(head) = head(&mut stream) {
                    heads.lock().unwrap().push(head);
                    // Whoever asks may have gone.
                    drop(stream.write_all(answer.lock().unwrap().as_bytes()));
                }
            }
        });
        endpoint
    }

    fn says(&self, answer: String) {
        *self.answer.lock().unwrap() = answer;
    }

    fn times(&self) -> usize {
        self.heads.lock().unwrap().len()
    }

    /// Waits until an answer that was given now has been looked at.
    fn await_poll(&self) {
        let before = self.times();
        await_true("the next polls", || self.times() > before + 1);
    }
}

fn head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.extend(byte);
    }
    String::from_utf8(head).ok()
}

fn ok(body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
}

#[test]
fn routes_of_an_endpoint_are_served_until_it_has_better_ones() {
    serves_what_was_last_understood(|arguments| Some(Proxy::start(arguments)));
}

#[test]
fn traefik_serves_them_as_long() {
    serves_what_was_last_understood(Proxy::start_traefik);
}

fn serves_what_was_last_understood(start: impl Fn(&[&str]) -> Option<Proxy>) {
    let backend = Backend::start("one");
    let routes_of = |round: usize| ok(&routes(&format!("Host(`{round}.test`)"), &backend));
    let endpoint = Endpoint::start(routes_of(0));
    let url = format!("http://u:hidden@{}/c?hidden", endpoint.address);
    let arguments = [
        &format!("--providers.http.endpoint={url}"),
        "--providers.http.pollInterval=20ms",
        "--providers.http.headers.X-Token=hidden",
        "--providers.http.headers.Host=h.test",
        "--providers.providersThrottleDuration=10ms",
        "--api.insecure",
    ];
    let Some(proxy) = start(&arguments) else {
        return;
    };
    let status = |round: usize| proxy.get("web", &format!("{round}.test"), "/").status;
    let api = |path: &str| proxy.get("traefik", "x", path).body;
    await_true("the route", || status(0) == 200);
    assert!(api("/api/overview").contains(r#""HTTP""#));
    assert!(api("/api/http/routers/r@http").contains("0.test"));
    let head = endpoint.heads.lock().unwrap()[0].to_lowercase();
    for line in [
        "get /c?hidden http/1.1\r\n",
        "host: h.test\r\n",
        "x-token: hidden\r\n",
        "authorization: basic dtpoawrkzw4=\r\n",
    ] {
        assert!(head.contains(line), "{head}");
    }

    let faults = [
        "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned(),
        ok("http: ["),
        // It breaks off.
        routes_of(9).replace("Content-Length: ", "Content-Length: 1"),
        String::new(),
    ];
    for (round, fault) in faults.into_iter().enumerate() {
        endpoint.says(fault);
        endpoint.await_poll();
        assert_eq!(status(round), 200, "{round}");
        endpoint.says(routes_of(round + 1));
        await_true("the next route", || status(round + 1) == 200);
    }
}

#[test]
fn an_endpoint_costs_nobody_else_anything_and_shows_no_secrets() {
    // It accepts, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let backend = Backend::start("one");
    let url = format!(
        "--providers.http.endpoint=http://u:hidden@{}/?hidden",
        silent.local_addr().unwrap()
    );
    let arguments = [
        &url,
        "--providers.http.pollTimeout=100ms",
        "--providers.http.headers.Authorization=hidden",
        "--log.level=TRACE",
        "--api.insecure",
    ];
    let site = Site::start(&routes("Host(`a.test`)", &backend), &arguments);
    await_true("the route of the file", || site.status("a.test") == 200);
    await_true("the report", || {
        site.api("/api/diagnostics")
            .contains("no whole answer within 100ms")
    });
    await_true("the log", || {
        site.proxy.said().contains("no whole answer within 100ms")
    });
    for shown in [
        site.proxy.said(),
        site.api("/api/diagnostics"),
        site.api("/api/rawdata"),
        site.api("/api/overview"),
    ] {
        assert!(!shown.contains("hidden"), "{shown}");
    }
}

#[test]
fn a_hang_up_has_an_endpoint_asked_again() {
    let backend = Backend::start("one");
    let endpoint = Endpoint::start(ok(&routes("Host(`a.test`)", &backend)));
    let url = format!("--providers.http.endpoint=http://{}", endpoint.address);
    let proxy = Proxy::start(&[&url, "--providers.http.pollInterval=1h"]);
    let status = |host: &str| proxy.get("web", host, "/").status;
    await_true("the route", || status("a.test") == 200);
    endpoint.says(ok(&routes("Host(`b.test`)", &backend)));
    proxy.signal("-HUP");
    await_true("the next route", || status("b.test") == 200);
    assert_eq!(endpoint.times(), 2);
}

#[test]
fn an_endpoint_that_cannot_be_asked_refuses_the_start() {
    for (arguments, code, expected) in [
        (
            &["--providers.http"][..],
            2,
            "providers.http.endpoint: non-empty endpoint is required",
        ),
        (
            &["--providers.http.endpoint=hidden"],
            1,
            "providers.http: endpoint: expected a URL",
        ),
        (
            &[
                "--providers.http.endpoint=http://a",
                "--providers.http.tls.ca=/no/where",
            ],
            1,
            "providers.http: tls.ca: cannot read /no/where",
        ),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_traefikrs-proxy"))
            .arg("--entrypoints.web.address=127.0.0.1:0")
            .args(arguments)
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(
            said.contains(expected) && !said.contains("hidden"),
            "{said}"
        );
    }
}
