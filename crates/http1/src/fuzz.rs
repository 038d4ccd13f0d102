//! Reads bytes as a connection would, without one.

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

use crate::{Decoded, Decoder, RequestReader, ResponseReader, append};

/// Reads a response whole and in pieces, for a fuzzer: neither may panic, and where the network cut the bytes must make
/// no difference. The first byte chooses the method and the size of the pieces.
///
/// # Panics
///
/// When it has found something.
pub fn fuzz_response(data: &[u8]) {
    let Some((&knobs, wire)) = data.split_first() else {
        return;
    };
    let method = if knobs & 1 == 0 {
        Method::GET
    } else {
        Method::HEAD
    };
    let whole = read(&method, [wire]);
    let pieces = read(&method, wire.chunks(usize::from(knobs >> 1) + 1));
    if whole.failed {
        // In pieces, the broken head may still wait for its end.
        assert!(
            whole.body.starts_with(&pieces.body) || pieces.body.starts_with(&whole.body),
            "bodies differ"
        );
    } else {
        assert_eq!(whole, pieces, "the cut makes a difference");
    }
}

/// Reads a request whole and in pieces, likewise; what follows it must be left alone. The first byte chooses the size
/// of the pieces.
///
/// # Panics
///
/// When it has found something.
pub fn fuzz_request(data: &[u8]) {
    let Some((&knobs, wire)) = data.split_first() else {
        return;
    };
    let whole = read_request([wire]);
    let pieces = read_request(wire.chunks(usize::from(knobs) + 1));
    if whole.failed {
        assert!(
            whole.body.starts_with(&pieces.body) || pieces.body.starts_with(&whole.body),
            "bodies differ"
        );
    } else {
        assert_eq!(whole, pieces, "the cut makes a difference");
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Transcript {
    heads: Vec<(String, HeaderMap)>,
    body: Vec<u8>,
    trailers: Option<HeaderMap>,
    ended: bool,
    failed: bool,
}

fn read<'a>(method: &Method, pieces: impl IntoIterator<Item = &'a [u8]>) -> Transcript {
    let mut heads = ResponseReader::default();
    transcribe(pieces, |pending, transcript| {
        let Some(head) = heads.read(pending).map_err(|_| ())? else {
            return Ok(Found::Part);
        };
        let status = head.parts.status;
        transcript
            .heads
            .push((status.to_string(), head.parts.headers.clone()));
        Ok(
            if status.is_informational() && status != StatusCode::SWITCHING_PROTOCOLS {
                Found::Interim
            } else {
                Found::Head(head.framing(method).0)
            },
        )
    })
}

fn read_request<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Transcript {
    let mut reader = RequestReader::default();
    transcribe(pieces, |pending, transcript| {
        let Some(head) = reader
            .read(pending, 1 << 16, |_, raw| Some(raw))
            .map_err(|_| ())?
        else {
            return Ok(Found::Part);
        };
        let line = format!("{} {:?} {:?}", head.method, head.target, head.version);
        transcript.heads.push((line, head.headers));
        Ok(Found::Head(head.body))
    })
}

enum Found {
    /// Not all of a head.
    Part,
    /// A head that another follows.
    Interim,
    /// The head of a message with this body.
    Head(Decoder),
}

fn transcribe<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
    mut find_head: impl FnMut(&mut Bytes, &mut Transcript) -> Result<Found, ()>,
) -> Transcript {
    let mut transcript = Transcript::default();
    let mut body = None;
    let mut pending = Bytes::new();
    for piece in pieces {
        append(&mut pending, Bytes::copy_from_slice(piece));
        while body.is_none() {
            match find_head(&mut pending, &mut transcript) {
                Ok(Found::Head(decoder)) => body = Some(decoder),
                Ok(Found::Interim) => {}
                Ok(Found::Part) => break,
                Err(()) => transcript.failed = true,
            }
            if transcript.failed {
                return transcript;
            }
        }
        let Some(body) = &mut body else { continue };
        loop {
            match body.decode(&mut pending) {
                Ok(Decoded::Data(data)) => transcript.body.extend_from_slice(&data),
                Ok(Decoded::Trailers(trailers)) => transcript.trailers = Some(trailers),
                Ok(Decoded::More) => break,
                Ok(Decoded::End) => transcript.ended = true,
                Err(_) => transcript.failed = true,
            }
            if transcript.ended || transcript.failed {
                return transcript;
            }
        }
    }
    transcript
}
