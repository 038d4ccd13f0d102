//! Clients that take their time.

use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use crate::client::Client;
use crate::http2::{
    DATA, END_HEADERS, HEADERS, Http2, Outcome, SETTINGS, WINDOW_UPDATE, block, frame,
};
use crate::proxy::{DEADLINE, await_true};
use crate::servers::server;
use crate::strict::Strict;
use crate::{Site, all_to};

const READ_TIMEOUT: &str = "--entrypoints.web.transport.respondingtimeouts.readtimeout=1s";
const WRITE_TIMEOUT: &str = "--entrypoints.web.transport.respondingtimeouts.writetimeout=1s";

/// Between two bytes of somebody who is slow: far less than any timeout.
const PACE: Duration = Duration::from_millis(20);

/// Says the bytes one by one, the last one over and over, until the connection ends.
fn dribble(client: &mut Client, bytes: &str) {
    let mut bytes = bytes.bytes();
    let mut last = b'x';
    await_true("the end of a slow connection", || {
        last = bytes.next().unwrap_or(last);
        client.send([last]);
        client.ends_within(PACE)
    });
}

#[test]
fn a_head_that_dribbles_ends_the_connection_and_disturbs_nobody() {
    let server = Strict::start();
    let site = Site::before(server.address, &[READ_TIMEOUT]);
    for before in ["", "GET /first HTTP/1.1\r\nHost: x\r\n\r\n"] {
        for head in ["G", "GET / HTTP/1.1\r\nHost: x\r\nX: y"] {
            let mut client = site.connect();
            if !before.is_empty() {
                client.send(before);
                assert_eq!(client.answer().unwrap().status, 200);
            }
            dribble(&mut client, head);
            assert_eq!(site.status("x"), 200);
        }
    }
    let lines = server.take(6).into_iter().map(|request| request.line);
    assert!(
        lines
            .clone()
            .all(|line| line == "GET /" || line == "GET /first")
    );
    assert_eq!(lines.count(), 6);
}

#[test]
fn a_body_that_dribbles_is_a_timeout_of_the_gateway() {
    let server = Strict::start();
    let site = Site::before(server.address, &[READ_TIMEOUT]);
    for framing in [
        "Content-Length: 1000000\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\nfffff\r\n",
        // A chunk's size, and a trailer, that never end: no limit on their length may come first.
        "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0",
        "Transfer-Encoding: chunked\r\n\r\n0\r\nX",
    ] {
        let mut client = site.connect();
        client.send(format!("POST / HTTP/1.1\r\nHost: x\r\n{framing}"));
        let mut slow = client.stream.try_clone().unwrap();
        slow.set_write_timeout(Some(DEADLINE)).unwrap();
        let (stop, stopped) = mpsc::channel::<()>();
        std::thread::spawn(move || {
            while stopped.recv_timeout(PACE) == Err(mpsc::RecvTimeoutError::Timeout) {
                drop(slow.write_all(b"0"));
            }
        });
        let answer = client.answer().unwrap();
        assert_eq!(
            (answer.status, &*answer.body),
            (504, "Gateway Timeout"),
            "{framing}"
        );
        assert_eq!(client.rest(), "", "{framing}");
        drop(stop);
        for request in server.take(0) {
            assert!(
                request.fault.is_some(),
                "a whole request made of {framing}: {request}"
            );
        }
    }
}

#[test]
fn a_body_that_does_not_come_is_a_timeout_of_the_gateway_in_http2_too() {
    let server = Strict::start();
    let site = Site::before(server.address, &[READ_TIMEOUT]);
    let mut connection = Http2::connect(site.proxy.address("web"));
    connection.send(frame(HEADERS, END_HEADERS, 1, &block(POST)));
    connection.send(frame(DATA, 0, 1, b"a"));
    assert_eq!(connection.outcome(1), Outcome::Status(504));
    // The connection goes on.
    connection.request(3, POST, Some("b"));
    assert!(matches!(connection.outcome(3), Outcome::Status(_)));
}

const POST: &[(&str, &str)] = &[
    (":method", "POST"),
    (":scheme", "http"),
    (":path", "/"),
    (":authority", "x"),
];

/// A server whose answer has no end; it tells of each connection when its writes no longer get through, and when the
/// connection is gone.
fn endless() -> (SocketAddr, Receiver<Told>) {
    let (told, tells) = mpsc::channel();
    let address = server(move |mut client: Client| {
        if client.head().is_some() {
            client.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            pour(&client.stream, &told);
        }
    });
    (address, tells)
}

#[derive(Debug, PartialEq, Eq)]
enum Told {
    Stuck,
    Gone,
}

fn pour(mut stream: &TcpStream, told: &Sender<Told>) {
    let chunk = [b"4000\r\n", &[b'x'; 0x4000][..], b"\r\n"].concat();
    stream
        .set_write_timeout(Some(Duration::from_millis(250)))
        .unwrap();
    let (mut at, mut is_stuck) = (0, false);
    loop {
        match stream.write(&chunk[at..]) {
            Ok(n) => {
                at = (at + n) % chunk.len();
                is_stuck = false;
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                if !std::mem::replace(&mut is_stuck, true) {
                    drop(told.send(Told::Stuck));
                }
            }
            Err(_) => {
                drop(told.send(Told::Gone));
                return;
            }
        }
    }
}

fn await_told(tells: &Receiver<Told>, wanted: &Told) {
    loop {
        if tells.recv_timeout(DEADLINE).expect("word from the server") == *wanted {
            return;
        }
    }
}

/// Everything for `quiet.test` goes to one server, the rest to another.
fn two(server: SocketAddr, quiet: SocketAddr) -> String {
    let quiet =
        format!("    quiet: {{loadBalancer: {{servers: [{{url: \"http://{quiet}\"}}]}}}}\n");
    all_to(&format!("http://{server}"))
        .replace("noop@internal", "quiet")
        .replace("ready.test", "quiet.test")
        + &quiet
}

#[test]
fn a_client_that_reads_nothing_costs_little_memory_and_disturbs_nobody() {
    const CLIENTS: usize = 20;
    let (server, tells) = endless();
    let quiet = Strict::start();
    let site = Site::start(&two(server, quiet.address), &[]);
    await_true("the routes", || site.status("quiet.test") == 200);
    let before = site.proxy.resident_bytes();

    let mut clients: Vec<Client> = (0..CLIENTS)
        .map(|_| {
            let mut client = site.connect();
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            client
        })
        .collect();
    for _ in 0..CLIENTS {
        await_told(&tells, &Told::Stuck);
    }
    let grown = site.proxy.peak_bytes().saturating_sub(before);
    println!("{CLIENTS} clients that read nothing: {grown} bytes");
    assert!(grown < CLIENTS << 20, "{grown}");
    assert_eq!(site.status("quiet.test"), 200);

    // It goes on as soon as they read, from where it stopped.
    let client = &mut clients[0];
    assert!(client.head().unwrap().starts_with("HTTP/1.1 200"));
    assert_eq!(client.up_to(32 << 20).len(), 32 << 20);
    // A client that goes is noticed although nothing can be written to it.
    clients.truncate(1);
    for _ in 1..CLIENTS {
        await_told(&tells, &Told::Gone);
    }
}

#[test]
fn streams_that_nobody_reads_cost_little_memory() {
    const STREAMS: u32 = 40;
    let (server, tells) = endless();
    let site = Site::before(server, &[]);
    let before = site.proxy.resident_bytes();
    let mut connection = Http2::connect(site.proxy.address("web"));
    // All windows as wide as they go: only the proxy itself holds the servers back.
    let window = 0x7fff_ffff_u32;
    connection.send(frame(
        SETTINGS,
        0,
        0,
        &[&[0, 4][..], &window.to_be_bytes()].concat(),
    ));
    connection.send(frame(WINDOW_UPDATE, 0, 0, &(window - 65535).to_be_bytes()));
    for n in 0..STREAMS {
        connection.request(2 * n + 1, POST, None);
    }
    for _ in 0..STREAMS {
        await_told(&tells, &Told::Stuck);
    }
    let grown = site.proxy.peak_bytes().saturating_sub(before);
    println!("{STREAMS} streams that nobody reads: {grown} bytes");
    assert!(grown < (STREAMS as usize) << 18, "{grown}");
}

#[test]
fn a_client_that_reads_nothing_is_cut_at_the_write_timeout() {
    let (server, tells) = endless();
    let site = Site::before(server, &[WRITE_TIMEOUT]);
    let mut client = site.connect();
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await_told(&tells, &Told::Gone);
    client.rest();
    // Nor may one that reads go on for ever.
    let mut client = site.connect();
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    client.rest();
}
