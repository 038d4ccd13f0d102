//! The proxy as its users meet it: a process, its options, its files, its sockets.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]
#![expect(
    clippy::print_stdout,
    reason = "a test says what it measured or skipped"
)]

mod backend;
mod balancing;
mod certificate;
mod client;
mod descriptors;
mod grpc;
mod h2spec;
mod half_closed;
mod health;
mod http2;
mod http_provider;
mod limits;
mod manifests;
mod many;
mod proxy;
mod reloads;
mod revival;
mod rolling_update;
mod servers;
mod shutdown;
mod slow;
mod smuggling;
mod strict;
mod tls;
mod uploads;
mod websocket;

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::backend::Backend;
use crate::client::Client;
use crate::proxy::{Proxy, await_true};

fn routes(rule: &str, backend: &Backend) -> String {
    routes_to(rule, &format!("http://{}", backend.address))
}

fn routes_to(rule: &str, url: &str) -> String {
    format!(
        "http:\n  routers:\n    r: {{rule: \"{rule}\", service: s}}\n  services:\n    s: {{loadBalancer: {{servers: [{{url: \"{url}\"}}]}}}}\n"
    )
}

/// Everything goes to one server, but what [`Site::ready`] asks.
fn all_to(url: &str) -> String {
    routes_to("PathPrefix(`/`)", url).replace(
        "  services:",
        "    ready: {rule: \"Host(`ready.test`) && PathPrefix(`/`)\", service: noop@internal}\n  services:",
    )
}

#[test]
fn a_change_of_a_file_is_live_within_300_ms() {
    let backend = Backend::start("one");
    let site = Site::start(&routes("Host(`a.test`)", &backend), &[]);
    await_true("the route", || site.status("a.test") == 200);

    fs::write(&site.file, routes("Host(`b.test`)", &backend)).unwrap();
    let waited = await_true("the new route", || site.status("b.test") == 200);
    println!("live after {waited:?}");
    // Generous for a busy machine; the aim is 300 ms.
    assert!(waited < Duration::from_secs(3), "{waited:?}");
    assert_eq!(site.status("a.test"), 404);
}

#[test]
fn a_file_that_does_not_parse_changes_nothing_and_is_reported() {
    let backend = Backend::start("one");
    let site = Site::start(&routes("Host(`a.test`)", &backend), &["--api.insecure"]);
    await_true("the route", || site.status("a.test") == 200);

    fs::write(&site.file, "http:\n  routers: [\n").unwrap();
    await_true("the report", || {
        site.api("/api/diagnostics").contains("fileIgnored")
    });
    assert_eq!(site.status("a.test"), 200);
}

#[test]
fn a_change_does_not_touch_a_request_in_flight() {
    let backend = Backend::start("one");
    let site = Site::start(&routes("Host(`a.test`)", &backend), &[]);
    await_true("the route", || site.status("a.test") == 200);

    let mut held = site.proxy.connect("web");
    held.send("GET /hold HTTP/1.1\r\nHost: a.test\r\n\r\n");
    backend.await_held();
    fs::write(&site.file, routes("Host(`b.test`)", &backend)).unwrap();
    await_true("the change", || site.status("a.test") == 404);
    backend.release();
    assert_eq!(held.answer().unwrap().status, 200);
}

#[test]
fn the_termination_signal_lets_requests_end() {
    let backend = Backend::start("one");
    let mut site = Site::start(&routes("PathPrefix(`/`)", &backend), &[]);
    await_true("the route", || site.status("a.test") == 200);

    let mut held = site.proxy.connect("web");
    held.send("GET /hold HTTP/1.1\r\nHost: a.test\r\n\r\n");
    backend.await_held();
    site.proxy.terminate();
    await_true("the closed port", || {
        TcpStream::connect(site.proxy.address("web")).is_err()
    });
    backend.release();
    assert_eq!(held.answer().unwrap().status, 200);
    assert!(site.proxy.wait().success());
}

#[test]
fn malformed_requests_get_clear_answers_and_cost_no_memory() {
    let backend = Backend::start("one");
    let site = Site::start(
        &routes("PathPrefix(`/`)", &backend),
        &["--entrypoints.web.http.maxheaderbytes=65536"],
    );
    await_true("the route", || site.status("a.test") == 200);

    let oversize = format!(
        "GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n",
        "x".repeat(200_000)
    );
    let cases: [(&str, &[u16]); 13] = [
        ("GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", &[400]),
        ("GET /a% HTTP/1.1\r\nHost: a\r\n\r\n", &[400]),
        ("GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", &[400]),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", &[400]),
        ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", &[400]),
        ("GET / HTTP/1.1\r\n\r\n", &[400]),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
            &[400],
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            &[400, 501],
        ),
        ("GET / HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n", &[400]),
        ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", &[400]),
        ("nonsense\r\n\r\n", &[400]),
        ("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", &[501]),
        (&oversize, &[431]),
    ];
    let before = site.proxy.resident_bytes();
    for round in 0..200 {
        for (request, expected) in cases {
            let mut client = site.proxy.connect("web");
            client.send(request);
            let answer = client.answer();
            assert!(
                answer
                    .as_ref()
                    .is_some_and(|answer| expected.contains(&answer.status)),
                "round {round}: {request:.60?}: {answer:?}"
            );
        }
    }
    // Both framings at once: Traefik takes the chunks and drops the length.
    let mut both = site.proxy.connect("web");
    both.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n");
    assert_eq!(both.answer().unwrap().status, 200);
    let grown = site.proxy.resident_bytes().saturating_sub(before);
    println!("2,600 malformed requests: {grown} bytes more resident");
    assert!(grown < 32 << 20, "{grown}");
    assert_eq!(site.status("a.test"), 200);
}

#[test]
fn nine_hundred_and_ninety_nine_good_routers_serve_beside_a_broken_one() {
    let backend = Backend::start("one");
    let mut text = String::from("http:\n  routers:\n");
    for n in 0..1000 {
        let rule = if n == 500 {
            "Host(`h500`"
        } else {
            &format!("Host(`h{n}`)")
        };
        text += &format!("    r{n}: {{rule: \"{rule}\", service: s}}\n");
    }
    text += &format!(
        "  services:\n    s: {{loadBalancer: {{servers: [{{url: \"http://{}\"}}]}}}}\n",
        backend.address
    );
    let site = Site::start(&text, &["--api.insecure"]);
    await_true("the routes", || site.status("h0") == 200);

    let served = (0..1000).filter(|n| site.status(&format!("h{n}")) == 200);
    assert_eq!(served.count(), 999);
    let diagnostics = site.api("/api/diagnostics");
    for part in [
        "r500@file",
        "InvalidRule",
        "\"path\":\"rule\"",
        "routerDisabled",
        "missing ','",
    ] {
        assert!(diagnostics.contains(part), "{part}: {diagnostics}");
    }
    let overview = site.api("/api/overview");
    assert!(
        overview.contains("\"routers\":{\"errors\":1,\"total\":1001,\"warnings\":0}"),
        "{overview}"
    );
}

#[test]
fn a_route_that_needs_a_guard_which_is_not_served_stays_closed() {
    let backend = Backend::start("one");
    let text = routes("Host(`a.test`) && PathPrefix(`/`)", &backend).replace(
        "service: s}",
        "service: s, middlewares: [auth]}\n    open: {rule: \"PathPrefix(`/`)\", service: s}",
    ) + "  middlewares:\n    auth: {basicAuth: {users: [\"a:$apr1$x$y\"]}}\n";
    let site = Site::start(&text, &["--api.insecure"]);
    await_true("the open route", || site.status("b.test") == 200);

    assert_eq!(site.status("a.test"), 503);
    let router = site.api("/api/http/routers/r@file");
    assert!(router.contains("basicAuth is not served yet"), "{router}");
    assert!(!site.api("/api/rawdata").contains("$apr1$"));
}

#[test]
fn an_option_that_does_not_exist_refuses_the_start_by_name() {
    let output = Command::new(env!("CARGO_BIN_EXE_traefikrs-proxy"))
        .arg("--entrypoint.web.address=:0")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("entrypoint"), "{message}");
}

#[test]
fn an_occupied_port_refuses_the_start_by_name() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_traefikrs-proxy"))
        .arg(format!("--entrypoints.web.address={address}"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.contains("web") && message.contains(&address.to_string()),
        "{message}"
    );
}

#[test]
fn version_and_help_are_answered() {
    for (argument, expected) in [
        ("version", "traefikrs-proxy "),
        ("--help", "--entryPoints.NAME.address"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_traefikrs-proxy"))
            .arg(argument)
            .output()
            .unwrap();
        assert!(output.status.success());
        assert!(
            String::from_utf8(output.stdout).unwrap().contains(expected),
            "{argument}"
        );
    }
}

/// A proxy that serves one file of routes.
struct Site {
    proxy: Proxy,
    file: PathBuf,
    _directory: TempDir,
}

impl Site {
    fn start(routes: &str, arguments: &[&str]) -> Self {
        Self::with(routes, arguments, |arguments| Some(Proxy::start(arguments))).unwrap()
    }

    fn with(
        routes: &str,
        arguments: &[&str],
        start: impl FnOnce(&[&str]) -> Option<Proxy>,
    ) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("routes.yml");
        fs::write(&file, routes).unwrap();
        let provider = format!("--providers.file.filename={}", file.display());
        Some(Self {
            proxy: start(&[&[provider.as_str()], arguments].concat())?,
            file,
            _directory: directory,
        })
    }

    /// A site with the API and one server for everything, once it is served: the server need not answer yet.
    fn to(url: &str) -> Self {
        Self::start(&all_to(url), &["--api.insecure"]).ready()
    }

    /// The same with other arguments.
    fn before(server: SocketAddr, arguments: &[&str]) -> Self {
        Self::start(&all_to(&format!("http://{server}")), arguments).ready()
    }

    /// The same behind the real Traefik, where it is installed.
    fn of_traefik_before(server: SocketAddr, arguments: &[&str]) -> Option<Self> {
        let routes = all_to(&format!("http://{server}"));
        Some(Self::with(&routes, arguments, Proxy::start_traefik)?.ready())
    }

    /// Has other routes come into force, soon.
    fn replace(&self, routes: &str) {
        let fresh = self.file.with_extension("fresh");
        fs::write(&fresh, routes).unwrap();
        fs::rename(&fresh, &self.file).unwrap();
    }

    /// Waits until the routes are in force; no server is asked.
    fn ready(self) -> Self {
        await_true("the routes", || self.status("ready.test") == 418);
        self
    }

    /// The status of a GET for this host.
    fn status(&self, host: &str) -> u16 {
        self.proxy.get("web", host, "/").status
    }

    fn api(&self, path: &str) -> String {
        self.proxy.get("traefik", "x", path).body
    }

    fn connect(&self) -> Client {
        self.proxy.connect("web")
    }
}
