//! Answers that nobody wants.

use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http_body::Body;

use crate::body::Content;
use crate::clock::{Clock, Deadline};
use crate::worker::Worker;

/// The most of an unwanted answer that is read, to keep the connection.
const MOST: usize = 256 << 10;

/// How long the rest of an unwanted answer may take.
const TIME: Duration = Duration::from_secs(5);

/// Reads what nobody wants, so that the connection to the server can be used again.
pub(crate) fn discard(content: Content, worker: &Rc<Worker>) {
    if content.is_end_stream() {
        return;
    }
    let clock = Rc::clone(&worker.clock);
    let reading = async move {
        within(TIME, &clock, drain(content)).await;
    };
    if let Err(error) = worker.background.take(reading) {
        tracing::debug!(%error, "unwanted answer broken off");
    }
}

/// Reads an answer to its end, or as much of it as is worth it.
pub(crate) async fn drain(mut content: Content) {
    let mut n_read = 0;
    while n_read <= MOST && !content.is_end_stream() {
        match poll_fn(|cx| Pin::new(&mut content).poll_frame(cx)).await {
            Some(Ok(frame)) => n_read += frame.data_ref().map_or(0, Bytes::len),
            Some(Err(_)) | None => return,
        }
    }
}

/// Does something unless it takes longer than `time`; it is dropped then. Tells whether it was done.
pub(crate) async fn within(
    time: Duration,
    clock: &Rc<Clock>,
    work: impl Future<Output = ()>,
) -> bool {
    let deadline = Deadline::new(clock);
    deadline.set(clock.after(Some(time)));
    let mut work = std::pin::pin!(work);
    poll_fn(|cx| {
        if work.as_mut().poll(cx).is_ready() {
            return Poll::Ready(true);
        }
        deadline.poll(cx).map(|()| false)
    })
    .await
}
