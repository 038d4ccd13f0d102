//! The body of a request, which the connection sends and its sender keeps.

use std::{
    cell::RefCell,
    fmt,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::Notify;

use super::body::sifted;
use crate::error::BoxError;

/// A request body of any type: connections are shared, and so is the type of their bodies.
pub(crate) type BoxBody = Pin<Box<dyn Body<Data = Bytes, Error = BoxError>>>;

/// The sender's hold on a body that the connection sends; without it, no more is sent.
pub(crate) struct Upload<B>(Rc<Shared<B>>);

struct Shared<B> {
    /// Gone when it is over, or no longer wanted.
    body: RefCell<Option<B>>,
    /// The connection, when it waits for more.
    sender: RefCell<Option<Waker>>,
    error: RefCell<Option<BoxError>>,
    finished: Notify,
}

impl<B> Upload<B>
where
    B: Body<Data = Bytes> + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    /// Divides a body between the connection and its sender.
    pub(crate) fn new(body: B) -> (Self, BoxBody) {
        let shared = Rc::new(Shared {
            body: RefCell::new(Some(body)),
            sender: RefCell::default(),
            error: RefCell::default(),
            finished: Notify::new(),
        });
        (Self(Rc::clone(&shared)), Box::pin(Sent(shared)))
    }
}

impl<B> Upload<B> {
    /// The body is sent, or given up.
    pub(crate) async fn finished(&self) {
        self.0.finished.notified().await;
    }

    /// The body's own failure, if that is why the exchange ended.
    pub(crate) fn take_error(&self) -> Option<BoxError> {
        self.0.error.take()
    }
}

impl<B> Drop for Upload<B> {
    fn drop(&mut self) {
        let body = self.0.body.take();
        drop(body);
        if let Some(sender) = self.0.sender.take() {
            sender.wake();
        }
    }
}

impl<B> fmt::Debug for Upload<B> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Upload").finish_non_exhaustive()
    }
}

/// The connection's part.
struct Sent<B>(Rc<Shared<B>>);

/// Ends the stream, and says no more than that: the sender knows why, and the server need not.
#[derive(Debug, thiserror::Error)]
#[error("request body ended early")]
struct Cancelled(#[source] h2::Error);

impl Default for Cancelled {
    fn default() -> Self {
        Self(h2::Reason::CANCEL.into())
    }
}

impl<B> Body for Sent<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut slot = self.0.body.borrow_mut();
        let Some(body) = &mut *slot else {
            return Poll::Ready(Some(Err(Cancelled::default().into())));
        };
        match Pin::new(body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => Poll::Ready(sifted(frame).map(Ok)),
            Poll::Ready(Some(Err(error))) => {
                self.0.error.replace(Some(error.into()));
                Poll::Ready(Some(Err(Cancelled::default().into())))
            }
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => {
                self.0.sender.replace(Some(cx.waker().clone()));
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0
            .body
            .borrow()
            .as_ref()
            .is_some_and(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let body = self.0.body.borrow();
        body.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}

impl<B> Drop for Sent<B> {
    fn drop(&mut self) {
        self.0.finished.notify_one();
    }
}

/// A body that has nothing to say.
pub(crate) fn empty() -> BoxBody {
    Box::pin(Nothing)
}

struct Nothing;

impl Body for Nothing {
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
