//! How large a head may be.

use crate::Site;
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
