//! How large a head may be.

use std::io::ErrorKind;
use std::io::Write;
use std::time::Duration;

use crate::Site;
use crate::proxy::await_true;
use crate::strict::Strict;

/// Go reads so much more than it is told to …
const SLOP: usize = 4096;

/// … and Traefik has looked at the first bytes before it counts.
const LOOKED_AT: usize = 14;

/// A head of so many bytes, most of them in one place.
struct Shape {
    name: &'static str,
    head: fn(usize) -> String,
}

const SHAPES: [Shape; 3] = [
    Shape {
        name: "value",
        head: |len| fill(len, "GET / HTTP/1.1\r\nHost: x\r\nX: ", "\r\n\r\n"),
    },
    Shape {
        name: "name",
        head: |len| fill(len, "GET / HTTP/1.1\r\nHost: x\r\nX", ": y\r\n\r\n"),
    },
    Shape {
        name: "target",
        head: |len| fill(len, "GET /", " HTTP/1.1\r\nHost: x\r\n\r\n"),
    },
];

fn fill(len: usize, before: &str, after: &str) -> String {
    let fill = "y".repeat(len - before.len() - after.len());
    format!("{before}{fill}{after}")
}

fn status(site: &Site, head: &str) -> u16 {
    let mut client = site.connect();
    client.send(head);
    client.answer().map_or(0, |answer| answer.status)
}

#[test]
fn a_head_may_be_as_large_as_in_traefik_to_the_byte() {
    let server = Strict::start();
    let configured: &[&str] = &["--entrypoints.web.http.maxheaderbytes=8192"];
    // Names and targets of more than 64 KiB are refused in any case.
    for (arguments, limit, shapes) in [
        (configured, 8192, &SHAPES[..]),
        (&[], 1 << 20, &SHAPES[..1]),
    ] {
        let mut sites = vec![(0, Site::before(server.address, arguments))];
        sites.extend(
            Site::of_traefik_before(server.address, arguments).map(|site| (LOOKED_AT, site)),
        );
        for (more, site) in &sites {
            for Shape { name, head } in shapes {
                let edge = limit + SLOP + more;
                let statuses =
                    [edge - 1, edge, edge + 1, edge + SLOP].map(|len| status(site, &head(len)));
                assert_eq!(
                    statuses,
                    [200, 200, 431, 431],
                    "{name}, limit {limit} + {more}"
                );
            }
        }
    }
}

#[test]
fn many_fields_cost_little() {
    let server = Strict::start();
    let site = Site::before(server.address, &[]);
    let fields = |n: usize| format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "a: b\r\n".repeat(n));
    assert_eq!(status(&site, &fields(200)), 200);
    let before = site.proxy.resident_bytes();
    for _ in 0..20 {
        let status = status(&site, &fields(170_000));
        assert!(matches!(status, 200 | 400 | 431), "{status}");
    }
    let grown = site.proxy.peak_bytes().saturating_sub(before);
    println!("20 times 170,000 fields: {grown} bytes");
    assert!(grown < 32 << 20, "{grown}");
    assert_eq!(site.status("x"), 200);
}

/// What a client may say without end, and without reading anything.
const FLOODS: &[(&str, &str, &str)] = &[
    ("empty lines", "", "\r\n"),
    ("a method", "", "G"),
    ("a target", "GET /", "y"),
    ("a version", "GET / HTTP/1.", "1"),
    ("a name", "GET / HTTP/1.1\r\nHost: x\r\n", "y"),
    ("a value", "GET / HTTP/1.1\r\nHost: x\r\nX: ", "y"),
    ("fields", "GET / HTTP/1.1\r\nHost: x\r\n", "X: y\r\n"),
    ("folds", "GET / HTTP/1.1\r\nHost: x\r\nX: y\r\n", " y\r\n"),
    ("requests", "", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    (
        "refused requests",
        "",
        "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n",
    ),
    ("a size of chunk", CHUNKED, "0"),
    (
        "an extension",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;",
        "y",
    ),
    (
        "extensions",
        CHUNKED,
        "1;yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\na\r\n",
    ),
    ("small chunks", CHUNKED, "1\r\na\r\n"),
    (
        "a trailer",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ",
        "y",
    ),
    (
        "trailers",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
        "X: y\r\n",
    ),
    (
        "a body",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999\r\n\r\n",
        "y",
    ),
    (
        "a body that nobody wants",
        "POST /%zz HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999\r\n\r\n",
        "y",
    ),
];

const CHUNKED: &str = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";

#[test]
fn what_has_no_end_costs_no_memory_and_disturbs_nobody() {
    const ENOUGH: usize = 8 << 20;
    // It keeps no bodies.
    let server = crate::servers::server(|mut client| {
        while client.head().is_some() {
            client.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
    });
    let site = Site::before(server, &[]);
    assert_eq!(site.status("x"), 200);
    for (name, prelude, piece) in FLOODS {
        let before = site.proxy.resident_bytes();
        let mut client = site.connect();
        client.send(prelude);
        client
            .stream
            .set_write_timeout(Some(Duration::from_millis(250)))
            .unwrap();
        let many = piece.repeat((1 << 16) / piece.len());
        let (mut sent, mut fate) = (0, "taken");
        while sent < ENOUGH {
            match client.stream.write(many.as_bytes()) {
                Ok(n) if n == many.len() => sent += n,
                // Held back counts as well as cut off.
                Ok(_) => fate = "held back",
                Err(error) if error.kind() == ErrorKind::WouldBlock => fate = "held back",
                Err(_) => fate = "cut off",
            }
            if fate != "taken" {
                break;
            }
        }
        assert_eq!(site.status("x"), 200, "during {name}");
        let grown = site.proxy.resident_bytes().saturating_sub(before);
        println!("{name}: {fate} after {sent} bytes, {grown} bytes more resident");
        assert!(grown < 8 << 20, "{name}: {grown}");
    }
}

#[test]
fn a_refused_client_that_goes_on_is_cut_off() {
    let server = Strict::start();
    let site = Site::before(server.address, &[]);
    let heads = [
        "GET / HTTP/9.9\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nbad name: y\r\n\r\n",
        "POST /%zz HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ];
    for head in heads {
        let mut client = site.connect();
        client.send(head);
        assert!(
            client.answer().is_some_and(|answer| answer.status >= 400),
            "{head}"
        );
        await_true("the end", || client.stream.write_all(b"more").is_err());
    }
}
