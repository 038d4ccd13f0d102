//! Puts a body into its framing.

use std::{
    io::{self, IoSlice, Write},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use http::HeaderMap;
use http_body::{Body, Frame};

use crate::{LengthMismatch, field::write_field, trailers::may_trail};

/// Pieces up to this size are copied behind each other: that is cheaper than to have the kernel collect them, and lets
/// go of the buffer that they were read to.
const COPIED: usize = 4 * 1024;
/// Copies that are worth a write of their own.
const FULL: usize = 16 * 1024;

/// How is the end of a body told?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// There is no body.
    None,
    /// So many bytes are left of it.
    Length(u64),
    /// It is in chunks.
    Chunked,
    /// It lasts as long as the connection.
    UntilClose,
}

/// What is left to write of a message?
///
/// ```
/// use bytes::Bytes;
/// use traefikrs_http1::{Encoder, Framing};
///
/// let mut message = Encoder::new(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec(), Framing::Chunked);
/// message.push(Bytes::from("abc"), true)?;
/// assert!(message.is_complete());
/// let mut written = Vec::new();
/// let _ = message.poll_write(|slices| {
///     slices.iter().for_each(|slice| written.extend_from_slice(slice));
///     std::task::Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()))
/// });
/// assert!(written.ends_with(b"\r\n\r\n3\r\nabc\r\n0\r\n\r\n"));
/// # Ok::<(), traefikrs_http1::LengthMismatch>(())
/// ```
#[derive(Debug)]
pub struct Encoder {
    /// The head, small pieces, and what stands before a large one.
    flat: Vec<u8>,
    flat_at: usize,
    /// A large piece.
    data: Bytes,
    /// What stands behind it.
    tail: &'static [u8],
    framing: Framing,
    is_complete: bool,
}

/// Why is there no more of a body to write?
#[derive(Debug)]
pub enum FillError<E> {
    /// It failed by itself.
    Body(E),
    /// It has another length than its head says.
    Length(LengthMismatch),
}

impl Encoder {
    /// A message of which `head` is to be written as it is, and a body in this framing.
    #[must_use]
    pub fn new(head: Vec<u8>, framing: Framing) -> Self {
        Self {
            flat: head,
            flat_at: 0,
            data: Bytes::new(),
            tail: b"",
            framing,
            is_complete: framing == Framing::None,
        }
    }

    /// Whether nothing will be added any more.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Whether everything so far is written.
    #[must_use]
    pub fn is_written(&self) -> bool {
        self.flat_at == self.flat.len() && self.data.is_empty() && self.tail.is_empty()
    }

    /// Starts again: possible while nothing is written, or for a head alone.
    pub fn rewind(&mut self) {
        self.flat_at = 0;
    }

    /// The buffer that was given as head.
    #[must_use]
    pub fn into_buffer(self) -> Vec<u8> {
        self.flat
    }

    /// Adds a piece of the body, after which nothing comes if it is the last.
    ///
    /// # Errors
    /// When the body is longer than its head says.
    pub fn push(&mut self, data: Bytes, is_last: bool) -> Result<(), LengthMismatch> {
        debug_assert!(self.has_room(), "a large piece is written before the next");
        let mut tail: &'static [u8] = b"";
        match &mut self.framing {
            Framing::None => return Ok(()),
            Framing::UntilClose => self.is_complete = is_last,
            Framing::Length(left) => {
                *left = left
                    .checked_sub(data.len() as u64)
                    .ok_or(LengthMismatch::TooLong)?;
                self.is_complete = *left == 0;
            }
            Framing::Chunked => {
                write!(self.flat, "{:X}\r\n", data.len()).expect("writing to memory succeeds");
                tail = if is_last { b"\r\n0\r\n\r\n" } else { b"\r\n" };
                self.is_complete = is_last;
            }
        }
        if data.len() <= COPIED {
            self.flat.extend_from_slice(&data);
            self.flat.extend_from_slice(tail);
        } else {
            self.data = data;
            self.tail = tail;
        }
        Ok(())
    }

    /// Ends the body; trailers are added where there can be any.
    ///
    /// # Errors
    /// When the body is shorter than its head says.
    pub fn finish(&mut self, trailers: Option<&HeaderMap>) -> Result<(), LengthMismatch> {
        if self.is_complete {
            return Ok(());
        }
        self.is_complete = true;
        match self.framing {
            Framing::Length(left) if left > 0 => return Err(LengthMismatch::TooShort),
            Framing::None | Framing::Length(_) | Framing::UntilClose => {}
            Framing::Chunked => {
                self.flat.extend_from_slice(b"0\r\n");
                let fields = trailers
                    .into_iter()
                    .flatten()
                    .filter(|(name, _)| may_trail(name));
                fields.for_each(|(name, value)| write_field(&mut self.flat, name, value));
                self.flat.extend_from_slice(b"\r\n");
            }
        }
        Ok(())
    }

    /// Adds what is there of `body`, as far as it is worth one write. Ready when there is something to write, or when
    /// the message is complete.
    ///
    /// # Errors
    /// When the body fails or has another length than its head says. What has been added before is still good.
    pub fn poll_fill<B>(
        &mut self,
        body: &mut B,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), FillError<B::Error>>>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        if self.flat_at == self.flat.len() {
            self.flat.clear();
            self.flat_at = 0;
        }
        while self.has_room() && !self.is_complete {
            let frame = match Pin::new(&mut *body).poll_frame(cx) {
                Poll::Ready(frame) => frame.transpose().map_err(FillError::Body)?,
                Poll::Pending if self.is_written() => return Poll::Pending,
                Poll::Pending => break,
            };
            let taken = match frame.map(Frame::into_data) {
                Some(Ok(data)) if data.is_empty() => continue,
                Some(Ok(data)) => self.push(data, body.is_end_stream()),
                Some(Err(frame)) => match frame.into_trailers() {
                    Ok(trailers) => self.finish(Some(&trailers)),
                    Err(_unknown) => continue,
                },
                None => self.finish(None),
            };
            taken.map_err(FillError::Length)?;
        }
        Poll::Ready(Ok(()))
    }

    /// Has `write` take what there is to write; ready when nothing is left.
    ///
    /// # Errors
    /// Those of `write`, and [`WriteZero`](io::ErrorKind::WriteZero) if it takes nothing.
    pub fn poll_write(
        &mut self,
        mut write: impl FnMut(&[IoSlice<'_>]) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<()>> {
        while !self.is_written() {
            let slices = [
                IoSlice::new(&self.flat[self.flat_at..]),
                IoSlice::new(&self.data),
                IoSlice::new(self.tail),
            ];
            let slices = if self.data.is_empty() && self.tail.is_empty() {
                &slices[..1]
            } else {
                &slices[..]
            };
            let n_written = ready!(write(slices))?;
            if n_written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.advance(n_written);
        }
        Poll::Ready(Ok(()))
    }

    fn has_room(&self) -> bool {
        self.data.is_empty() && self.tail.is_empty() && self.flat.len() - self.flat_at < FULL
    }

    fn advance(&mut self, mut n_written: usize) {
        let flat = n_written.min(self.flat.len() - self.flat_at);
        self.flat_at += flat;
        n_written -= flat;
        let data = n_written.min(self.data.len());
        self.data.advance(data);
        n_written -= data;
        self.tail = &self.tail[n_written.min(self.tail.len())..];
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, header};
    use proptest::prelude::*;

    use super::*;
    use crate::{Decoded, Decoder};

    /// Writes everything, so many bytes at a time.
    fn written(encoder: &mut Encoder, step: usize, out: &mut Vec<u8>) {
        let done = encoder.poll_write(|slices| {
            let before = out.len();
            for slice in slices {
                let room = step - (out.len() - before);
                out.extend_from_slice(&slice[..slice.len().min(room)]);
            }
            Poll::Ready(Ok(out.len() - before))
        });
        assert!(matches!(done, Poll::Ready(Ok(()))));
        assert!(encoder.is_written());
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(
            pieces in proptest::collection::vec(1_usize..10_000, 0..8),
            step in 1_usize..20_000,
            is_last_known: bool,
            is_chunked: bool,
        ) {
            let body: Vec<u8> = (0..pieces.iter().sum()).map(|at| u8::try_from(at % 251).unwrap()).collect();
            let framing = if is_chunked { Framing::Chunked } else { Framing::Length(body.len() as u64) };
            let mut encoder = Encoder::new(b"head".to_vec(), framing);
            let mut out = Vec::new();
            let mut rest = Bytes::from(body.clone());
            for &piece in &pieces {
                let data = rest.split_to(piece);
                encoder.push(data, is_last_known && rest.is_empty()).unwrap();
                written(&mut encoder, step, &mut out);
            }
            encoder.finish(None).unwrap();
            prop_assert!(encoder.is_complete());
            written(&mut encoder, step, &mut out);

            let mut wire = Bytes::from(out).split_off(4);
            let mut decoder = if is_chunked { Decoder::chunked() } else { Decoder::length(body.len() as u64) };
            let mut decoded = Vec::new();
            while let Decoded::Data(data) = decoder.decode(&mut wire).unwrap() {
                decoded.extend_from_slice(&data);
            }
            prop_assert!(decoder.is_done() && wire.is_empty());
            prop_assert_eq!(decoded, body);
        }
    }

    #[test]
    fn a_body_has_the_length_that_its_head_says() {
        let mut encoder = Encoder::new(Vec::new(), Framing::Length(3));
        assert_eq!(encoder.push(Bytes::from("ab"), false), Ok(()));
        assert_eq!(
            encoder.push(Bytes::from("cd"), false),
            Err(LengthMismatch::TooLong)
        );
        let mut encoder = Encoder::new(Vec::new(), Framing::Length(3));
        assert_eq!(encoder.finish(None), Err(LengthMismatch::TooShort));
    }

    #[test]
    fn trailers_do_not_frame() {
        let mut trailers = HeaderMap::new();
        trailers.insert("x-a", HeaderValue::from_static("b"));
        trailers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("1"));
        let mut encoder = Encoder::new(Vec::new(), Framing::Chunked);
        encoder.finish(Some(&trailers)).unwrap();
        assert_eq!(encoder.into_buffer(), b"0\r\nX-A: b\r\n\r\n");
    }
}
