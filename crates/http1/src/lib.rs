//! What do the bytes of an HTTP/1 connection say, and how is it said?
//!
//! Heads and bodies go in and out as bytes; whose socket they come from is the caller's matter. What is read is strict
//! about where a message ends, because a proxy must never see another end than the server behind it; what is passed on
//! is always written anew.
//!
//! ```
//! use bytes::Bytes;
//! use traefikrs_http1::{Decoded, RequestReader};
//!
//! let mut read = Bytes::from("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi");
//! let mut request = RequestReader::default()
//!     .read(&mut read, 1 << 20, |_, target| Some(target))?
//!     .expect("the head is all there");
//! assert_eq!((request.method.as_str(), &request.target[..]), ("POST", &b"/a"[..]));
//! assert_eq!(request.body.decode(&mut read), Ok(Decoded::Data(Bytes::from("hi"))));
//! # Ok::<(), traefikrs_http1::Refused>(())
//! ```
//!
//! # What it mirrors
//!
//! Requests are read as Go's `net/http` server reads them, which is what clients of Traefik see, and responses as a
//! proxy must (RFC 9112); chunks as Go's `net/http/internal`.

mod buffers;
mod decoder;
mod encoder;
mod error;
mod field;
mod fuzz;
mod request;
mod response;
mod trailers;

use bytes::{Bytes, BytesMut};

#[doc(hidden)]
pub use crate::fuzz::{fuzz_request, fuzz_response};
pub use crate::{
    buffers::{Buffers, LARGE_READ, SMALL_READ},
    decoder::{Decoded, Decoder},
    encoder::{Encoder, FillError, Framing},
    error::{LengthMismatch, MalformedBody, MalformedHead, Refused},
    field::{write_field, write_raw_field},
    request::{RequestHead, RequestReader},
    response::{ResponseHead, ResponseReader},
    trailers::may_trail,
};

/// Joins heads that come in pieces: rare, and linear in their size.
pub fn append(pending: &mut Bytes, bytes: Bytes) {
    if pending.is_empty() {
        *pending = bytes;
        return;
    }
    let mut joined = std::mem::take(pending)
        .try_into_mut()
        .unwrap_or_else(|shared| BytesMut::from(&shared[..]));
    joined.extend_from_slice(&bytes);
    *pending = joined.freeze();
}
