//! Active health checks: who is asked what, and what follows from the answers.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic_health::ServingStatus;

use crate::Site;
use crate::proxy::await_true;

/// A server that says of itself what a test wants, to whoever asks with `Check: yes` or below `/hc`.
struct Checked {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    label: &'static str,
    check: String,
    asked: Vec<String>,
}

impl Checked {
    fn start(label: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Mutex::new(Shared {
            label,
            check: "200 OK".to_owned(),
            asked: Vec::new(),
        }));
        let of_thread = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = Arc::clone(&of_thread);
                thread::spawn(move || serve(stream.unwrap(), &shared));
            }
        });
        Self { address, shared }
    }

    /// What it says from now on: status line and more header lines.
    fn says(&self, check: &str) {
        self.shared.lock().unwrap().check = check.to_owned();
    }

    fn asked(&self) -> Vec<String> {
        self.shared.lock().unwrap().asked.clone()
    }
}

fn serve(stream: TcpStream, shared: &Mutex<Shared>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).unwrap_or(0) == 0 {
                return;
            }
        }
        let answer = {
            let mut shared = shared.lock().unwrap();
            if head.contains("/hc") || head.contains("Check: yes") {
                shared.asked.push(head);
                format!("HTTP/1.1 {}\r\nContent-Length: 0\r\n\r\n", shared.check)
            } else {
                let label = shared.label;
                format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{label}",
                    label.len()
                )
            }
        };
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

fn balanced(check: &str, servers: &[String]) -> String {
    let servers: Vec<_> = servers
        .iter()
        .map(|url| format!("{{url: \"{url}\"}}"))
        .collect();
    format!(
        "http:\n  routers:\n    r: {{rule: \"Host(`a.test`)\", service: s}}\n  services:\n    s:\n      loadBalancer:\n        healthCheck: {check}\n        servers: [{}]\n",
        servers.join(", ")
    )
}

fn url(server: &Checked) -> String {
    format!("http://{}", server.address)
}

/// Who answers, of several requests.
fn answering(site: &Site) -> BTreeSet<String> {
    (0..12)
        .map(|_| site.proxy.get("web", "a.test", "/").body)
        .collect()
}

fn status_of(site: &Site, url: &str) -> Option<String> {
    let answer = site
        .proxy
        .get("traefik", "api", "/api/http/services/s@file");
    let service: Value = serde_json::from_str(&answer.body).ok()?;
    Some(service["serverStatus"][url].as_str()?.to_owned())
}

fn await_status(site: &Site, url: &str, status: &str) {
    await_true(status, || status_of(site, url).as_deref() == Some(status));
}

fn labels(labels: &[&str]) -> BTreeSet<String> {
    labels.iter().map(|&label| label.to_owned()).collect()
}

#[test]
fn a_server_that_is_not_well_gets_nothing_until_it_is() {
    let (one, two) = (Checked::start("one"), Checked::start("two"));
    let check = "{path: /hc, interval: 50ms}";
    let site = Site::start(
        &balanced(check, &[url(&one), url(&two)]),
        &["--api.insecure"],
    );
    await_true("both", || answering(&site) == labels(&["one", "two"]));

    one.says("503 Service Unavailable");
    await_status(&site, &url(&one), "DOWN");
    assert_eq!(answering(&site), labels(&["two"]));
    assert_eq!(status_of(&site, &url(&two)).as_deref(), Some("UP"));

    two.says("500 Internal Server Error");
    await_status(&site, &url(&two), "DOWN");
    assert_eq!(site.proxy.get("web", "a.test", "/").status, 503);

    one.says("204 No Content");
    await_status(&site, &url(&one), "UP");
    assert_eq!(answering(&site), labels(&["one"]));
}

#[test]
fn what_checks_found_outlives_a_reload() {
    let (one, two) = (Checked::start("one"), Checked::start("two"));
    one.says("503 Service Unavailable");
    // It is asked once, so that nothing but memory can tell.
    let check = "{path: /hc, interval: 1h}";
    let file = balanced(check, &[url(&one), url(&two)]);
    let site = Site::start(&file, &["--api.insecure"]);
    await_status(&site, &url(&one), "DOWN");

    let more = "    more: {rule: \"Host(`b.test`)\", service: s}\n  services:";
    fs::write(&site.file, file.replace("  services:", more)).unwrap();
    await_true("the new route", || site.status("b.test") == 200);
    assert_eq!(status_of(&site, &url(&one)).as_deref(), Some("DOWN"));
    assert_eq!(answering(&site), labels(&["two"]));

    // Also when the service itself changes.
    let changed = file.replace("servers:", "passHostHeader: false\n        servers:");
    fs::write(&site.file, changed).unwrap();
    await_true("the new service", || site.status("b.test") == 404);
    assert_eq!(answering(&site), labels(&["two"]));
}

#[test]
fn changes_of_a_service_do_not_begin_the_checks_of_its_servers_anew() {
    let (one, two) = (Checked::start("one"), Checked::start("two"));
    let check = "{path: /hc, interval: 1h}";
    let site = Site::start(&balanced(check, &[url(&one)]), &["--api.insecure"]);
    await_true("a question", || one.asked().len() == 1);
    fs::write(&site.file, balanced(check, &[url(&two), url(&one)])).unwrap();
    await_true("a question to the new one", || two.asked().len() == 1);
    assert_eq!(one.asked().len(), 1);
    // Another question is asked at once.
    let check = "{path: /hc/other, interval: 1h}";
    fs::write(&site.file, balanced(check, &[url(&one)])).unwrap();
    await_true("another question", || one.asked().len() == 2);
    assert!(one.asked()[1].starts_with("GET /hc/other "));
    assert_eq!(two.asked().len(), 1);
}

#[test]
fn a_server_that_does_not_answer_is_found_out_however_often_its_service_changes() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", silent.local_addr().unwrap());
    let other = Checked::start("other");
    let check = "{path: /hc, interval: 1h, timeout: 500ms}";
    let files = [
        balanced(check, std::slice::from_ref(&silent)),
        balanced(check, &[silent.clone(), url(&other)]),
    ];
    let site = Site::start(&files[0], &["--api.insecure"]);
    let mut changes = 0..;
    await_true("the truth", || {
        let change = changes.next().unwrap_or(0);
        fs::write(&site.file, &files[change % 2]).unwrap();
        // The change is there.
        await_true("the change", || {
            status_of(&site, &url(&other)).is_some() == (change % 2 == 1)
        });
        status_of(&site, &silent).as_deref() == Some("DOWN")
    });
}

#[test]
fn a_server_is_asked_as_configured() {
    let server = Checked::start("one");
    let other = Checked::start("two");
    let port = server.address.port();
    // What is asked; what the request must and must not have.
    let cases = [
        (
            "{path: /hc, interval: 1h}",
            "GET /hc HTTP/1.1\r\nHost: HERE\r\n",
        ),
        (
            "{path: hc?deep=1, interval: 1h}",
            "GET /base/hc?deep=1 HTTP/1.1\r\nHost: HERE\r\n",
        ),
        (
            "{path: /hc, method: HEAD, hostname: well.test, headers: {X-One: two, Host: no.test}, interval: 1h}",
            "HEAD /hc HTTP/1.1\r\nHost: well.test\r\n",
        ),
        (
            "{headers: {Check: \"yes\"}, interval: 1h}",
            "GET /base/x HTTP/1.1\r\n",
        ),
        (
            "{path: /hc, port: PORT, interval: 1h}",
            "GET /hc HTTP/1.1\r\nHost: HERE\r\n",
        ),
    ];
    for (check, start) in cases {
        let check = check.replace("PORT", &port.to_string());
        let start = start.replace("HERE", &server.address.to_string());
        let asks_elsewhere = check.contains("port");
        let base = if asks_elsewhere { &other } else { &server };
        let seen = server.asked().len();
        let site = Site::start(
            &balanced(&check, &[format!("{}/base/x", url(base))]),
            &["--api.insecure"],
        );
        await_true("a question", || server.asked().len() > seen);
        let head = server.asked().pop().unwrap();
        assert!(head.starts_with(&start), "{check}: {head}");
        assert!(!head.contains("no.test"), "{head}");
        assert_eq!(
            head.contains("X-One: two"),
            check.contains("X-One"),
            "{head}"
        );
        drop(site);
    }
}

#[test]
fn the_expected_status_decides_and_redirects_are_followed() {
    for (check, says, is_up) in [
        (
            "{path: /hc, interval: 20ms, status: 404}",
            "404 Not Found",
            true,
        ),
        ("{path: /hc, interval: 20ms, status: 404}", "200 OK", false),
        ("{path: /hc, interval: 20ms}", "304 Not Modified", true),
        ("{path: /hc, interval: 20ms}", "404 Not Found", false),
        (
            "{path: /hc, interval: 20ms}",
            "302 Found\r\nLocation: /hc",
            false,
        ),
        (
            "{path: /hc, interval: 20ms}",
            "302 Found\r\nLocation: /elsewhere",
            true,
        ),
        (
            "{path: /hc, interval: 20ms}",
            "302 Found\r\nLocation:",
            true,
        ),
        ("{path: \"/hc?a b\", interval: 20ms}", "200 OK", true),
        (
            "{path: /hc, interval: 20ms, followRedirects: false}",
            "302 Found\r\nLocation: /hc",
            true,
        ),
        ("{path: \"http://x/hc\", interval: 20ms}", "200 OK", false),
        ("{path: /hc, interval: 20ms, scheme: ftp}", "200 OK", false),
    ] {
        let server = Checked::start("one");
        server.says(says);
        let site = Site::start(&balanced(check, &[url(&server)]), &["--api.insecure"]);
        let expected = if is_up { "UP" } else { "DOWN" };
        // The third question shows that the first two answers have been heard.
        let can_be_asked = !check.contains("ftp") && !check.contains("http:");
        await_true("checks", || !can_be_asked || server.asked().len() > 2);
        await_status(&site, &url(&server), expected);
    }
}

#[test]
fn a_check_that_is_redirected_without_end_is_given_up() {
    let server = Checked::start("one");
    server.says("302 Found\r\nLocation: /hc");
    let check = "{path: /hc, interval: 1h}";
    let site = Site::start(&balanced(check, &[url(&server)]), &["--api.insecure"]);
    await_status(&site, &url(&server), "DOWN");
    // As many as Traefik 3.7.15 sends.
    assert_eq!(server.asked().len(), 10);
}

#[test]
fn a_server_that_does_not_answer_in_time_is_down() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", silent.local_addr().unwrap());
    let gone = format!("http://{}", {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    });
    let check = "{path: /hc, interval: 1h, timeout: 100ms}";
    let servers = [silent.clone(), gone.clone()];
    let site = Site::start(&balanced(check, &servers), &["--api.insecure"]);
    await_status(&site, &silent, "DOWN");
    await_status(&site, &gone, "DOWN");
    assert_eq!(site.proxy.get("web", "a.test", "/").status, 503);
}

#[tokio::test]
async fn a_grpc_server_says_itself_whether_it_serves() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("h2c://{}", listener.local_addr().unwrap());
    let (reporter, health) = tonic_health::server::health_reporter();
    let serving = Server::builder()
        .add_service(health)
        .serve_with_incoming(TcpIncoming::from(listener));
    tokio::spawn(serving);
    let check = "{mode: grpc, interval: 50ms}";
    let file = balanced(check, std::slice::from_ref(&url));
    // What blocks must not keep the server from answering.
    let site = tokio::task::spawn_blocking(move || Site::start(&file, &["--api.insecure"]));
    let mut site = site.await.unwrap();
    for (status, expected) in [
        (ServingStatus::NotServing, "DOWN"),
        (ServingStatus::Serving, "UP"),
        (ServingStatus::Unknown, "DOWN"),
    ] {
        reporter.set_service_status("", status).await;
        let url = url.clone();
        let waited = tokio::task::spawn_blocking(move || {
            await_status(&site, &url, expected);
            site
        });
        site = waited.await.unwrap();
    }
}
