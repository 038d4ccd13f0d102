use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use h2::RecvStream;
use http::{HeaderMap, header::CONTENT_LENGTH};
use http_body::{Body, Frame, SizeHint};

use crate::trailers::sifted;

/// What is behind the head of this message?
///
/// What is read makes room for as much again; what is not read is bounded by the window of the stream. A stream that
/// its sender resets, for whatever reason, is an error and never the end. Trailers that [must not trail] are left out.
/// Dropping the body refuses the rest.
///
/// [must not trail]: traefikrs_http1::may_trail
#[derive(Debug)]
pub struct Received {
    stream: RecvStream,
    /// How much is to come, if the sender has said so; the framing layer holds it to that.
    left: Option<u64>,
}

impl Received {
    /// The body of the message that has this head.
    pub fn new(head: &HeaderMap, stream: RecvStream) -> Self {
        let left = if stream.is_end_stream() {
            // The head of what ends with it may tell the length of what does not come.
            Some(0)
        } else {
            content_length(head)
        };
        Self { stream, left }
    }

    /// Makes room for as much again.
    fn passed(&mut self, data: Bytes) -> Frame<Bytes> {
        // It fails only when there is no stream left to make room on.
        drop(self.stream.flow_control().release_capacity(data.len()));
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(data.len() as u64);
        }
        Frame::data(data)
    }
}

impl Body for Received {
    type Data = Bytes;
    type Error = h2::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        if let Some(data) = ready!(self.stream.poll_data(cx)) {
            return Poll::Ready(Some(data.map(|data| self.passed(data))));
        }
        let trailers = ready!(self.stream.poll_trailers(cx))?.and_then(sifted);
        Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.stream.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.left
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// The length that a head tells, which the framing layer has found to be one.
fn content_length(head: &HeaderMap) -> Option<u64> {
    let length = head.get(CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}
