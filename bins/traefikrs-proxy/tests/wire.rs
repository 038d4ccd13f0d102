//! Every answer recorded from Traefik 3.7.15 over a socket, asked of our sockets.
//!
//! The cases are those of the router's tests; here each passes through a listener, the intake and a
//! real server.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use arc_swap::ArcSwap;
use serde::Deserialize;
use serde_json::json;
use traefikrs_compile::{Generation, Options, compile};
use traefikrs_dataplane::{Dataplane, EntryPointOptions, Running, Trust};
use traefikrs_router::Precedence;

#[derive(Deserialize)]
struct Case {
    syntax: String,
    rule: String,
    checks: Vec<Check>,
}

#[derive(Deserialize)]
struct Check {
    method: String,
    target: String,
    host: Option<String>,
    headers: Vec<(String, String)>,
    peer: Option<IpAddr>,
    #[serde(default)]
    trusted: bool,
    #[serde(default)]
    latin1: bool,
    #[serde(default)]
    latin1_target: bool,
    status: u16,
}

#[test]
fn every_recorded_answer_comes_back_over_a_socket() {
    let cases: Vec<Case> =
        serde_json::from_str(include_str!("../../../crates/router/testdata/wire.json")).unwrap();
    let backend = backend();
    let published = Arc::new(ArcSwap::from_pointee(Generation::default()));
    let proxy = proxy(Arc::clone(&published));
    let (mut asked, mut wrong) = (0, Vec::new());
    for case in &cases {
        published.store(compiled(case, backend));
        for check in &case.checks {
            asked += 1;
            let status = ask(&proxy, check);
            if status == Some(check.status) {
                continue;
            }
            wrong.push(format!(
                "{} [{}]: {} {} host {:?} {:?}: {status:?}, Traefik: {}",
                case.rule,
                case.syntax,
                check.method,
                check.target,
                check.host,
                check.headers,
                check.status
            ));
        }
    }
    println!("{asked} recorded requests over a socket");
    assert!(
        wrong.is_empty(),
        "{} of {asked}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(asked > 800);
}

#[derive(Deserialize)]
struct Contest {
    desc: String,
    routes: Vec<Contestant>,
    providers_precedence: Option<Vec<String>>,
    request: Asked,
    expected_route: Option<String>,
}

#[derive(Deserialize)]
struct Contestant {
    name: String,
    rule: String,
    priority: i64,
    provider: String,
}

#[derive(Deserialize)]
struct Asked {
    url: String,
}

#[test]
fn the_router_that_wins_in_traefik_answers_over_a_socket() {
    let contests: Vec<Contest> = serde_json::from_str(include_str!(
        "../../../crates/router/testdata/priorities.json"
    ))
    .unwrap();
    let backend = backend();
    let published = Arc::new(ArcSwap::from_pointee(Generation::default()));
    let proxy = proxy(Arc::clone(&published));
    for contest in &contests {
        published.store(contest.compiled(backend));
        let mut stream = TcpStream::connect(proxy.address("web").unwrap()).unwrap();
        let path = contest
            .request
            .url
            .strip_prefix("http://localhost")
            .unwrap();
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let winner = answer
            .lines()
            .find_map(|line| line.strip_prefix("X-Route: "));
        assert_eq!(
            winner,
            contest.expected_route.as_deref(),
            "{}: {answer}",
            contest.desc
        );
    }
    println!("{} recorded contests over a socket", contests.len());
    assert_eq!(contests.len(), 20);
}

impl Contest {
    /// Each router says its name in a header of the answer.
    fn compiled(&self, backend: SocketAddr) -> Arc<Generation> {
        let (mut routers, mut middlewares) = (json!({}), json!({}));
        for route in &self.routes {
            let name = format!("{}@{}", route.name, route.provider);
            routers[&name] = json!({
                "entryPoints": ["web"], "rule": route.rule, "priority": route.priority,
                "service": "s@file", "middlewares": [name],
            });
            middlewares[&name] =
                json!({ "headers": { "customResponseHeaders": { "X-Route": route.name } } });
        }
        let configuration = serde_json::from_value(json!({ "http": {
            "routers": routers,
            "middlewares": middlewares,
            "services": { "s@file": { "loadBalancer": { "servers": [{ "url": format!("http://{backend}") }] } } },
        } }));
        let options = Options {
            entry_points: [("web".to_owned(), Default::default())].into(),
            precedence: Precedence::new(self.providers_precedence.iter().flatten()).unwrap(),
            ..Options::default()
        };
        Arc::new(compile(&configuration.unwrap(), &options, None))
    }
}

fn proxy(published: Arc<ArcSwap<Generation>>) -> Running {
    let entry_point = |name: &str| {
        let mut options = EntryPointOptions::new(name, SocketAddr::from(([127, 0, 0, 1], 0)));
        options.proxy_protocol = Some(Trust::Everyone);
        options
    };
    let mut trusting = entry_point("trusting");
    trusting.forwarded_headers.trust = Trust::Everyone;
    let options = traefikrs_dataplane::Options {
        workers: 1,
        entry_points: vec![entry_point("web"), trusting],
        ping: Default::default(),
        server_name: Some("here".to_owned()),
    };
    Dataplane::start(options, published, None).unwrap()
}

fn compiled(case: &Case, backend: SocketAddr) -> Arc<Generation> {
    let configuration = serde_json::from_value(json!({ "http": {
        "routers": { "r@file": {
            "entryPoints": ["web", "trusting"], "rule": case.rule, "ruleSyntax": case.syntax, "service": "s",
        } },
        "services": { "s@file": { "loadBalancer": { "servers": [{ "url": format!("http://{backend}") }] } } },
    } }));
    let options = Options {
        entry_points: ["web", "trusting"]
            .map(|name| (name.to_owned(), Default::default()))
            .into(),
        ..Options::default()
    };
    Arc::new(compile(&configuration.unwrap(), &options, None))
}

fn ask(proxy: &Running, check: &Check) -> Option<u16> {
    let entry_point = if check.trusted { "trusting" } else { "web" };
    let mut stream = TcpStream::connect(proxy.address(entry_point).unwrap()).unwrap();
    let bytes = |text: &str, latin1: bool| {
        if latin1 {
            text.chars()
                .map(|c| u8::try_from(u32::from(c)).unwrap())
                .collect()
        } else {
            text.as_bytes().to_vec()
        }
    };
    let mut request = Vec::new();
    if let Some(peer) = check.peer {
        let (family, us) = if peer.is_ipv4() {
            ("TCP4", "127.0.0.1")
        } else {
            ("TCP6", "::1")
        };
        request.extend(format!("PROXY {family} {peer} {us} 1000 80\r\n").into_bytes());
    }
    let version = if check.host.is_some() { "1.1" } else { "1.0" };
    request.extend(format!("{} ", check.method).into_bytes());
    request.extend(bytes(&check.target, check.latin1_target));
    request.extend(format!(" HTTP/{version}\r\n").into_bytes());
    if let Some(host) = &check.host {
        request.extend(format!("Host: {host}\r\n").into_bytes());
    }
    for (name, value) in &check.headers {
        request.extend(format!("{name}: ").into_bytes());
        request.extend(bytes(value, check.latin1));
        request.extend(b"\r\n");
    }
    request.extend(b"\r\n");
    stream.write_all(&request).unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).ok()?;
    line.split(' ').nth(1)?.parse().ok()
}

/// A server that answers every request with 200 and closes.
fn backend() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                head.push(byte[0]);
            }
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            // A client that went away is no matter.
            drop(stream.write_all(answer));
        }
    });
    address
}
