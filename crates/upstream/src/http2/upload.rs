//! The rest of a request whose answer has begun.

use std::{
    cell::RefCell,
    future::poll_fn,
    rc::Rc,
    task::{Context, Poll, Waker, ready},
};

use bytes::Bytes;
use h2::Reason;
use http_body::Body;
use tokio::task::{AbortHandle, spawn_local};
use traefikrs_http2::{SendError, Sending};

use crate::error::BoxError;

/// A body that is still being sent when the answer has begun, in a task of its own: whoever waits for the end of the
/// upload before he reads the answer would otherwise wait for ever.
pub(crate) struct Upload<B> {
    state: Rc<RefCell<State<B>>>,
    task: Option<AbortHandle>,
}

struct State<B> {
    /// Gone when all is sent, or when that failed.
    sending: Option<Sending<B>>,
    failure: Option<BoxError>,
    /// Waits for the answer.
    reader: Option<Waker>,
}

impl<B> Upload<B>
where
    B: Body<Data = Bytes> + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    /// A body that is `held`, because the server has answered without having asked for it, is never sent.
    pub(crate) fn start(sending: Sending<B>, is_held: bool) -> Self {
        let state = Rc::new(RefCell::new(State {
            sending: Some(sending),
            failure: None,
            reader: None,
        }));
        let task = (!is_held).then(|| {
            let state = Rc::clone(&state);
            spawn_local(poll_fn(move |cx| state.borrow_mut().poll_send(cx))).abort_handle()
        });
        Self { state, task }
    }
}

impl<B> Upload<B> {
    /// Ready with the body's own failure; else the task is woken then.
    pub(crate) fn poll_failure(&self, cx: &Context<'_>) -> Poll<BoxError> {
        let state = &mut *self.state.borrow_mut();
        match state.failure.take() {
            Some(failure) => Poll::Ready(failure),
            None => {
                state.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl<B> Drop for Upload<B> {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
        // The task goes when it is its turn; the request's body goes now.
        let sending = self.state.borrow_mut().sending.take();
        drop(sending);
    }
}

impl<B> State<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(sending) = &mut self.sending else {
            return Poll::Ready(());
        };
        if let Err(SendError::Body(error)) = ready!(sending.poll(cx)) {
            break_off(sending);
            self.failure = Some(error.into());
            if let Some(reader) = self.reader.take() {
                reader.wake();
            }
        }
        self.sending = None;
        Poll::Ready(())
    }
}

/// RFC 9113 §8.1.1: not the end of a message. The server need not know why.
pub(crate) fn break_off<B>(sending: &mut Sending<B>) {
    sending.reset(Reason::CANCEL);
}
