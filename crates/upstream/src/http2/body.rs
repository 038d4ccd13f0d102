use std::{
    cell::RefCell,
    fmt,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::sync::Notify;
use traefikrs_http1::may_trail;

use super::connection::Ticket;
use crate::error::{BoxError, Error};

/// A request body of any type: connections are shared, and so is the type of their bodies.
pub(crate) type BoxBody = Pin<Box<dyn HttpBody<Data = Bytes, Error = BoxError>>>;

/// The body of an answer, and its stream.
pub(crate) struct Body {
    incoming: Incoming,
    _ticket: Ticket,
}

impl Body {
    pub(crate) fn new(incoming: Incoming, ticket: Ticket) -> Self {
        Self {
            incoming,
            _ticket: ticket,
        }
    }

    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.incoming).poll_frame(cx));
        Poll::Ready(match frame {
            Some(Ok(frame)) => sifted(frame).map(Ok),
            Some(Err(error)) => Some(Err(Error::Http2(error))),
            None => None,
        })
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Body").finish_non_exhaustive()
    }
}

/// The frame without what must not trail; trailers are the last frame, so nothing is the end.
fn sifted(frame: Frame<Bytes>) -> Option<Frame<Bytes>> {
    let mut trailers = match frame.into_trailers() {
        Ok(trailers) => trailers,
        Err(frame) => return Some(frame),
    };
    let late: Vec<_> = trailers
        .keys()
        .filter(|name| !may_trail(name))
        .cloned()
        .collect();
    for name in &late {
        trailers.remove(name);
    }
    (!trailers.is_empty()).then(|| Frame::trailers(trailers))
}

/// What the sender of a request wants to know of its body, which the connection has taken.
#[derive(Debug, Default)]
pub(crate) struct Upload {
    error: RefCell<Option<BoxError>>,
    finished: Notify,
}

impl Upload {
    /// The body is sent, or given up.
    pub(crate) async fn finished(&self) {
        self.finished.notified().await;
    }

    /// The body's own failure, if that is why the exchange ended.
    pub(crate) fn take_error(&self) -> Option<BoxError> {
        self.error.take()
    }
}

/// Boxes a body, and lets it be watched.
pub(crate) fn upload<B>(body: B) -> (BoxBody, Rc<Upload>)
where
    B: HttpBody<Data = Bytes> + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    let upload = Rc::new(Upload::default());
    (
        Box::pin(Watched {
            body,
            upload: Rc::clone(&upload),
        }),
        upload,
    )
}

/// A body that has nothing to say.
pub(crate) fn empty() -> BoxBody {
    Box::pin(Nothing)
}

struct Nothing;

impl HttpBody for Nothing {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        true
    }
}

struct Watched<B> {
    body: B,
    upload: Rc<Upload>,
}

/// Stands in the connection for an error that the sender gets first-hand.
#[derive(Debug, thiserror::Error)]
#[error("request body failed")]
struct Reported;

impl<B> HttpBody for Watched<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        Poll::Ready(match frame {
            Some(Ok(frame)) => sifted(frame).map(Ok),
            Some(Err(error)) => {
                self.upload.error.replace(Some(error.into()));
                Some(Err(Reported.into()))
            }
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B> Drop for Watched<B> {
    fn drop(&mut self) {
        self.upload.finished.notify_one();
    }
}
