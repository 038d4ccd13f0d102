//! The body of a request on its way to the server.

use std::{
    cell::RefCell,
    future::poll_fn,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker, ready},
};

use bytes::Bytes;
use h2::{Reason, SendStream};
use http_body::Body;
use tokio::task::{AbortHandle, spawn_local};

use super::body::sifted;
use crate::error::BoxError;

/// A body, and the stream that it goes out on.
pub(crate) struct Sending<B> {
    stream: SendStream<Bytes>,
    body: B,
    /// What waits for room.
    data: Bytes,
    is_held: bool,
    is_touched: bool,
}

/// Why a body did not get to the server in full.
#[derive(Debug)]
pub(crate) enum SendError {
    /// The server, or the connection, takes no more of it.
    Unwanted,
    /// The body's own failure.
    Body(BoxError),
}

impl<B> Sending<B> {
    /// A `held` body waits for [`Self::let_go`].
    pub(crate) fn new(stream: SendStream<Bytes>, body: B, held: bool) -> Self {
        Self {
            stream,
            body,
            data: Bytes::new(),
            is_held: held,
            is_touched: false,
        }
    }

    pub(crate) fn let_go(&mut self) {
        self.is_held = false;
    }

    pub(crate) fn is_held(&self) -> bool {
        self.is_held
    }

    /// The body, as long as nothing is taken from it.
    pub(crate) fn into_untouched(self) -> Option<B> {
        (!self.is_touched).then_some(self.body)
    }
}

impl<B> Sending<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    /// Ready when all is sent.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        loop {
            if self.stream.poll_reset(cx).is_ready() {
                return Poll::Ready(Err(SendError::Unwanted));
            }
            if !self.data.is_empty() {
                ready!(self.poll_room(cx))?;
                let data = std::mem::take(&mut self.data);
                let is_end = self.body.is_end_stream();
                self.send(data, is_end)?;
                if is_end {
                    return Poll::Ready(Ok(()));
                }
            }
            if self.is_held {
                return Poll::Pending;
            }
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => sifted(frame),
                Some(Err(error)) => {
                    // RFC 9113 §8.1.1: not the end of a message. The server need not know why.
                    self.stream.send_reset(Reason::CANCEL);
                    return Poll::Ready(Err(SendError::Body(error.into())));
                }
                None => None,
            };
            self.is_touched = true;
            let Some(frame) = frame else {
                return Poll::Ready(self.send(Bytes::new(), true));
            };
            match frame.into_data() {
                Ok(data) if data.is_empty() && self.body.is_end_stream() => {
                    return Poll::Ready(self.send(data, true));
                }
                Ok(data) => self.data = data,
                Err(frame) => {
                    let trailers = frame.into_trailers().unwrap_or_default();
                    let sent = self.stream.send_trailers(trailers);
                    return Poll::Ready(sent.map_err(|_| SendError::Unwanted));
                }
            }
        }
    }

    /// Ready when there is room for something. The rest of a piece waits inside the connection: asking for room for all
    /// of it would take that from other streams.
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        self.stream.reserve_capacity(1);
        while self.stream.capacity() == 0 {
            match ready!(self.stream.poll_capacity(cx)) {
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Poll::Ready(Err(SendError::Unwanted)),
            }
        }
        Poll::Ready(Ok(()))
    }

    fn send(&mut self, data: Bytes, is_end: bool) -> Result<(), SendError> {
        self.stream
            .send_data(data, is_end)
            .map_err(|_| SendError::Unwanted)
    }
}

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
    /// A body that the server has answered without having asked for it is never sent.
    pub(crate) fn start(sending: Sending<B>) -> Self {
        let is_held = sending.is_held();
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
            self.failure = Some(error);
            if let Some(reader) = self.reader.take() {
                reader.wake();
            }
        }
        self.sending = None;
        Poll::Ready(())
    }
}
