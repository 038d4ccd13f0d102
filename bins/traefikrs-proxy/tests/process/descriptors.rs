//! No more files and sockets to be had.

use std::time::Duration;

use tokio::time::Instant;

use crate::client::Client;
use crate::proxy::{Proxy, await_true};
use crate::strict::Strict;
use crate::{Site, all_to};

const GET: &str = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

/// What the process may have open, and more clients than that.
const LIMIT: u32 = 80;
const CLIENTS: usize = 200;

fn site(server: &Strict) -> Site {
    let start = |arguments: &[&str]| Some(Proxy::start_with_descriptors(LIMIT, arguments));
    Site::with(
        &all_to(&format!("http://{}", server.address)),
        &["--api.insecure"],
        start,
    )
    .unwrap()
    .ready()
}

fn open_descriptors(site: &Site) -> usize {
    let process = site.proxy.id();
    std::fs::read_dir(format!("/proc/{process}/fd"))
        .unwrap()
        .count()
}

/// A client that is in before others take what is left; no server was asked.
fn inside(site: &Site) -> Client {
    let mut client = site.connect();
    client.send("GET / HTTP/1.1\r\nHost: ready.test\r\n\r\n");
    assert_eq!(client.answer().unwrap().status, 418);
    client
}

/// Clients enough to use up all that the process may have.
fn exhaust(site: &Site) -> Vec<Client> {
    let clients = (0..CLIENTS).map(|_| site.connect()).collect();
    await_true("the last descriptor", || {
        open_descriptors(site) >= LIMIT as usize
    });
    await_true("word of it", || site.proxy.said().contains("cannot accept"));
    clients
}

#[test]
fn a_process_without_descriptors_waits_and_goes_on() {
    let server = Strict::start();
    let mut site = site(&server);
    let mut early = site.connect();
    early.send(GET);
    assert_eq!(early.answer().unwrap().status, 200);
    let mut others: Vec<_> = (0..4).map(|_| inside(&site)).collect();
    let mut clients = exhaust(&site);

    // It waits without being busy.
    let (since, before) = (Instant::now(), site.proxy.busy());
    let moment = Duration::from_millis(1500);
    await_true("a moment", || since.elapsed() > moment);
    let busy = site.proxy.busy().saturating_sub(before);
    println!("{busy:?} of processor time in {moment:?}");
    assert!(busy < moment / 5, "{busy:?}");

    // Who is in is served: on the connection to the server that is there already …
    early.send(GET);
    assert_eq!(early.answer().unwrap().status, 200);
    // … or, if there is none, with an error.
    let mut statuses = Vec::new();
    for client in &mut others {
        client.send(GET);
        statuses.push(client.answer().unwrap().status);
    }
    assert!(
        statuses.iter().all(|status| matches!(status, 200 | 502)),
        "{statuses:?}"
    );

    // Who waited comes in when others go.
    let mut late = clients.pop().unwrap();
    drop(clients);
    late.send(GET);
    assert_eq!(late.answer().unwrap().status, 200);
    await_true("new connections", || site.status("x") == 200);
    assert!(site.proxy.is_running());
    assert!(
        !site.proxy.said().contains("panicked"),
        "{}",
        site.proxy.said()
    );
}

#[test]
fn no_descriptor_for_a_server_is_a_bad_gateway() {
    let server = Strict::start();
    let site = site(&server);
    // No connection to the server has been made yet by any thread.
    let mut client = inside(&site);
    let others = exhaust(&site);
    client.send(GET);
    let answer = client.answer().unwrap();
    assert_eq!((answer.status, &*answer.body), (502, "Bad Gateway"));
    drop(others);
    await_true("a descriptor", || {
        client.send(GET);
        client.answer().unwrap().status == 200
    });
}

#[test]
fn a_change_that_cannot_be_read_now_is_read_later() {
    let server = Strict::start();
    let site = site(&server);
    let clients = exhaust(&site);
    let changed = all_to(&format!("http://{}", server.address)).replace(
        "PathPrefix(`/`)\", service: s",
        "Host(`new.test`)\", service: s",
    );
    std::fs::write(&site.file, changed).unwrap();
    await_true("a failed reading", || {
        let said = site.proxy.said();
        said.lines()
            .any(|line| line.contains("routes.yml") && line.contains("os error 24"))
    });
    drop(clients);
    await_true("the new route", || {
        site.status("old.test") == 404 && site.status("new.test") == 200
    });
}
