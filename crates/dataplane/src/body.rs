//! Bodies on their way through.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use traefikrs_http1::{MalformedBody, Refused};
use traefikrs_upstream::{BoxError, UpstreamBody};

use crate::clock::Deadline;
use crate::connection::{Connection, InFlight};
use crate::http1::Leg;
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
    source: Source,
    deadline: Deadline,
}

#[derive(Debug)]
enum Source {
    Http1(Rc<Leg>),
    Http2(Incoming),
}

/// The client took longer than `readTimeout` to send its request.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("client took too long to send the request")]
pub(crate) struct ReadTimeout;

/// The client has reset its stream of HTTP/2 in the middle of the request.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("client broke the request off")]
struct RequestBrokenOff;

/// The client's chunks are none.
#[derive(Debug, thiserror::Error)]
#[error("malformed request body")]
pub(crate) struct Malformed(#[source] pub(crate) MalformedBody);

impl RequestBody {
    /// The body of the request that the leg has just read the head of.
    pub(crate) fn http1(leg: &Rc<Leg>) -> Self {
        let under_way = (!leg.is_body_over()).then(|| {
            leg.hold_body();
            UnderWay {
                source: Source::Http1(Rc::clone(leg)),
                deadline: leg.connection.read_deadline(),
            }
        });
        Self { under_way }
    }

    pub(crate) fn http2(incoming: Incoming, connection: &Connection) -> Self {
        let under_way = (!incoming.is_end_stream()).then(|| UnderWay {
            source: Source::Http2(incoming),
            deadline: connection.read_deadline(),
        });
        Self { under_way }
    }

    /// It is over.
    fn end(&mut self) {
        if let Some(UnderWay {
            source: Source::Http1(leg),
            ..
        }) = self.under_way.take()
        {
            leg.let_body_go();
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
        let frame = match &mut under_way.source {
            Source::Http1(leg) => leg.poll_body(cx),
            Source::Http2(incoming) => poll_incoming(incoming, cx),
        };
        match frame {
            Poll::Pending if under_way.deadline.poll(cx).is_ready() => {
                if let Source::Http1(leg) = &under_way.source {
                    leg.lose_track();
                }
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
        match &self.under_way {
            None => true,
            Some(under_way) => match &under_way.source {
                Source::Http1(leg) => leg.is_body_over(),
                Source::Http2(incoming) => incoming.is_end_stream(),
            },
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.under_way {
            None => SizeHint::with_exact(0),
            Some(under_way) => match &under_way.source {
                Source::Http1(leg) => leg.body_size(),
                Source::Http2(incoming) => incoming.size_hint(),
            },
        }
    }
}

/// hyper takes a reset with `CANCEL` or `NO_ERROR` for the end of a body; a server must not take half a request for one.
fn poll_incoming(
    incoming: &mut Incoming,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
    let frame = ready!(Pin::new(&mut *incoming).poll_frame(cx));
    Poll::Ready(match frame {
        None if !incoming.is_end_stream() => Some(Err(RequestBrokenOff.into())),
        frame => frame.map(|frame| frame.map_err(Into::into)),
    })
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

/// What a client of HTTP/2 gets after the head. When it is gone, so is the request.
pub(crate) struct ResponseBody {
    content: Content,
    /// The answer has broken off, which is held back once.
    has_failed: bool,
    /// Whether nobody gets it.
    is_untold: bool,
    _in_flight: InFlight,
}

impl ResponseBody {
    pub(crate) fn new(content: Content, in_flight: InFlight) -> Self {
        Self {
            content,
            has_failed: false,
            is_untold: false,
            _in_flight: in_flight,
        }
    }

    /// What belongs to a head and does not follow it.
    pub(crate) fn untold(mut self) -> Self {
        self.is_untold = true;
        self
    }
}

/// The answer has no end. hyper looks for a reason among the causes, and a server's `NO_ERROR` must not become ours.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("answer broken off")]
pub(crate) struct AnswerBrokenOff;

impl http_body::Body for ResponseBody {
    type Data = Bytes;
    type Error = AnswerBrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, AnswerBrokenOff>>> {
        let this = &mut *self;
        if this.has_failed {
            return Poll::Ready(Some(Err(AnswerBrokenOff)));
        }
        match ready!(Pin::new(&mut this.content).poll_frame(cx)) {
            Some(Ok(frame)) => Poll::Ready(Some(Ok(frame))),
            Some(Err(error)) => {
                tracing::debug!(%error, "answer broken off");
                // A failed body ends the stream at once; what came before is written first.
                this.has_failed = true;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.is_untold || self.content.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.content.size_hint()
    }
}
