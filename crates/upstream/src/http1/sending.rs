//! Writes a request: its head, then its body as the caller has it.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::Body;
use tokio::io::AsyncWrite;
use traefikrs_http1::{Encoder, FillError, Framing};

use crate::{error::BoxError, stream::Stream};

/// A request on its way to the server.
pub(crate) struct Sending<B> {
    encoder: Encoder,
    body: Option<B>,
    /// The beginning of the body is not waited for any more.
    primed: bool,
    /// Something has been read of the body.
    read: bool,
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

impl<E: Into<BoxError>> From<FillError<E>> for SendError {
    fn from(error: FillError<E>) -> Self {
        Self::Body(match error {
            FillError::Body(error) => error.into(),
            FillError::Length(mismatch) => format!("request {mismatch}").into(),
        })
    }
}

impl<B> Sending<B> {
    /// `head` is written as it is. A `held` body waits for [`Self::let_go`].
    pub(crate) fn new(head: Vec<u8>, framing: Framing, body: Option<B>, held: bool) -> Self {
        Self {
            encoder: Encoder::new(head, framing),
            body,
            primed: held,
            read: false,
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
        self.encoder.rewind();
        self.touched = false;
    }

    /// The body, as long as nothing of it was read.
    pub(crate) fn take_unread(&mut self) -> Option<B> {
        self.body.take_if(|_| !self.read)
    }

    /// The buffer that was given as head.
    pub(crate) fn into_head(self) -> Vec<u8> {
        self.encoder.into_buffer()
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
        stream: &mut Stream,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), SendError>> {
        if !self.primed {
            // What is there of the body goes out in one write with the head.
            self.primed = true;
            if let Poll::Ready(filled) = self.poll_fill(cx) {
                filled?;
            }
        }
        loop {
            ready!(self.poll_write(stream, cx)).map_err(SendError::Io)?;
            if self.body.is_none() {
                return Poll::Ready(Ok(()));
            }
            if self.held {
                return Poll::Pending;
            }
            ready!(self.poll_fill(cx))?;
        }
    }

    fn poll_write(&mut self, stream: &mut Stream, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self {
            encoder, touched, ..
        } = self;
        ready!(encoder.poll_write(|slices: &[IoSlice<'_>]| {
            let stream = Pin::new(&mut *stream);
            let n_written = ready!(match slices {
                [one] => stream.poll_write(cx, one),
                many => stream.poll_write_vectored(cx, many),
            })?;
            *touched = true;
            Poll::Ready(Ok(n_written))
        }))?;
        // What TLS has taken may not be on its way yet.
        Pin::new(stream).poll_flush(cx)
    }

    /// Gets what is there of the body, or its end.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        if let Some(body) = &mut self.body {
            let filled = ready!(self.encoder.poll_fill(body, cx));
            self.read = true;
            filled?;
            if self.encoder.is_complete() {
                self.body = None;
            }
        }
        Poll::Ready(Ok(()))
    }
}
