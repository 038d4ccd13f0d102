//! Servers that die and come back, and what services above them make of it.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use crate::Site;
use crate::balancing::label;
use crate::proxy::await_true;

/// Between two questions to a server.
const INTERVAL: Duration = Duration::from_secs(1);

/// What a busy machine may add to it.
const SLACK: Duration = Duration::from_secs(2);

/// A server that ends with all of its connections when it is killed, and comes back at the same address.
struct Mortal {
    address: SocketAddr,
    speaks: Speaks,
    life: Option<Life>,
}

#[derive(Debug, Clone, Copy)]
enum Speaks {
    /// HTTP/1.1; it says its port.
    Http,
    /// gRPC; it says that it is well.
    Grpc,
}

struct Life {
    /// It ends when this is dropped.
    thread: oneshot::Sender<()>,
    end: JoinHandle<()>,
}

impl Mortal {
    fn new(speaks: Speaks) -> Self {
        let mut mortal = Self {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            speaks,
            life: None,
        };
        mortal.live();
        mortal
    }

    fn live(&mut self) {
        let listener = std::net::TcpListener::bind(self.address).unwrap();
        listener.set_nonblocking(true).unwrap();
        self.address = listener.local_addr().unwrap();
        let (thread, death) = oneshot::channel();
        let speaks = self.speaks;
        let end = thread::spawn(move || {
            // All that is spawned on it ends with it.
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                tokio::select! {
                    () = speaks.serve(listener) => {}
                    _ = death => {}
                }
            });
        });
        self.life = Some(Life { thread, end });
    }

    fn die(&mut self) {
        let Life { thread, end } = self.life.take().unwrap();
        drop(thread);
        end.join().unwrap();
    }
}

impl Speaks {
    async fn serve(self, listener: TcpListener) {
        match self {
            Self::Http => {
                let port = listener.local_addr().unwrap().port();
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    tokio::spawn(answer(stream, port));
                }
            }
            Self::Grpc => {
                let (_, health) = tonic_health::server::health_reporter();
                let server = Server::builder().add_service(health);
                let served = server.serve_with_incoming(TcpIncoming::from(listener));
                served.await.unwrap();
            }
        }
    }
}

async fn answer(mut stream: TcpStream, port: u16) {
    let mut head = Vec::new();
    while let Ok(byte) = stream.read_u8().await {
        head.push(byte);
        if head.ends_with(b"\r\n\r\n") {
            head.clear();
            let answer = format!("HTTP/1.1 200 OK\r\nX-Label: {port}\r\nContent-Length: 0\r\n\r\n");
            drop(stream.write_all(answer.as_bytes()).await);
        }
    }
}

/// Two servers of one service, which is called s and asked for as a.test.
fn balanced(scheme: &str, servers: &[Mortal; 2], check: &str) -> String {
    let urls = servers
        .each_ref()
        .map(|server| format!("{{url: \"{scheme}://{}\"}}", server.address));
    format!(
        "http:\n  routers:\n    a: {{rule: \"Host(`a.test`)\", service: s}}\n  services:\n    s: {{loadBalancer: {{healthCheck: {check}, servers: [{}]}}}}\n",
        urls.join(", ")
    )
}

fn status_of(site: &Site, service: &str, server: &str) -> String {
    let answer = site.api(&format!("/api/http/services/{service}@file"));
    let service: serde_json::Value = serde_json::from_str(&answer).unwrap_or_default();
    service["serverStatus"][server]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn a_server_that_dies_gets_nothing_after_an_interval_and_one_that_comes_back_is_asked_again() {
    let interval = INTERVAL.as_secs();
    let check = format!("{{path: /, interval: {interval}s}}");
    let check_by_grpc = format!("{{mode: grpc, interval: {interval}s}}");
    for (scheme, speaks, check) in [
        ("http", Speaks::Http, check),
        ("h2c", Speaks::Grpc, check_by_grpc),
    ] {
        let mut servers = [Mortal::new(speaks), Mortal::new(speaks)];
        let site = Site::start(&balanced(scheme, &servers, &check), &["--api.insecure"]);
        let urls = servers
            .each_ref()
            .map(|server| format!("{scheme}://{}", server.address));
        let is = |server: usize, status: &str| status_of(&site, "s", &urls[server]) == status;
        await_true("both", || {
            is(0, "UP") && is(1, "UP") && site.status("a.test") != 404
        });

        servers[0].die();
        let time = await_true("the death", || is(0, "DOWN"));
        assert!(time < INTERVAL + SLACK, "{scheme}: {time:?}");
        assert!((0..20).all(|_| site.status("a.test") == 200), "{scheme}");
        servers[1].die();
        await_true("the other death", || is(1, "DOWN"));
        assert_eq!(site.status("a.test"), 503, "{scheme}");

        servers[0].live();
        let time = await_true("the return", || is(0, "UP"));
        assert!(time < INTERVAL + SLACK, "{scheme}: {time:?}");
        assert!((0..20).all(|_| site.status("a.test") == 200), "{scheme}");
        // Nothing is left of its former life: the first try succeeds at each.
        servers[1].live();
        await_true("both", || is(1, "UP"));
        assert!((0..20).all(|_| site.status("a.test") == 200), "{scheme}");
    }
}

#[test]
fn parents_follow_the_health_of_their_children_through_all_levels() {
    let mut servers = [(); 3].map(|()| Mortal::new(Speaks::Http));
    let checked = |server: usize| {
        let address = servers[server].address;
        format!(
            "{{loadBalancer: {{healthCheck: {{path: /, interval: 50ms}}, servers: [{{url: \"http://{address}\"}}]}}}}"
        )
    };
    let routers = ["inner", "outer", "unfollowed", "failover", "mirrored"]
        .map(|name| format!("    {name}: {{rule: \"Host(`{name}.test`)\", service: {name}}}\n"));
    let text = format!(
        "http:\n  routers:\n{}  services:\n    a: {}\n    b: {}\n    c: {}\n{}",
        routers.concat(),
        checked(0),
        checked(1),
        checked(2),
        "    inner: {weighted: {healthCheck: {}, services: [{name: a}, {name: b}]}}
    hashed: {highestRandomWeight: {healthCheck: {}, services: [{name: inner}]}}
    outer: {weighted: {healthCheck: {}, services: [{name: hashed}, {name: c}]}}
    unfollowed: {weighted: {services: [{name: a}, {name: c}]}}
    failover: {failover: {healthCheck: {}, service: outer-ab, fallback: c}}
    outer-ab: {weighted: {healthCheck: {}, services: [{name: mirrored}]}}
    mirrored: {mirroring: {healthCheck: {}, service: inner, mirrors: [{name: c, percent: 0}]}}
"
    );
    let site = Site::start(&text, &["--api.insecure"]);
    let names: Vec<_> = servers
        .iter()
        .map(|server| server.address.port().to_string())
        .collect();
    let urls: Vec<_> = servers
        .iter()
        .map(|server| format!("http://{}", server.address))
        .collect();
    let await_health = |health: [bool; 3]| {
        for ((service, url), is_up) in ["a", "b", "c"].iter().zip(&urls).zip(health) {
            let status = if is_up { "UP" } else { "DOWN" };
            await_true(status, || status_of(&site, service, url) == status);
        }
    };
    // Who answers of a, b and c; x is an answer that no server gave.
    let who = |host: &str| -> String {
        let heads = (0..12).map(|_| site.proxy.get("web", host, "/").head);
        let labels: BTreeSet<char> = heads
            .map(|head| {
                let position = names.iter().position(|name| name == label(&head));
                position.map_or('x', |position| ['a', 'b', 'c'][position])
            })
            .collect();
        labels.into_iter().collect()
    };
    let hosts = [
        "inner.test",
        "outer.test",
        "failover.test",
        "mirrored.test",
        "unfollowed.test",
    ];
    for (health, expected) in [
        ([true, true, true], ["ab", "abc", "ab", "ab", "ac"]),
        ([false, true, true], ["b", "bc", "b", "b", "cx"]),
        ([false, false, true], ["x", "c", "c", "x", "cx"]),
        ([false, false, false], ["x", "x", "x", "x", "x"]),
        ([true, false, false], ["a", "a", "a", "a", "ax"]),
        ([true, true, true], ["ab", "abc", "ab", "ab", "ac"]),
    ] {
        for (server, is_up) in servers.iter_mut().zip(health) {
            match (server.life.is_some(), is_up) {
                (true, false) => server.die(),
                (false, true) => server.live(),
                _ => {}
            }
        }
        await_health(health);
        assert_eq!(hosts.map(who), expected, "{health:?}");
    }
}
