//! Servers that do not behave.

use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use crate::Site;
use crate::client::Client;
use crate::proxy::DEADLINE;

/// Starts a server that hands each connection to `serve`, on a thread of its own.
pub(crate) fn server(serve: impl Fn(Client) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let serve = Arc::clone(&serve);
            thread::spawn(move || serve(Client::new(stream.unwrap())));
        }
    });
    address
}

/// What a server says to `GET /bad`, and what the client makes of it.
struct Case {
    name: &'static str,
    says: &'static str,
    /// Then comes this, over and over, until nobody listens any more.
    endless: &'static str,
    /// Whether it closes then.
    closes: bool,
    /// The answer's status, body, and whether the body came to its end.
    heard: (u16, &'static str, bool),
}

const FAULT: (u16, &str, bool) = (500, "Internal Server Error", true);
const GONE: (u16, &str, bool) = (502, "Bad Gateway", true);

const fn case(name: &'static str, says: &'static str, heard: (u16, &'static str, bool)) -> Case {
    Case {
        name,
        says,
        endless: "",
        closes: false,
        heard,
    }
}

const fn closing(name: &'static str, says: &'static str, heard: (u16, &'static str, bool)) -> Case {
    Case {
        closes: true,
        ..case(name, says, heard)
    }
}

const fn endless(
    name: &'static str,
    says: &'static str,
    endless: &'static str,
    heard: (u16, &'static str, bool),
) -> Case {
    Case {
        endless,
        ..case(name, says, heard)
    }
}

const CASES: &[Case] = &[
    closing("nothing", "", GONE),
    closing("half a status line", "HTTP/1.1 20", FAULT),
    closing("half a head", "HTTP/1.1 200 OK\r\nContent-Le", FAULT),
    case("garbage", "\0\x01\x02\r\n\r\n", FAULT),
    case("another protocol", "220 mail.test ESMTP\r\n", FAULT),
    case("a version to come", "HTTP/2.0 200 OK\r\n\r\n", FAULT),
    case(
        "a status too small",
        "HTTP/1.1 99 X\r\nContent-Length: 0\r\n\r\n",
        FAULT,
    ),
    case(
        "a status too large",
        "HTTP/1.1 1000 X\r\nContent-Length: 0\r\n\r\n",
        FAULT,
    ),
    case(
        "a field without a name",
        "HTTP/1.1 200 OK\r\n: x\r\nContent-Length: 0\r\n\r\n",
        FAULT,
    ),
    case(
        "a NUL in a value",
        "HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n",
        FAULT,
    ),
    case(
        "a return in a value",
        "HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 0\r\n\r\n",
        FAULT,
    ),
    case(
        "two lengths",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        FAULT,
    ),
    case(
        "a negative length",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        FAULT,
    ),
    case(
        "a length with a sign",
        "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na",
        FAULT,
    ),
    case(
        "a length beyond numbers",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        FAULT,
    ),
    case(
        "a coding nobody knows",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        FAULT,
    ),
    case(
        "two codings",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        FAULT,
    ),
    case(
        "a switch nobody asked for",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
        FAULT,
    ),
    endless(
        "a head without end",
        "HTTP/1.1 200 OK\r\n",
        "X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n",
        FAULT,
    ),
    endless(
        "a line without end",
        "HTTP/1.1 200 OK\r\nX: ",
        "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy",
        FAULT,
    ),
    endless(
        "a reason without end",
        "HTTP/1.1 200 ",
        "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy",
        FAULT,
    ),
    endless(
        "interim answers without end",
        "",
        "HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n",
        FAULT,
    ),
    closing(
        "less than its length",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
        (200, "abc", false),
    ),
    closing(
        "chunks without an end",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        (200, "abc", false),
    ),
    closing(
        "half a chunk",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc",
        (200, "abc", false),
    ),
    case(
        "a chunk that is none",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n",
        (200, "abc", false),
    ),
    case(
        "a chunk longer than its size",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n",
        (200, "abc", false),
    ),
    case(
        "a chunk beyond numbers",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n11111111111111111\r\n",
        (200, "abc", false),
    ),
    case(
        "a negative chunk",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n-1\r\n",
        (200, "abc", false),
    ),
    endless(
        "a chunk size without end",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        "0",
        (200, "abc", false),
    ),
    endless(
        "an extension without end",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1;",
        "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy",
        (200, "abc", false),
    ),
    endless(
        "a trailer without end",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n",
        "X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n",
        (200, "abc", false),
    ),
    // What follows must not become the answer to another request.
    case(
        "two answers",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged",
        (200, "abc", true),
    ),
    case(
        "more than its length",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef",
        (200, "abc", true),
    ),
    case(
        "two answers in chunks",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged",
        (200, "abc", true),
    ),
    case(
        "a body where there is none",
        "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged",
        (204, "", true),
    ),
    case(
        "a length and chunks",
        "HTTP/1.1 200 OK\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        (200, "abc", true),
    ),
    case(
        "a farewell",
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc",
        (200, "abc", true),
    ),
];

#[test]
fn what_a_bad_server_says_costs_no_memory_and_its_connection_is_not_used_again() {
    const GOOD: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\n";
    let server = server(|mut client: Client| {
        let first = client.head();
        let case = first.as_deref().and_then(|head| {
            let number = head.strip_prefix("GET /bad/")?.split(' ').next()?;
            CASES.get(number.parse::<usize>().ok()?)
        });
        let Some(case) = case else {
            client.send([GOOD, "fresh"].concat());
            return;
        };
        client.send(case.says);
        if !case.endless.is_empty() {
            let many = case.endless.repeat(4096 / case.endless.len());
            while client.stream.write_all(many.as_bytes()).is_ok() {}
        }
        if !case.closes && client.head().is_some() {
            client.send([GOOD, "again"].concat());
        }
    });
    let site = Site::before(server, &[]);
    assert_eq!(site.proxy.get("web", "x", "/good").body, "fresh");
    let before = site.proxy.resident_bytes();
    for (number, case) in CASES.iter().enumerate() {
        let name = case.name;
        let answer = site.proxy.get("web", "x", &format!("/bad/{number}"));
        let heard = (answer.status, answer.body.as_str(), answer.is_whole);
        assert_eq!(heard, case.heard, "{name}");
        // Each thread has its own connections: try until all had their chance.
        for _ in 0..4 {
            assert_eq!(
                site.proxy.get("web", "x", "/good").body,
                "fresh",
                "after {name}"
            );
        }
    }
    let grown = site.proxy.peak_bytes().saturating_sub(before);
    println!("{} bad answers: {grown} bytes", CASES.len());
    assert!(grown < 24 << 20, "{grown}");
}

#[test]
fn a_server_that_never_answers_is_a_timeout_if_a_limit_is_set() {
    let server = server(|mut client: Client| drop(client.rest()));
    let site = Site::before(
        server,
        &["--serverstransport.forwardingtimeouts.responseheadertimeout=500ms"],
    );
    let answer = site.proxy.get("web", "x", "/");
    assert_eq!((answer.status, &*answer.body), (504, "Gateway Timeout"));
}

#[test]
fn a_server_that_answers_before_it_has_read_the_request_is_heard() {
    let server = server(|mut client: Client| {
        if client.head().is_some() {
            client.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig");
            // What it did not read is thrown away by the kernel, which tells the proxy so.
        }
    });
    let site = Site::before(server, &[]);
    for framing in [
        "Content-Length: 9999\r\n\r\nabc",
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ] {
        let mut client = site.connect();
        client.send(format!("POST / HTTP/1.1\r\nHost: x\r\n{framing}"));
        let answer = client.answer().unwrap();
        assert_eq!((answer.status, &*answer.body), (413, "big"), "{framing}");
    }
}

#[test]
fn a_server_that_reads_nothing_holds_the_client_back() {
    const UPLOADS: usize = 10;
    let (done, is_done) = mpsc::channel::<()>();
    let is_done = std::sync::Mutex::new(is_done);
    let server = server(move |client: Client| {
        // Until the test is over.
        is_done.lock().unwrap().recv().ok();
        drop(client);
    });
    let site = Site::before(server, &[]);
    let before = site.proxy.resident_bytes();
    let clients: Vec<_> = (0..UPLOADS)
        .map(|_| {
            let mut client = site.connect();
            client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999\r\n\r\n");
            client
                .stream
                .set_write_timeout(Some(Duration::from_millis(250)))
                .unwrap();
            let piece = [b'x'; 1 << 16];
            loop {
                match client.stream.write(&piece) {
                    Ok(_) => {}
                    Err(error)
                        if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                    {
                        break;
                    }
                    Err(error) => panic!("{error} within {DEADLINE:?}"),
                }
            }
            client
        })
        .collect();
    let grown = site.proxy.peak_bytes().saturating_sub(before);
    println!("{UPLOADS} uploads that get nowhere: {grown} bytes");
    assert!(grown < UPLOADS << 20, "{grown}");
    drop((clients, done));
}
