//! Writes the head of a request the way Go's client writes it, so that servers see what they see behind Traefik.

use std::io::Write;

use http::{
    HeaderName, HeaderValue, Method,
    header::{CONNECTION, CONTENT_LENGTH, HOST, TRAILER, TRANSFER_ENCODING, UPGRADE, USER_AGENT},
};
use http_body::Body;
use traefikrs_http1::{Framing, write_field, write_raw_field};

use crate::{pool::Server, request::Outgoing};

/// How the end of the request's body will be told.
pub(crate) fn framing_of<B: Body>(request: &Outgoing<B>) -> Framing {
    let Some(body) = request.body.as_ref().filter(|body| !body.is_end_stream()) else {
        return Framing::None;
    };
    match body.size_hint().exact() {
        // Trailers can only follow chunks.
        _ if request.headers.contains_key(TRAILER) => Framing::Chunked,
        Some(0) => Framing::None,
        Some(length) => Framing::Length(length),
        None => Framing::Chunked,
    }
}

pub(crate) fn write_head<B>(
    out: &mut Vec<u8>,
    server: &Server,
    request: &Outgoing<B>,
    framing: Framing,
) {
    out.extend_from_slice(request.method.as_str().as_bytes());
    out.push(b' ');
    request.target.write_to(out);
    out.extend_from_slice(b" HTTP/1.1\r\nHost: ");
    match &request.host {
        Some(host) => out.extend_from_slice(host.as_bytes()),
        None => write!(out, "{}", server.as_peer()).expect("writing to memory succeeds"),
    }
    out.extend_from_slice(b"\r\n");
    // An empty one says nothing, and Go's client leaves it out.
    let user_agent = request.headers.get(USER_AGENT);
    if let Some(user_agent) = user_agent.filter(|value| !value.is_empty()) {
        write_field(out, &USER_AGENT, user_agent);
    }
    write_framing(out, request, framing);
    let websocket = request.upgrade.as_ref().is_some_and(is_websocket);
    for (name, value) in &request.headers {
        if is_written_elsewhere(name) {
            continue;
        }
        match websocket.then(|| websocket_name(name)).flatten() {
            Some(name) => write_raw_field(out, name, value),
            None => write_field(out, name, value),
        }
    }
    if let Some(protocol) = &request.upgrade {
        out.extend_from_slice(b"Connection: Upgrade\r\n");
        write_field(out, &UPGRADE, protocol);
    }
    out.extend_from_slice(b"\r\n");
}

fn write_framing<B>(out: &mut Vec<u8>, request: &Outgoing<B>, framing: Framing) {
    match framing {
        Framing::None if matches!(request.method, Method::POST | Method::PUT | Method::PATCH) => {
            out.extend_from_slice(b"Content-Length: 0\r\n");
        }
        Framing::None | Framing::UntilClose => {}
        Framing::Length(length) => {
            write!(out, "Content-Length: {length}\r\n").expect("writing to memory succeeds");
        }
        Framing::Chunked => {
            out.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
            for value in request.headers.get_all(TRAILER) {
                write_field(out, &TRAILER, value);
            }
        }
    }
}

fn is_written_elsewhere(name: &HeaderName) -> bool {
    static ELSEWHERE: [HeaderName; 7] = [
        HOST,
        USER_AGENT,
        CONTENT_LENGTH,
        TRANSFER_ENCODING,
        TRAILER,
        CONNECTION,
        UPGRADE,
    ];
    ELSEWHERE.contains(name)
}

fn is_websocket(protocol: &HeaderValue) -> bool {
    protocol.as_bytes().eq_ignore_ascii_case(b"websocket")
}

/// Traefik: servers that compare these names letter by letter exist (`pkg/proxy/httputil/proxy.go`, 3.7).
fn websocket_name(name: &HeaderName) -> Option<&'static str> {
    Some(match name.as_str() {
        "sec-websocket-key" => "Sec-WebSocket-Key",
        "sec-websocket-extensions" => "Sec-WebSocket-Extensions",
        "sec-websocket-accept" => "Sec-WebSocket-Accept",
        "sec-websocket-protocol" => "Sec-WebSocket-Protocol",
        "sec-websocket-version" => "Sec-WebSocket-Version",
        _ => return None,
    })
}
