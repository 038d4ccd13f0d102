//! HTTP/2, frame by frame: its limits, and what breaks its rules.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::Site;
use crate::proxy::{DEADLINE, await_true};
use crate::strict::Strict;

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

const ACK: u8 = 1;
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

const REFUSED_STREAM: u32 = 7;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const GET: &[(&str, &str)] = &[
    (":method", "GET"),
    (":scheme", "http"),
    (":path", "/"),
    (":authority", "x"),
];

/// A connection with its settings exchanged.
pub(crate) struct Http2 {
    stream: TcpStream,
}

#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl Http2 {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        stream.set_nodelay(true).unwrap();
        let mut connection = Self { stream };
        connection.send(PREFACE);
        connection.send(frame(SETTINGS, 0, 0, &[]));
        connection
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        // Whether anybody listens is seen by what comes back.
        drop(self.stream.write_all(bytes.as_ref()));
    }

    pub(crate) fn request(&mut self, stream: u32, fields: &[(&str, &str)], body: Option<&str>) {
        let end = if body.is_none() { END_STREAM } else { 0 };
        self.send(frame(HEADERS, END_HEADERS | end, stream, &block(fields)));
        if let Some(body) = body {
            self.send(frame(DATA, END_STREAM, stream, body.as_bytes()));
        }
    }

    /// The next frame; `None` at the end of the connection. Settings and pings are acknowledged.
    pub(crate) fn frame(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.read(&mut head)?;
        let [a, b, c, kind, flags, stream @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        self.read(&mut payload)?;
        if kind == SETTINGS && flags & ACK == 0 {
            self.send(frame(SETTINGS, ACK, 0, &[]));
        }
        if kind == PING && flags & ACK == 0 {
            self.send(frame(PING, ACK, 0, &payload));
        }
        Some(Frame {
            kind,
            stream: u32::from_be_bytes(stream) & 0x7fff_ffff,
            payload,
        })
    }

    fn read(&mut self, buffer: &mut [u8]) -> Option<()> {
        match self.stream.read_exact(buffer) {
            Ok(()) => Some(()),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => panic!("nothing came"),
            Err(_) => None,
        }
    }

    /// What becomes of a stream: a status, or how it was ended.
    pub(crate) fn outcome(&mut self, stream: u32) -> Outcome {
        while let Some(frame) = self.frame() {
            match frame.kind {
                HEADERS if frame.stream == stream => {
                    let status = status(&frame.payload);
                    if status >= 200 {
                        return Outcome::Status(status);
                    }
                }
                RST_STREAM if frame.stream == stream => {
                    return Outcome::Reset(code(&frame.payload));
                }
                GOAWAY => {
                    let last = u32::from_be_bytes(frame.payload[..4].try_into().unwrap());
                    if last < stream || code(&frame.payload[4..]) != 0 {
                        return Outcome::Ended;
                    }
                }
                _ => {}
            }
        }
        Outcome::Ended
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Status(u16),
    /// The stream alone, with this code.
    Reset(u32),
    /// The whole connection.
    Ended,
}

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, a, b, c] = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&[a, b, c, kind, flags], &stream.to_be_bytes()[..], payload].concat()
}

/// Fields as a block of literals, which may be anything. Each character is a byte.
pub(crate) fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            let bytes: Vec<u8> = text
                .chars()
                .map(|char| u8::try_from(u32::from(char)).unwrap())
                .collect();
            integer(bytes.len(), &mut block);
            block.extend(bytes);
        }
    }
    block
}

/// RFC 7541 §5.1, with a prefix of seven bits.
fn integer(value: usize, out: &mut Vec<u8>) {
    let Some(mut rest) = value.checked_sub(127) else {
        return out.push(u8::try_from(value).unwrap());
    };
    out.push(127);
    while rest >= 128 {
        out.push(u8::try_from(rest % 128).unwrap() | 128);
        rest /= 128;
    }
    out.push(u8::try_from(rest).unwrap());
}

/// The status at the head of the first block of a connection.
fn status(block: &[u8]) -> u16 {
    // A change of the table's size may come first.
    let skip = block.iter().position(|byte| byte & 0xe0 != 0x20).unwrap();
    match block[skip..] {
        [first @ 0x88..=0x8e, ..] => [200, 204, 206, 304, 400, 404, 500][usize::from(first - 0x88)],
        [0x08..=0x0e | 0x18..=0x1e | 0x48..=0x4e, 3, a, b, c, ..] => digits([a, b, c]),
        [
            0x08..=0x0e | 0x18..=0x1e | 0x48..=0x4e,
            length,
            ref rest @ ..,
        ] => huffman(&rest[..usize::from(length & 0x7f)]),
        ref other => panic!("no status: {other:?}"),
    }
}

fn digits(text: [u8; 3]) -> u16 {
    text.iter()
        .fold(0, |number, digit| number * 10 + u16::from(digit - b'0'))
}

/// RFC 7541 appendix B, as far as digits go: `0` to `2` have five bits, the others six.
fn huffman(bytes: &[u8]) -> u16 {
    let bits: Vec<u8> = bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1))
        .collect();
    let value = |bits: &[u8]| bits.iter().fold(0, |value, bit| value * 2 + bit);
    let (mut at, mut number) = (0, 0);
    for _ in 0..3 {
        let short = value(&bits[at..at + 5]);
        let (digit, length) = if short < 3 {
            (short, 5)
        } else {
            (value(&bits[at..at + 6]) - 0x19 + 3, 6)
        };
        number = number * 10 + u16::from(digit);
        at += length;
    }
    number
}

fn code(payload: &[u8]) -> u32 {
    u32::from_be_bytes(payload[..4].try_into().unwrap())
}

#[test]
fn settings_are_those_of_traefik() {
    let server = Strict::start();
    let mut sites = vec![Site::before(server.address, &[])];
    sites.extend(Site::of_traefik_before(server.address, &[]));
    for site in &sites {
        let mut connection = Http2::connect(site.proxy.address("web"));
        let settings = connection.frame().unwrap();
        assert_eq!(settings.kind, SETTINGS);
        let mut known: Vec<(u16, u32)> = settings
            .payload
            .chunks(6)
            .map(|entry| (u16::from_be_bytes([entry[0], entry[1]]), code(&entry[2..])))
            // Traefik says that it has no CONNECT protocol, and the size of table that is everybody's.
            .filter(|entry| ![(8, 0), (1, 4096)].contains(entry))
            .collect();
        known.sort_unstable();
        assert_eq!(
            known,
            [(3, 250), (4, 1 << 20), (5, 1 << 20), (6, (1 << 20) + 320)]
        );
    }
}

#[test]
fn more_streams_than_allowed_are_refused_one_by_one() {
    let server = Strict::start();
    let site = Site::before(
        server.address,
        &["--entrypoints.web.http2.maxconcurrentstreams=7"],
    );
    let mut connection = Http2::connect(site.proxy.address("web"));
    // Their bodies do not come yet.
    for n in 0..8 {
        connection.send(frame(HEADERS, END_HEADERS, 2 * n + 1, &block(GET)));
    }
    assert_eq!(connection.outcome(15), Outcome::Reset(REFUSED_STREAM));
    for n in 0..7 {
        connection.send(frame(DATA, END_STREAM, 2 * n + 1, b"x"));
    }
    let mut statuses = 0;
    while statuses < 7 {
        let frame = connection.frame().unwrap();
        assert!(!matches!(frame.kind, RST_STREAM | GOAWAY), "{frame:?}");
        statuses += usize::from(frame.kind == HEADERS);
    }
    // There is room again.
    connection.request(17, GET, None);
    assert!(matches!(connection.outcome(17), Outcome::Status(_)));
}

#[test]
fn a_field_list_too_large_is_refused_and_the_connection_kept() {
    let server = Strict::start();
    const LIMIT: &str = "--entrypoints.web.http.maxheaderbytes=8192";
    let mut sites = vec![Site::before(server.address, &[LIMIT])];
    sites.extend(Site::of_traefik_before(server.address, &[LIMIT]));
    for site in &sites {
        // RFC 9113 §10.5.1: each field counts for 32 bytes more than it has.
        let outcome = |size: usize| {
            let used: usize = GET
                .iter()
                .map(|(name, value)| name.len() + value.len() + 32)
                .sum();
            let value = "y".repeat(size - used - 33);
            let mut connection = Http2::connect(site.proxy.address("web"));
            connection.request(1, &[GET, &[("x", &value)]].concat(), None);
            let first = connection.outcome(1);
            connection.request(3, GET, None);
            (first, matches!(connection.outcome(3), Outcome::Status(_)))
        };
        // The byte between is Traefik's and not ours.
        assert_eq!(outcome(8192 + 319), (Outcome::Status(200), true));
        assert_eq!(outcome(8192 + 321), (Outcome::Status(431), true));
    }
}

/// What a client may send without end, and without reading anything.
struct Flood {
    name: &'static str,
    prelude: Vec<u8>,
    /// Made from the number of the round.
    piece: fn(u32) -> Vec<u8>,
}

fn floods() -> Vec<Flood> {
    let flood = |name, prelude, piece| Flood {
        name,
        prelude,
        piece,
    };
    let open = frame(HEADERS, END_HEADERS, 1, &block(GET));
    vec![
        // CVE-2023-44487.
        flood("rapid reset", Vec::new(), |n| {
            let mut bytes = frame(HEADERS, END_HEADERS | END_STREAM, 2 * n + 1, &block(GET));
            bytes.extend(frame(RST_STREAM, 0, 2 * n + 1, &8_u32.to_be_bytes()));
            bytes
        }),
        // Each is an error for which the proxy itself resets the stream (CVE-2025-8671).
        flood("made you reset", Vec::new(), |n| {
            let mut bytes = frame(HEADERS, END_HEADERS, 2 * n + 1, &block(GET));
            bytes.extend(frame(WINDOW_UPDATE, 0, 2 * n + 1, &0_u32.to_be_bytes()));
            bytes
        }),
        // CVE-2024-27316 and its kin.
        flood("continuation", frame(HEADERS, 0, 1, &block(GET)), |_| {
            frame(
                CONTINUATION,
                0,
                1,
                &block(&[("x", "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy")]),
            )
        }),
        flood(
            "empty continuation",
            frame(HEADERS, 0, 1, &block(GET)),
            |_| frame(CONTINUATION, 0, 1, &[]),
        ),
        flood("ping", Vec::new(), |_| frame(PING, 0, 0, &[0; 8])),
        flood("settings", Vec::new(), |_| frame(SETTINGS, 0, 0, &[])),
        flood("changing settings", Vec::new(), |n| {
            let [a, b, c, d] = (n % 65536).to_be_bytes();
            frame(SETTINGS, 0, 0, &[0, 1, a, b, c, d])
        }),
        flood("priority", Vec::new(), |n| {
            frame(PRIORITY, 0, 2 * n + 1, &[0, 0, 0, 0, 1])
        }),
        flood("window", open.clone(), |_| {
            frame(WINDOW_UPDATE, 0, 1, &1_u32.to_be_bytes())
        }),
        flood("empty data", open, |_| frame(DATA, 0, 1, &[])),
        // A field of 4,000 bytes goes into the table, and each byte that follows stands for it.
        flood("bomb", Vec::new(), |n| {
            let mut fields = block(GET);
            fields.extend([0x40, 1, b'x']);
            integer(4000, &mut fields);
            fields.extend([b'y'; 4000]);
            fields.extend([0xbe; 12_000]);
            frame(HEADERS, END_HEADERS | END_STREAM, 2 * n + 1, &fields)
        }),
        flood("unknown frames", Vec::new(), |_| {
            frame(0xee, 0, 0, &[0; 64])
        }),
    ]
}

#[test]
fn a_flood_of_frames_costs_no_memory_and_disturbs_nobody() {
    const ROUNDS: u32 = 200_000;
    const ENOUGH: usize = 8 << 20;
    let server = Strict::start();
    let site = Site::before(server.address, &[]);
    assert_eq!(site.status("x"), 200);
    for flood in floods() {
        let name = flood.name;
        let (memory, busy) = (site.proxy.resident_bytes(), site.proxy.busy());
        let mut connection = Http2::connect(site.proxy.address("web"));
        // Held back counts as well as cut off.
        connection
            .stream
            .set_write_timeout(Some(Duration::from_millis(250)))
            .unwrap();
        let mut sent = flood.prelude.len();
        let mut fate = "taken";
        let mut bytes = flood.prelude;
        for n in 0..ROUNDS {
            bytes.extend((flood.piece)(n));
            if bytes.len() < 1 << 14 {
                continue;
            }
            sent += bytes.len();
            if let Err(error) = connection.stream.write_all(&bytes) {
                let is_held_back = error.kind() == std::io::ErrorKind::WouldBlock;
                fate = if is_held_back { "held back" } else { "cut off" };
                break;
            }
            bytes.clear();
            if sent > ENOUGH {
                break;
            }
        }
        assert_eq!(site.status("x"), 200, "during {name}");
        let grown = site.proxy.resident_bytes().saturating_sub(memory);
        drop(connection);
        let busy = site.proxy.busy().saturating_sub(busy);
        let asked = server.take(0).len();
        println!(
            "{name}: {fate} after {sent} bytes, {grown} bytes more resident, busy for {busy:?}, {asked} requests to the server"
        );
        assert!(grown < 16 << 20, "{name}: {grown}");
        assert!(asked < 2_000, "{name}: {asked}");
    }
    let mut quiet = site.proxy.busy();
    await_true("rest", || {
        std::thread::sleep(Duration::from_millis(100));
        let now = site.proxy.busy();
        now.saturating_sub(std::mem::replace(&mut quiet, now)) < Duration::from_millis(30)
    });
    assert_eq!(site.status("x"), 200);
}
