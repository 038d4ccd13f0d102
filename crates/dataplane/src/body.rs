//! Bodies on their way through.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use traefikrs_http1::{MalformedBody, Refused};
use traefikrs_upstream::{BoxError, UpstreamBody};

use crate::client::Client;
use crate::clock::Deadline;
use crate::connection::Connection;
use crate::mirror::Followed;
use crate::pick::Counted;

/// What a client sends after the head, for as long as it may.
#[derive(Debug)]
pub(crate) struct RequestBody {
    /// Present until it is over, for good or ill.
    under_way: Option<UnderWay>,
}

#[derive(Debug)]
struct UnderWay {
    client: Client,
    deadline: Deadline,
}

/// The client took longer than `readTimeout` to send its request.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("client took too long to send the request")]
pub(crate) struct ReadTimeout;

/// The client's chunks are none.
#[derive(Debug, thiserror::Error)]
#[error("malformed request body")]
pub(crate) struct Malformed(#[source] pub(crate) MalformedBody);

impl RequestBody {
    /// The body of the request whose head has just been read.
    pub(crate) fn new(client: &Client, connection: &Connection) -> Self {
        let under_way = (!client.is_body_over()).then(|| {
            client.hold_body();
            UnderWay {
                client: client.clone(),
                deadline: connection.read_deadline(),
            }
        });
        Self { under_way }
    }

    /// It is over.
    fn end(&mut self) {
        if let Some(under_way) = self.under_way.take() {
            under_way.client.let_body_go();
        }
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        self.end();
    }
}

impl http_body::Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some(under_way) = &mut self.under_way else {
            return Poll::Ready(None);
        };
        let frame = under_way.client.poll_body(cx);
        match frame {
            Poll::Pending if under_way.deadline.poll(cx).is_ready() => {
                under_way.client.give_body_up();
                self.end();
                Poll::Ready(Some(Err(ReadTimeout.into())))
            }
            Poll::Ready(None | Some(Err(_))) => {
                self.end();
                frame
            }
            frame => frame,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.under_way
            .as_ref()
            .is_none_or(|under_way| under_way.client.is_body_over())
    }

    fn size_hint(&self) -> SizeHint {
        self.under_way.as_ref().map_or_else(
            || SizeHint::with_exact(0),
            |under_way| under_way.client.body_size(),
        )
    }
}

/// What a server gets as the body of a request.
pub(crate) enum Upload {
    /// What the client sends, as it comes.
    Client(RequestBody),
    /// What a service that asks more than one server makes of it.
    Made(Pin<Box<dyn http_body::Body<Data = Bytes, Error = BoxError>>>),
    /// Nothing.
    Empty,
}

impl Upload {
    pub(crate) fn made(
        body: impl http_body::Body<Data = Bytes, Error = BoxError> + 'static,
    ) -> Self {
        Self::Made(Box::pin(body))
    }
}

impl http_body::Body for Upload {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut *self {
            Self::Client(body) => Pin::new(body).poll_frame(cx),
            Self::Made(body) => body.as_mut().poll_frame(cx),
            Self::Empty => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Client(body) => body.is_end_stream(),
            Self::Made(body) => body.is_end_stream(),
            Self::Empty => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Client(body) => body.size_hint(),
            Self::Made(body) => body.size_hint(),
            Self::Empty => SizeHint::with_exact(0),
        }
    }
}

/// What a client gets after the head.
pub(crate) enum Content {
    Whole(Bytes),
    Upstream(Counted<UpstreamBody<Upload>>),
    /// Something else is done when it is through.
    Followed(Box<Followed>),
    /// The request could not be read.
    Refusal(Refused),
}

impl Content {
    /// Whether nothing of it is missing, as far as can be told.
    pub(crate) fn is_complete(&self) -> bool {
        match self {
            Self::Whole(_) | Self::Refusal(_) => true,
            Self::Upstream(body) => body.is_end_stream(),
            Self::Followed(followed) => followed.content().is_complete(),
        }
    }
}

impl From<&'static str> for Content {
    fn from(text: &'static str) -> Self {
        Self::Whole(Bytes::from_static(text.as_bytes()))
    }
}

impl http_body::Body for Content {
    type Data = Bytes;
    type Error = traefikrs_upstream::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match &mut *self {
            Self::Whole(bytes) => {
                let bytes = std::mem::take(bytes);
                Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
            }
            Self::Upstream(body) => Pin::new(body).poll_frame(cx),
            Self::Followed(followed) => followed.poll_frame(cx),
            Self::Refusal(_) => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_empty(),
            Self::Upstream(body) => body.is_end_stream(),
            Self::Followed(followed) => followed.content().is_end_stream(),
            Self::Refusal(_) => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Upstream(body) => body.size_hint(),
            Self::Followed(followed) => followed.content().size_hint(),
            Self::Refusal(_) => SizeHint::with_exact(0),
        }
    }
}
