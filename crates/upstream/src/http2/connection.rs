use std::{
    cell::{Cell, RefCell},
    fmt,
    future::pending,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use h2::client::{Builder, SendRequest};
use tokio::{task::spawn_local, time::Instant};

use super::pings::{Heard, until_lost};
use crate::{error::Error, peer::Limits, pool::Retention, stream::Stream};

/// One stream may fill this much while its reader rests …
const STREAM_WINDOW: u32 = 512 * 1024;
/// … and all together so much that none of them keeps the others waiting (Go's figure).
const CONNECTION_WINDOW: u32 = 1 << 30;
/// What one stream may keep of a request that the server does not read.
const MAX_SEND_BUFFER: usize = 128 * 1024;
const MAX_HEADERS: u32 = 1024 * 1024;
/// How many streams there may be before the server has said how many it takes: the least that RFC 9113 §6.5.2 asks of
/// it, and Go's figure.
const FIRST_MAX_STREAMS: usize = 100;

/// A connection that many requests use at a time.
pub(crate) struct Connection {
    sender: RefCell<SendRequest<Bytes>>,
    n_streams: Cell<usize>,
    retention: Retention,
    /// When nobody will have used it for too long.
    idle_until: Cell<Option<Instant>>,
}

impl Connection {
    pub(crate) async fn handshake(
        stream: Stream,
        limits: &Limits,
        retention: Retention,
    ) -> Result<Self, Error> {
        let (stream, last_heard) = Heard::new(stream);
        let (sender, mut connection) = Builder::new()
            .enable_push(false)
            .initial_max_send_streams(FIRST_MAX_STREAMS)
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(MAX_HEADERS)
            .max_send_buffer_size(MAX_SEND_BUFFER)
            .handshake(stream)
            .await
            .map_err(Error::Http2)?;
        let pings = limits.read_idle_timeout.zip(connection.ping_pong());
        let ping_timeout = limits.ping_timeout;
        drop(spawn_local(async move {
            let lost = async {
                match pings {
                    Some((silence, pings)) => {
                        until_lost(pings, last_heard, silence, ping_timeout).await;
                    }
                    None => pending().await,
                }
            };
            tokio::select! {
                // Its error reaches the requests that it serves.
                ended = connection => drop(ended),
                () = lost => {}
            }
        }));
        Ok(Self {
            sender: RefCell::new(sender),
            n_streams: Cell::new(0),
            retention,
            idle_until: Cell::new(None),
        })
    }

    /// Whether it takes no more requests: it is lost, or the server has said GOAWAY.
    pub(crate) fn is_closed(&self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        let ready = self.sender.borrow_mut().poll_ready(&mut cx);
        matches!(ready, Poll::Ready(Err(_)))
    }

    pub(crate) fn is_worth_keeping(&self, now: Instant) -> bool {
        let over =
            self.n_streams.get() == 0 && self.idle_until.get().is_some_and(|until| until <= now);
        !over && !self.is_closed()
    }

    /// The right to one stream, if there is one left.
    pub(crate) fn ticket(self: &Rc<Self>) -> Option<Ticket> {
        let max_streams = self.sender.borrow().current_max_send_streams();
        (self.n_streams.get() < max_streams).then(|| self.ticket_at_any_load())
    }

    pub(crate) fn ticket_at_any_load(self: &Rc<Self>) -> Ticket {
        self.n_streams.set(self.n_streams.get() + 1);
        Ticket(Rc::clone(self))
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Connection")
            .field("n_streams", &self.n_streams.get())
            .finish_non_exhaustive()
    }
}

/// The right to one stream of a connection, until it is dropped.
#[derive(Debug)]
pub(crate) struct Ticket(Rc<Connection>);

impl Ticket {
    pub(crate) fn sender(&self) -> SendRequest<Bytes> {
        self.0.sender.borrow().clone()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let left = self.0.n_streams.get() - 1;
        self.0.n_streams.set(left);
        if left == 0 {
            self.0.idle_until.set(self.0.retention.deadline());
        }
    }
}
