//! What makes a request odd, one part at a time.

use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;

use super::request::Request;
use super::{Language, TOKEN_FIELD, fill};
use crate::oracle::answers;
use crate::oracle::latin1::Latin1;

pub(super) fn target(rng: &mut StdRng, request: &mut Request, language: &Language<'_>) {
    let oddities = language.oddities;
    let path = request.path_length();
    match rng.random_range(0..20) {
        0..7 => {
            let at = rng.random_range(0..=path);
            request.insert(at, choose(rng, &oddities.in_paths));
        }
        7 | 8 => request.insert(0, choose(rng, &oddities.before_paths)),
        9..12 => request.insert(path, choose(rng, &oddities.after_paths)),
        12 | 13 => escape_one(rng, request),
        14..17 => authority(rng, request, language),
        17 | 18 => request.target = choose(rng, &oddities.targets).to_vec(),
        _ if rng.random_bool(0.2) => {
            let long = "x".repeat(rng.random_range(5_000..20_000));
            request.insert(path, long.as_bytes());
        }
        _ => request.target[..path].make_ascii_uppercase(),
    }
}

/// Writes one character of the path as an escape.
fn escape_one(rng: &mut StdRng, request: &mut Request) {
    let path = request.path_length();
    if path == 0 {
        return;
    }
    let at = rng.random_range(0..path);
    let byte = request.target.remove(at);
    let escape = if rng.random_bool(0.5) {
        format!("%{byte:02X}")
    } else {
        format!("%{byte:02x}")
    };
    request.insert(at, escape.as_bytes());
}

/// Makes the target an absolute one, mostly.
fn authority(rng: &mut StdRng, request: &mut Request, language: &Language<'_>) {
    let authority = fill(
        choose(rng, &language.oddities.authorities),
        b"{host}",
        &request.value("host"),
    );
    if rng.random_ratio(1, 6) {
        request.target.drain(..request.path_length());
    }
    request.insert(0, &authority);
}

pub(super) fn query(rng: &mut StdRng, request: &mut Request, language: &Language<'_>) {
    let start = request.path_length();
    if start == request.target.len() {
        request.target.push(b'?');
    }
    for _ in 0..rng.random_range(1..3) {
        let at = rng.random_range(start + 1..=request.target.len());
        request.insert(at, choose(rng, &language.oddities.in_queries));
    }
}

pub(super) fn host(rng: &mut StdRng, request: &mut Request, language: &Language<'_>) {
    let host = request.value("host");
    match rng.random_range(0..12) {
        0 => request.remove("host"),
        1 => request.lines.push([b"Host: ".as_slice(), &host].concat()),
        2 => request.add("Host", super::word(rng, &language.vocabulary.hosts)),
        3 => request.set("Host", &host.to_ascii_uppercase()),
        4 => request.lines.rotate_left(1),
        _ => {
            let odd = fill(choose(rng, &language.oddities.hosts), b"{host}", &host);
            request.set("Host", &odd);
        }
    }
}

pub(super) fn forwarded(rng: &mut StdRng, request: &mut Request, language: &Language<'_>) {
    for _ in 0..rng.random_range(1..4) {
        add_line(rng, request, &language.oddities.forwarded);
    }
}

pub(super) fn header(rng: &mut StdRng, request: &mut Request, language: &Language<'_>) {
    if rng.random_ratio(1, 60) {
        let long = "v".repeat(rng.random_range(10_000..60_000));
        request.add("X-Long", &long);
        return;
    }
    for _ in 0..rng.random_range(1..3) {
        add_line(rng, request, &language.oddities.fields);
    }
}

pub(super) fn line(rng: &mut StdRng, request: &mut Request, language: &Language<'_>) {
    match rng.random_range(0..8) {
        0 => request.newline = b"\n",
        1 => {
            request.lead = [b"\r\n".as_slice(), b"\r\n\r\n", b"\n", b" "]
                .choose(rng)
                .copied()
                .unwrap_or_default();
        }
        _ => add_line(rng, request, &language.oddities.lines),
    }
}

pub(super) fn method(rng: &mut StdRng, request: &mut Request, language: &Language<'_>) {
    request.method = choose(rng, &language.oddities.methods).to_vec();
}

pub(super) fn version(rng: &mut StdRng, request: &mut Request, language: &Language<'_>) {
    request.version = choose(rng, &language.oddities.versions).to_vec();
    match rng.random_range(0..4) {
        0 => request.remove("host"),
        1 => request.add("Connection", "keep-alive"),
        _ => {}
    }
}

pub(super) fn body(rng: &mut StdRng, request: &mut Request, language: &Language<'_>) {
    request.remove("content-length");
    request.remove("transfer-encoding");
    if rng.random_bool(0.6) {
        request.method = [b"POST".as_slice(), b"PUT", b"PATCH", b"DELETE"]
            .choose(rng)
            .copied()
            .unwrap_or_default()
            .to_vec();
    }
    if rng.random_ratio(1, 12) {
        return large_body(rng, request);
    }
    if let Some((fields, body)) = language.oddities.framings.choose(rng) {
        request.lines.push(fields.to_vec());
        request.body = fill(body, b"{token}", &request.value(TOKEN_FIELD));
    }
}

fn large_body(rng: &mut StdRng, request: &mut Request) {
    let size = rng.random_range(30_000..400_000);
    request.body = vec![b'b'; size];
    if rng.random_bool(0.5) {
        request.add("Content-Length", &size.to_string());
    } else {
        request.add("Transfer-Encoding", "chunked");
        request
            .body
            .splice(0..0, format!("{size:x}\r\n").into_bytes());
        request.body.extend_from_slice(b"\r\n0\r\n\r\n");
    }
}

pub(super) fn answer(rng: &mut StdRng, request: &mut Request, language: &Language<'_>) {
    request.add(
        answers::FIELD,
        language.plans.choose(rng).copied().unwrap_or_default(),
    );
}

fn add_line(rng: &mut StdRng, request: &mut Request, lines: &[Latin1]) {
    let at = rng.random_range(0..=request.lines.len());
    request.lines.insert(at, choose(rng, lines).to_vec());
}

fn choose<'a>(rng: &mut StdRng, pieces: &'a [Latin1]) -> &'a [u8] {
    pieces.choose(rng).map_or(&[], |piece| piece)
}
