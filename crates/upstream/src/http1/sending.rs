//! Writes a request: its head, then its body as the caller has it.

use std::{
    io::{self, IoSlice, Write},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use http::{
    HeaderMap, HeaderName,
    header::{CONNECTION, CONTENT_LENGTH, HOST, TRAILER, TRANSFER_ENCODING},
};
use http_body::{Body, Frame};
use tokio::{io::AsyncWrite, net::TcpStream};

use super::encode::{Framing, write_field};
use crate::error::BoxError;

/// A request on its way to the server.
pub(crate) struct Sending<B> {
    /// The head, then what stands before each piece of the body.
    flat: Vec<u8>,
    flat_at: usize,
    data: Bytes,
    /// What stands after the piece.
    tail: &'static [u8],
    body: Option<B>,
    framing: Framing,
    primed: bool,
    held: bool,
    touched: bool,
}

/// Why a request did not get to the server in full.
#[derive(Debug)]
pub(crate) enum SendError {
    /// The socket.
    Io(io::Error),
    /// The body's own failure.
    Body(BoxError),
}

impl<B> Sending<B> {
    /// `head` is written as it is. A `held` body waits for [`Self::let_go`].
    pub(crate) fn new(head: Vec<u8>, framing: Framing, body: B, held: bool) -> Self {
        let body = (framing != Framing::None).then_some(body);
        Self {
            flat: head,
            flat_at: 0,
            data: Bytes::new(),
            tail: b"",
            body,
            framing,
            primed: held,
            held,
            touched: false,
        }
    }

    pub(crate) fn let_go(&mut self) {
        self.held = false;
    }

    pub(crate) fn is_held(&self) -> bool {
        self.held
    }

    /// Whether the socket has taken any of it.
    pub(crate) fn is_touched(&self) -> bool {
        self.touched
    }

    /// Starts again on another connection: possible while nothing is written, or for a head alone.
    pub(crate) fn rewind(&mut self) {
        self.flat_at = 0;
        self.touched = false;
    }

    /// The buffer that was given as head.
    pub(crate) fn into_head(self) -> Vec<u8> {
        self.flat
    }
}

impl<B> Sending<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    /// Ready when all is written.
    pub(crate) fn poll(
        &mut self,
        stream: &mut TcpStream,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), SendError>> {
        if !self.primed {
            // What is there of the body goes out in one write with the head.
            self.primed = true;
            if let Poll::Ready(filled) = self.poll_fill(cx) {
                filled.map_err(SendError::Body)?;
            }
        }
        loop {
            ready!(self.poll_flush(stream, cx)).map_err(SendError::Io)?;
            if self.body.is_none() {
                return Poll::Ready(Ok(()));
            }
            if self.held {
                return Poll::Pending;
            }
            ready!(self.poll_fill(cx)).map_err(SendError::Body)?;
        }
    }

    fn poll_flush(&mut self, stream: &mut TcpStream, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let flat = &self.flat[self.flat_at..];
            let written = if self.data.is_empty() && self.tail.is_empty() {
                if flat.is_empty() {
                    return Poll::Ready(Ok(()));
                }
                ready!(Pin::new(&mut *stream).poll_write(cx, flat))?
            } else {
                let slices = [
                    IoSlice::new(flat),
                    IoSlice::new(&self.data),
                    IoSlice::new(self.tail),
                ];
                ready!(Pin::new(&mut *stream).poll_write_vectored(cx, &slices))?
            };
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.touched = true;
            self.advance(written);
        }
    }

    fn advance(&mut self, mut written: usize) {
        let flat = written.min(self.flat.len() - self.flat_at);
        self.flat_at += flat;
        written -= flat;
        let data = written.min(self.data.len());
        self.data.advance(data);
        written -= data;
        self.tail = &self.tail[written.min(self.tail.len())..];
    }

    /// Gets the next piece of the body to write, or its end.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        while let Some(body) = &mut self.body {
            let frame = ready!(Pin::new(body).poll_frame(cx))
                .transpose()
                .map_err(Into::into)?;
            if self.flat_at == self.flat.len() {
                self.flat.clear();
                self.flat_at = 0;
            }
            match frame.map(Frame::into_data) {
                Some(Ok(data)) if data.is_empty() => continue,
                Some(Ok(data)) => self.push_data(data)?,
                Some(Err(frame)) => match frame.into_trailers() {
                    Ok(trailers) => self.push_end(Some(&trailers))?,
                    Err(_unknown) => continue,
                },
                None => self.push_end(None)?,
            }
            break;
        }
        Poll::Ready(Ok(()))
    }

    fn push_data(&mut self, data: Bytes) -> Result<(), BoxError> {
        let ends = self.body.as_ref().is_none_or(Body::is_end_stream);
        match &mut self.framing {
            Framing::Length(left) => {
                *left = left
                    .checked_sub(data.len() as u64)
                    .ok_or("request body is longer than declared")?;
                if *left == 0 {
                    self.body = None;
                }
            }
            Framing::Chunked => {
                write!(self.flat, "{:X}\r\n", data.len())?;
                self.tail = if ends { b"\r\n0\r\n\r\n" } else { b"\r\n" };
                if ends {
                    self.body = None;
                }
            }
            Framing::None => self.body = None,
        }
        self.data = data;
        Ok(())
    }

    fn push_end(&mut self, trailers: Option<&HeaderMap>) -> Result<(), BoxError> {
        self.body = None;
        match self.framing {
            Framing::Length(left) if left > 0 => {
                return Err("request body is shorter than declared".into());
            }
            Framing::Length(_) | Framing::None => {}
            Framing::Chunked => {
                self.flat.extend_from_slice(b"0\r\n");
                let fields = trailers
                    .into_iter()
                    .flatten()
                    .filter(|(name, _)| !frames_a_message(name));
                fields.for_each(|(name, value)| write_field(&mut self.flat, name, value));
                self.flat.extend_from_slice(b"\r\n");
            }
        }
        Ok(())
    }
}

/// RFC 9110 §6.5.1: such fields must not come after the message that they frame or route.
fn frames_a_message(name: &HeaderName) -> bool {
    static FRAMING: [HeaderName; 5] =
        [CONTENT_LENGTH, TRANSFER_ENCODING, HOST, TRAILER, CONNECTION];
    FRAMING.contains(name)
}
