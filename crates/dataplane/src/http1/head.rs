//! Heads of answers.

use std::io::Write;

use http::StatusCode;
use http::header::{CONNECTION, CONTENT_LENGTH, DATE, TRANSFER_ENCODING};
use http::response::Parts;
use http_body::SizeHint;
use traefikrs_http1::{Framing, write_field};

use crate::answer;
use crate::intake::has_token;

/// What a request says about the form of its answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    /// It is a `HEAD`, whose answer has no body.
    pub(crate) is_head: bool,
    /// It is of HTTP/1.0, which knows no chunks.
    pub(crate) is_old: bool,
    /// The client may have more to ask.
    pub(crate) keep_alive: bool,
}

/// Writes the head of an answer; gives the framing of its body, and whether another request may follow.
pub(crate) fn write(
    out: &mut Vec<u8>,
    head: &Parts,
    manner: Manner,
    size: &SizeHint,
    is_last: bool,
    date: &[u8],
) -> (Framing, bool) {
    let framing = framing(head.status, manner, size);
    let persists = manner.keep_alive && !is_last && framing != Framing::UntilClose;
    write_status_line(out, head.status, manner);
    let is_switch = head.status == StatusCode::SWITCHING_PROTOCOLS;
    let is_head_of_server = manner.is_head && size.exact() == Some(0);
    let mut length = match framing {
        Framing::Length(length) => Some(length),
        _ => size.exact().filter(|&length| manner.is_head && length > 0),
    };
    let mut has_date = is_switch;
    let mut has_connection = is_switch;
    for (name, value) in &head.headers {
        match *name {
            // The server's word about a body that it would have sent. What is sent has a framing of its own.
            CONTENT_LENGTH if !is_head_of_server => {
                if let Some(length) = length.take() {
                    write_length(out, length);
                }
                continue;
            }
            TRANSFER_ENCODING => continue,
            // Traefik: what does not say what happens is not said.
            CONNECTION if !persists && !is_switch && !has_token(value.as_bytes(), b"close") => {
                continue;
            }
            CONNECTION => has_connection = true,
            DATE => has_date = true,
            _ => {}
        }
        write_field(out, name, value);
    }
    if let Some(length) = length {
        write_length(out, length);
    }
    if framing == Framing::Chunked {
        out.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
    }
    match (persists, manner.is_old) {
        _ if has_connection => {}
        (true, true) => out.extend_from_slice(b"Connection: keep-alive\r\n"),
        (false, false) => out.extend_from_slice(b"Connection: close\r\n"),
        (true, false) | (false, true) => {}
    }
    if !has_date {
        out.extend_from_slice(b"Date: ");
        out.extend_from_slice(date);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
    (framing, persists)
}

/// Writes an answer that comes before the answer.
pub(crate) fn write_interim(out: &mut Vec<u8>, head: &Parts) {
    write_status_line(
        out,
        head.status,
        Manner {
            is_head: false,
            is_old: false,
            keep_alive: true,
        },
    );
    for (name, value) in &head.headers {
        write_field(out, name, value);
    }
    out.extend_from_slice(b"\r\n");
}

fn framing(status: StatusCode, manner: Manner, size: &SizeHint) -> Framing {
    let has_none = status.is_informational()
        || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    match size.exact() {
        _ if has_none || manner.is_head => Framing::None,
        Some(length) => Framing::Length(length),
        None if manner.is_old => Framing::UntilClose,
        None => Framing::Chunked,
    }
}

fn write_status_line(out: &mut Vec<u8>, status: StatusCode, manner: Manner) {
    out.extend_from_slice(if manner.is_old {
        b"HTTP/1.0 "
    } else {
        b"HTTP/1.1 "
    });
    out.extend_from_slice(status.as_str().as_bytes());
    out.push(b' ');
    match answer::name(status) {
        Some(name) => out.extend_from_slice(name.as_bytes()),
        // Traefik: so Go names those that have no name.
        None => {
            out.extend_from_slice(b"status code ");
            out.extend_from_slice(status.as_str().as_bytes());
        }
    }
    out.extend_from_slice(b"\r\n");
}

fn write_length(out: &mut Vec<u8>, length: u64) {
    write!(out, "Content-Length: {length}\r\n").expect("writing to memory succeeds");
}
