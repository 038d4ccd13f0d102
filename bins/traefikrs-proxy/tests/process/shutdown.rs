//! How the process heeds signals, step by step as Traefik does.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use tokio::time::Instant;

use crate::client::Client;
use crate::http2::{GOAWAY, Http2};
use crate::proxy::{DEADLINE, Proxy, await_true};
use crate::servers::server;
use crate::{Site, routes_to};

const GET: &str = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

/// A server that says when it is asked for `/held` or `/never`, and answers the one when it is let and the other never.
struct Held {
    address: SocketAddr,
    arrived: mpsc::Receiver<()>,
    go: mpsc::Sender<()>,
}

impl Held {
    fn start() -> Self {
        let (arrives, arrived) = mpsc::channel();
        let (go, may_go) = mpsc::channel::<()>();
        let channels = Mutex::new((arrives, may_go));
        let address = server(move |mut client: Client| {
            while let Some(head) = client.head() {
                if head.starts_with("GET /never ") {
                    channels.lock().unwrap().0.send(()).ok();
                    client.rest();
                    return;
                }
                if head.starts_with("GET /held ") {
                    let channels = channels.lock().unwrap();
                    channels.0.send(()).ok();
                    channels.1.recv().ok();
                }
                client.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone");
            }
        });
        Self {
            address,
            arrived,
            go,
        }
    }

    /// A client whose request has arrived.
    fn ask(&self, site: &Site, path: &str) -> Client {
        let mut client = site.connect();
        client.send(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"));
        self.arrived.recv_timeout(DEADLINE).unwrap();
        client
    }
}

/// `web` accepts for three seconds more and gives requests two, `traefik` accepts for four.
const LIFE_CYCLE: &[&str] = &[
    "--entrypoints.web.transport.lifecycle.requestacceptgracetimeout=3s",
    "--entrypoints.web.transport.lifecycle.gracetimeout=2s",
    "--entrypoints.traefik.transport.lifecycle.requestacceptgracetimeout=4s",
    "--ping",
    "--ping.terminatingstatuscode=504",
];

fn ends_in_steps(mut site: Site, server: &Held) {
    let mut kept = site.connect();
    kept.send(GET);
    assert_eq!(kept.answer().unwrap().status, 200);
    let mut kept_http2 = Http2::connect(site.proxy.address("web"));
    let mut never = server.ask(&site, "/never");
    let mut held = server.ask(&site, "/held");
    assert_eq!(site.proxy.get("traefik", "x", "/ping").status, 200);

    let start = Instant::now();
    site.proxy.terminate();
    // At once: load balancers look elsewhere.
    await_true("the terminating status", || {
        let ping = site.proxy.get("traefik", "x", "/ping");
        (ping.status, &*ping.body) == (504, "Gateway Timeout")
    });
    // Until they do, all goes on.
    assert_eq!(site.status("ready.test"), 418);
    kept.send(GET);
    assert_eq!(kept.answer().unwrap().status, 200);
    assert!(
        start.elapsed() < Duration::from_secs(3),
        "too slow a machine for this test"
    );

    await_true("the closed port", || {
        TcpStream::connect(site.proxy.address("web")).is_err()
    });
    assert!(
        start.elapsed() >= Duration::from_secs(3),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(kept.rest(), "");
    let frames: Vec<_> = std::iter::from_fn(|| kept_http2.frame()).collect();
    assert!(
        frames.iter().any(|frame| frame.kind == GOAWAY),
        "{frames:?}"
    );
    // What is under way may end …
    server.go.send(()).unwrap();
    assert_eq!(held.answer().unwrap().body, "done");
    assert_eq!(held.rest(), "");
    // … in time.
    assert_eq!(never.answer(), None);
    assert!(
        start.elapsed() >= Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );

    assert!(site.proxy.wait().success());
    // One entry point does not wait for the other: three and two seconds beside four, not behind.
    assert!(
        start.elapsed() < Duration::from_secs(9),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn the_process_ends_in_steps() {
    let server = Held::start();
    ends_in_steps(Site::before(server.address, LIFE_CYCLE), &server);
}

#[test]
fn traefik_ends_in_the_same_steps() {
    let server = Held::start();
    if let Some(site) = Site::of_traefik_before(server.address, LIFE_CYCLE) {
        ends_in_steps(site, &server);
    }
}

#[test]
fn a_hang_up_has_files_read_again_and_no_signal_of_users_ends_the_process() {
    let server = Held::start();
    let unwatched: &[&str] = &["--providers.file.watch=false"];
    let mut sites = vec![Site::before(server.address, unwatched)];
    sites.extend(Site::of_traefik_before(server.address, unwatched));
    for mut site in sites {
        let changed = routes_to("Host(`new.test`)", &format!("http://{}", server.address));
        fs::write(&site.file, changed).unwrap();
        site.proxy.signal("-USR1");
        assert_eq!(site.status("ready.test"), 418);
        site.proxy.signal("-HUP");
        await_true("the change", || site.status("ready.test") == 404);
        assert_eq!(site.status("new.test"), 200);
        assert!(site.proxy.is_running());
    }
}

#[test]
fn a_process_that_nobody_listens_to_goes_on() {
    let server = Held::start();
    let mut site = Site::before(server.address, &["--api.insecure"]);
    site.proxy.stop_listening();
    // Both are worth a line in the log, each time.
    for n in 0..3 {
        fs::write(&site.file, format!("http: [{n}")).unwrap();
        await_true("the report", || {
            site.api("/api/diagnostics").contains("fileIgnored")
        });
        let host = format!("n{n}.test");
        let good = routes_to(
            &format!("Host(`{host}`)"),
            &format!("http://{}", server.address),
        );
        fs::write(&site.file, good).unwrap();
        await_true("the new route", || {
            site.status(&host) == 200 && site.status("ready.test") == 404
        });
    }
    assert!(site.proxy.is_running());
    site.proxy.terminate();
    assert!(site.proxy.wait().success());
}

#[test]
fn the_limit_of_open_files_is_raised_to_what_is_allowed() {
    let proxy = Proxy::start_with_soft_limit(64);
    let limits = proxy.of_process("limits");
    let open_files = limits
        .lines()
        .find(|line| line.starts_with("Max open files"))
        .unwrap();
    let columns: Vec<_> = open_files.split_whitespace().collect();
    assert_eq!(columns[3], columns[4], "{open_files}");
    assert_ne!(columns[3], "64");
}
