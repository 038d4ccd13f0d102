//! Reads bytes as a connection would, without one.

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

use crate::http1::{Decoded, HeadReader};

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

#[derive(Debug, Default, PartialEq, Eq)]
struct Transcript {
    heads: Vec<(StatusCode, HeaderMap)>,
    body: Vec<u8>,
    trailers: Option<HeaderMap>,
    ended: bool,
    failed: bool,
}

fn read<'a>(method: &Method, pieces: impl IntoIterator<Item = &'a [u8]>) -> Transcript {
    let mut transcript = Transcript::default();
    let mut heads = HeadReader::default();
    let mut decoder = None;
    let mut pending = Bytes::new();
    for piece in pieces {
        crate::http1::append(&mut pending, Bytes::copy_from_slice(piece));
        while decoder.is_none() {
            match heads.read(&mut pending) {
                Ok(Some(head)) => {
                    transcript
                        .heads
                        .push((head.parts.status, head.parts.headers.clone()));
                    let interim = head.parts.status.is_informational();
                    decoder = (!interim).then(|| head.framing(method).0);
                }
                Ok(None) => break,
                Err(_) => {
                    return Transcript {
                        failed: true,
                        ..transcript
                    };
                }
            }
        }
        while let Some(decoder) = &mut decoder {
            match decoder.decode(&mut pending) {
                Ok(Decoded::Data(data)) => transcript.body.extend_from_slice(&data),
                Ok(Decoded::Trailers(trailers)) => transcript.trailers = Some(trailers),
                Ok(Decoded::More) => break,
                Ok(Decoded::End) => {
                    return Transcript {
                        ended: true,
                        ..transcript
                    };
                }
                Err(_) => {
                    return Transcript {
                        failed: true,
                        ..transcript
                    };
                }
            }
        }
    }
    transcript
}
