use std::{cell::Cell, fmt, future::poll_fn, pin::Pin, rc::Rc};

use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{task::spawn_local, time::Instant};

use super::upload::BoxBody;
use crate::{error::Error, peer::Limits, pool::Retention, stream::Stream};

/// One stream may fill this much while its reader rests …
const STREAM_WINDOW: u32 = 512 * 1024;
/// … and all together so much that none of them keeps the others waiting (Go's figure).
const CONNECTION_WINDOW: u32 = 1 << 30;
const MAX_HEADERS: u32 = 1024 * 1024;

/// A connection that many requests use at a time.
pub(crate) struct Connection {
    sender: SendRequest<BoxBody>,
    max_streams: Rc<Cell<usize>>,
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
        let (sender, mut connection) = Builder::new(LocalExecutor)
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(MAX_HEADERS)
            .keep_alive_interval(limits.read_idle_timeout)
            .keep_alive_timeout(limits.ping_timeout)
            .keep_alive_while_idle(true)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(Error::Http2)?;
        let max_streams = Rc::new(Cell::new(connection.current_max_send_streams()));
        let known_max = Rc::clone(&max_streams);
        // Its error reaches the requests that it serves.
        drop(spawn_local(poll_fn(move |cx| {
            let done = Pin::new(&mut connection).poll(cx);
            known_max.set(connection.current_max_send_streams());
            done
        })));
        Ok(Self {
            sender,
            max_streams,
            n_streams: Cell::new(0),
            retention,
            idle_until: Cell::new(None),
        })
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    pub(crate) fn is_worth_keeping(&self, now: Instant) -> bool {
        let over =
            self.n_streams.get() == 0 && self.idle_until.get().is_some_and(|until| until <= now);
        !over && !self.is_closed()
    }

    /// The right to one stream, if there is one left.
    pub(crate) fn ticket(self: &Rc<Self>) -> Option<Ticket> {
        (self.n_streams.get() < self.max_streams.get()).then(|| self.ticket_at_any_load())
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
            .field("max_streams", &self.max_streams.get())
            .finish_non_exhaustive()
    }
}

/// The right to one stream of a connection, until it is dropped.
#[derive(Debug)]
pub(crate) struct Ticket(Rc<Connection>);

impl Ticket {
    pub(crate) fn sender(&self) -> SendRequest<BoxBody> {
        self.0.sender.clone()
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

/// Runs a connection's tasks on the thread that made it.
#[derive(Debug, Clone, Copy)]
struct LocalExecutor;

impl<F: Future + 'static> hyper::rt::Executor<F> for LocalExecutor
where
    F::Output: 'static,
{
    fn execute(&self, task: F) {
        drop(spawn_local(task));
    }
}
