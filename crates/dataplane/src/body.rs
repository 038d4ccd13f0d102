//! Bodies on their way through.

use std::error::Error as _;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use traefikrs_upstream::{BoxError, UpstreamBody};

use crate::clock::Deadline;
use crate::connection::{Connection, InFlight};
use crate::mirror::Followed;
use crate::pick::Counted;

/// What a client sends after the head, for as long as it may.
#[derive(Debug)]
pub(crate) struct RequestBody {
    /// Present until it is over, for good or ill.
    incoming: Option<Incoming>,
    connection: Rc<Connection>,
    /// Absent when there is nothing to wait for.
    deadline: Option<Deadline>,
}

/// The client took longer than `readTimeout` to send its request.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("client took too long to send the request")]
pub(crate) struct ReadTimeout;

/// The client's chunks are none.
#[derive(Debug, thiserror::Error)]
#[error("malformed request body")]
pub(crate) struct Malformed(#[source] hyper::Error);

impl RequestBody {
    pub(crate) fn new(incoming: Incoming, connection: &Rc<Connection>) -> Self {
        let is_over = http_body::Body::is_end_stream(&incoming);
        Self {
            incoming: (!is_over).then_some(incoming),
            deadline: (!is_over).then(|| connection.read_deadline()),
            connection: Rc::clone(connection),
        }
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if let Some(incoming) = self.incoming.take() {
            self.connection.leave_unread(incoming);
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
        let this = &mut *self;
        let Some(incoming) = &mut this.incoming else {
            return Poll::Ready(None);
        };
        match Pin::new(incoming).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => Poll::Ready(Some(Ok(frame))),
            Poll::Ready(Some(Err(error))) => {
                this.incoming = None;
                this.connection.is_spoilt();
                Poll::Ready(Some(Err(broken(error))))
            }
            Poll::Ready(None) => {
                this.incoming = None;
                this.connection.has_body();
                Poll::Ready(None)
            }
            Poll::Pending => match &this.deadline {
                Some(deadline) if deadline.poll(cx).is_ready() => {
                    this.incoming = None;
                    this.connection.is_spoilt();
                    Poll::Ready(Some(Err(ReadTimeout.into())))
                }
                _ => Poll::Pending,
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming
            .as_ref()
            .is_none_or(http_body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), http_body::Body::size_hint)
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

fn broken(error: hyper::Error) -> BoxError {
    let source = error
        .source()
        .and_then(|source| source.downcast_ref::<io::Error>());
    let is_malformed = source.is_some_and(|source| {
        matches!(
            source.kind(),
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData
        )
    });
    if is_malformed {
        Malformed(error).into()
    } else {
        error.into()
    }
}

/// The most of an unwanted body that is read, as in Go, to keep the connection.
const MAX_UNWANTED: usize = 256 << 10;

/// How long the rest of an unwanted body may take.
const UNWANTED_TIME: Duration = Duration::from_millis(250);

/// Reads what nobody wants, so that the next request can be read; tells whether that is possible now.
pub(crate) async fn drain(mut incoming: Incoming, connection: &Connection) -> bool {
    use http_body::Body;
    if incoming.size_hint().lower() > MAX_UNWANTED as u64 {
        return false;
    }
    let deadline = connection.deadline_in(UNWANTED_TIME);
    let mut n_read = 0;
    while n_read <= MAX_UNWANTED {
        let frame = poll_fn(|cx| match Pin::new(&mut incoming).poll_frame(cx) {
            Poll::Pending if deadline.poll(cx).is_ready() => Poll::Ready(Err(())),
            Poll::Pending => Poll::Pending,
            Poll::Ready(frame) => Poll::Ready(frame.transpose().map_err(|_| ())),
        });
        match frame.await {
            Ok(Some(frame)) => n_read += frame.data_ref().map_or(0, Bytes::len),
            Ok(None) => {
                connection.has_body();
                return true;
            }
            Err(()) => return false,
        }
    }
    false
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
    Upstream(Counted<UpstreamBody<Upload>>),
    /// Something else is done when it is through.
    Followed(Box<Followed>),
}

impl Content {
    /// Whether nothing of it is missing, as far as can be told.
    pub(crate) fn is_complete(&self) -> bool {
        use http_body::Body;
        match self {
            Self::Whole(_) => true,
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
        match Pin::new(&mut this.content).poll_frame(cx) {
            Poll::Ready(Some(Err(error))) => {
                tracing::debug!(%error, "answer broken off");
                // A failed body ends the connection at once; what came before is written first.
                this.failure = Some(error);
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            frame => frame,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.content.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.content.size_hint()
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
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_empty(),
            Self::Upstream(body) => body.is_end_stream(),
            Self::Followed(followed) => followed.content().is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Upstream(body) => body.size_hint(),
            Self::Followed(followed) => followed.content().size_hint(),
        }
    }
}
