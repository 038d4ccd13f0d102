use std::{
    error::Error,
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use h2::{Reason, SendStream};
use http::HeaderMap;
use http_body::Body;

use crate::trailers::sifted;

/// How much room is asked for at a time. One stream that asked for all it has could take what others wait for.
const PIECE: usize = 16 * 1024;

/// How does a body get to whoever is at the other end of the stream?
///
/// Nothing is asked of the body before the last piece of it is on its way, and no piece is on its way before there is
/// room for it at the other end: what a receiver that does not read makes the sender keep is one piece of the body.
/// Dropped before its end, it resets the stream.
pub struct Sending<B> {
    stream: SendStream<Bytes>,
    body: B,
    /// What waits for room.
    data: Bytes,
    is_touched: bool,
}

/// Why did a body not get to the other end in full?
#[derive(Debug)]
pub enum SendError<E> {
    /// The other end, or the connection, takes no more of it.
    Unwanted,
    /// The body's own failure. The stream is still to be [reset](Sending::reset).
    Body(E),
}

impl<B> Sending<B> {
    /// A body on its way out; the head before it has not ended the stream.
    pub fn new(stream: SendStream<Bytes>, body: B) -> Self {
        Self {
            stream,
            body,
            data: Bytes::new(),
            is_touched: false,
        }
    }

    /// The body, as long as nothing is taken from it.
    pub fn into_untouched(self) -> Option<B> {
        (!self.is_touched).then_some(self.body)
    }

    /// Ends the stream without the end of the body (RFC 9113 §8.1.1). What is not written yet never will be.
    pub fn reset(&mut self, reason: Reason) {
        self.stream.send_reset(reason);
    }

    /// Ready when the other end, or the connection, takes no more.
    pub fn poll_unwanted(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.stream.poll_reset(cx).map(drop)
    }
}

impl<B> Sending<B>
where
    B: Body<Data = Bytes> + Unpin,
{
    /// Ready when the last of the body, or its trailers, is on its way.
    ///
    /// # Errors
    ///
    /// When the other end does not want the rest, or there is none. It is over then.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError<B::Error>>> {
        loop {
            if self.poll_unwanted(cx).is_ready() {
                return Poll::Ready(Err(SendError::Unwanted));
            }
            if !self.data.is_empty() {
                let room = ready!(self.poll_room(cx))?;
                let piece = self.data.split_to(room.min(self.data.len()));
                let is_end = self.data.is_empty() && self.body.is_end_stream();
                self.send(piece, is_end)?;
                if is_end {
                    return Poll::Ready(Ok(()));
                }
                continue;
            }
            let frame = ready!(Pin::new(&mut self.body).poll_frame(cx))
                .transpose()
                .map_err(SendError::Body)?;
            self.is_touched = true;
            let Some(frame) = frame else {
                return Poll::Ready(self.send(Bytes::new(), true));
            };
            match frame.into_data() {
                Ok(data) if data.is_empty() && self.body.is_end_stream() => {
                    return Poll::Ready(self.send(data, true));
                }
                Ok(data) => self.data = data,
                Err(frame) => return Poll::Ready(self.end(frame.into_trailers().ok())),
            }
        }
    }

    /// Ready when there is room for something, with how much there is.
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, SendError<B::Error>>> {
        self.stream.reserve_capacity(self.data.len().min(PIECE));
        loop {
            match self.stream.capacity() {
                0 => {}
                room => return Poll::Ready(Ok(room)),
            }
            match ready!(self.stream.poll_capacity(cx)) {
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Poll::Ready(Err(SendError::Unwanted)),
            }
        }
    }

    fn end(&mut self, trailers: Option<HeaderMap>) -> Result<(), SendError<B::Error>> {
        match trailers.and_then(sifted) {
            Some(trailers) => self
                .stream
                .send_trailers(trailers)
                .map_err(|_| SendError::Unwanted),
            None => self.send(Bytes::new(), true),
        }
    }

    fn send(&mut self, data: Bytes, is_end: bool) -> Result<(), SendError<B::Error>> {
        self.stream
            .send_data(data, is_end)
            .map_err(|_| SendError::Unwanted)
    }
}

impl<B> fmt::Debug for Sending<B> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Sending")
            .field("stream", &self.stream.stream_id())
            .finish_non_exhaustive()
    }
}

impl<E> fmt::Display for SendError<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Unwanted => "the rest of the body is not wanted",
            Self::Body(_) => "the body broke off",
        })
    }
}

impl<E: Error + 'static> Error for SendError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unwanted => None,
            Self::Body(error) => Some(error),
        }
    }
}
