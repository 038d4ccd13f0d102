//! What is left of a request when its answer has begun.

use std::{
    cell::RefCell,
    future::poll_fn,
    io,
    rc::Rc,
    task::{Context, Poll, Waker, ready},
};

use bytes::Bytes;
use http_body::Body;
use tokio::task::{AbortHandle, spawn_local};

use super::sending::{SendError, Sending};
use crate::{error::BoxError, pool::Local, stream::Stream};

/// A request that is still being sent, in a task of its own: whoever waits for the end of the upload before he reads
/// the answer would otherwise wait for ever.
pub(crate) struct Upload<B> {
    line: Rc<RefCell<Line<B>>>,
    task: Option<AbortHandle>,
}

/// A connection on which both sides speak.
struct Line<B> {
    /// Gone when it was taken back.
    stream: Option<Stream>,
    /// Gone when all is sent, or when that failed.
    sending: Option<Sending<B>>,
    outcome: Option<Outcome>,
    /// Waits for the answer.
    reader: Option<Waker>,
}

/// How an upload failed.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The request's own body.
    RequestFailed(BoxError),
    /// The server no longer listens.
    ConnectionFailed,
}

impl<B> Upload<B>
where
    B: Body<Data = Bytes> + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    /// A body that the server has answered without having asked for it is never sent.
    pub(crate) fn start(stream: Stream, sending: Sending<B>) -> Self {
        let is_held = sending.is_held();
        let line = Rc::new(RefCell::new(Line {
            stream: Some(stream),
            sending: Some(sending),
            outcome: None,
            reader: None,
        }));
        let task = (!is_held).then(|| {
            let line = Rc::clone(&line);
            spawn_local(poll_fn(move |cx| line.borrow_mut().poll_send(cx))).abort_handle()
        });
        Self { line, task }
    }
}

impl<B> Upload<B> {
    /// The failure that has not been told yet.
    pub(crate) fn take_outcome(&self) -> Option<Outcome> {
        self.line.borrow_mut().outcome.take()
    }

    pub(crate) fn poll_read(
        &self,
        local: &Local,
        room: usize,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Bytes>> {
        let line = &mut *self.line.borrow_mut();
        let Some(stream) = &mut line.stream else {
            return Poll::Ready(Ok(Bytes::new()));
        };
        let read = local.poll_read(stream, room, cx);
        if read.is_pending() {
            line.reader = Some(cx.waker().clone());
        }
        read
    }

    /// The connection, if the upload has ended.
    pub(crate) fn into_quiet(self) -> Option<Stream> {
        let mut line = self.line.borrow_mut();
        if line.sending.is_some() {
            return None;
        }
        line.stream.take()
    }
}

impl<B> Drop for Upload<B> {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
        // The task goes when it is its turn; the request's body goes now.
        let sending = self.line.borrow_mut().sending.take();
        drop(sending);
    }
}

impl<B> Line<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let (Some(stream), Some(sending)) = (&mut self.stream, &mut self.sending) else {
            return Poll::Ready(());
        };
        self.outcome = match ready!(sending.poll(stream, cx)) {
            Ok(()) => None,
            Err(SendError::Body(error)) => Some(Outcome::RequestFailed(error)),
            Err(SendError::Io(_)) => Some(Outcome::ConnectionFailed),
        };
        self.sending = None;
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
        Poll::Ready(())
    }
}
