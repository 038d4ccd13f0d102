//! Bodies on their way through.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use traefikrs_upstream::{BoxError, UpstreamBody};

use crate::clock::Deadline;
use crate::connection::InFlight;

/// What a client sends after the head, for as long as it may.
#[derive(Debug)]
pub(crate) struct RequestBody {
    incoming: Incoming,
    /// Absent when there is nothing to wait for.
    deadline: Option<Deadline>,
}

/// The client took longer than `readTimeout` to send its request.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("client took too long to send the request")]
pub(crate) struct ReadTimeout;

impl RequestBody {
    pub(crate) fn new(incoming: Incoming, deadline: impl FnOnce() -> Deadline) -> Self {
        let is_over = http_body::Body::is_end_stream(&incoming);
        Self {
            incoming,
            deadline: (!is_over).then(deadline),
        }
    }
}

impl http_body::Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match Pin::new(&mut self.incoming).poll_frame(cx) {
            Poll::Ready(frame) => Poll::Ready(frame.map(|frame| frame.map_err(Into::into))),
            Poll::Pending => match &self.deadline {
                Some(deadline) if deadline.poll(cx).is_ready() => {
                    Poll::Ready(Some(Err(ReadTimeout.into())))
                }
                _ => Poll::Pending,
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

/// What a client gets after the head. When it is gone, so is the request.
pub(crate) struct ResponseBody {
    content: Content,
    /// What broke the answer off, held back once.
    failure: Option<traefikrs_upstream::Error>,
    _in_flight: InFlight,
}

pub(crate) enum Content {
    Whole(Bytes),
    Upstream(UpstreamBody<RequestBody>),
}

impl From<&'static str> for Content {
    fn from(text: &'static str) -> Self {
        Self::Whole(Bytes::from_static(text.as_bytes()))
    }
}

impl ResponseBody {
    pub(crate) fn new(content: Content, in_flight: InFlight) -> Self {
        Self {
            content,
            failure: None,
            _in_flight: in_flight,
        }
    }
}

impl http_body::Body for ResponseBody {
    type Data = Bytes;
    type Error = traefikrs_upstream::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        if let Some(error) = this.failure.take() {
            return Poll::Ready(Some(Err(error)));
        }
        match &mut this.content {
            Content::Whole(bytes) => {
                let bytes = std::mem::take(bytes);
                Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
            }
            Content::Upstream(body) => match Pin::new(body).poll_frame(cx) {
                Poll::Ready(Some(Err(error))) => {
                    tracing::debug!(%error, "answer broken off");
                    // A failed body ends the connection at once; what came before is written first.
                    this.failure = Some(error);
                    cx.waker().wake_by_ref();
                    Poll::Pending
                }
                frame => frame,
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Whole(bytes) => bytes.is_empty(),
            Content::Upstream(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Upstream(body) => body.size_hint(),
        }
    }
}
