//! HTTP/2 over connections that all requests of a thread to one server share.

mod body;
mod connection;
mod exchange;
mod pings;
mod upload;

use std::{
    cell::{Cell, RefCell},
    fmt,
    pin::Pin,
    rc::{Rc, Weak},
};

use bytes::Bytes;
use futures_util::future::{FutureExt, Shared as SharedFuture, WeakShared};
use http_body::Body as HttpBody;
use tokio::time::Instant;

pub(crate) use self::body::Body;
use self::{
    connection::{Connection, Ticket},
    exchange::Exchange,
};
use crate::{
    answer::Answer,
    dial::{Offer, dial},
    error::{BoxError, Error, NoAnswer},
    peer::Limits,
    pool::{Pool, Retention},
    request::Outgoing,
    stream::Stream,
};

/// The HTTP/2 connections of a pool: one, as long as it has streams to give.
#[derive(Default)]
pub(crate) struct Shared {
    connections: RefCell<Vec<Rc<Connection>>>,
    dialing: RefCell<Option<WeakShared<Dialing>>>,
}

/// Requests that come while a connection is made wait for it instead of making their own.
type Dialing = Pin<Box<dyn Future<Output = Result<Dialed, Rc<Error>>>>>;

/// What came of it.
#[derive(Clone)]
enum Dialed {
    Http2(Rc<Connection>),
    /// A server with TLS wanted HTTP/1.1: the connection is for the first to come.
    Http1(Rc<Cell<Option<Stream>>>),
}

/// What to ask on.
pub(crate) enum Agreed {
    /// A stream of a shared connection.
    Http2(Ticket),
    /// A connection of one's own, unless somebody else has it.
    Http1(Option<Stream>),
}

impl Shared {
    pub(crate) fn sweep(&self, now: Instant) {
        self.connections
            .borrow_mut()
            .retain(|connection| connection.is_worth_keeping(now));
    }

    /// Lets the connections go; requests on them end first.
    pub(crate) fn clear(&self) {
        self.connections.borrow_mut().clear();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.connections.borrow().is_empty()
    }

    fn take(&self) -> Option<Ticket> {
        let mut connections = self.connections.borrow_mut();
        connections.retain(|connection| !connection.is_closed());
        connections.iter().find_map(Connection::ticket)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Shared")
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}

/// Asks on a shared connection, and once more on another when the first refuses the request unseen.
pub(crate) async fn send<B>(
    pool: Rc<Pool>,
    limits: &Limits,
    request: &mut Outgoing<B>,
) -> Result<Answer<B>, NoAnswer>
where
    B: HttpBody<Data = Bytes> + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    match agree(&pool, limits).await.map_err(NoAnswer::unsent)? {
        Agreed::Http2(ticket) => send_on(ticket, pool, limits, request).await,
        Agreed::Http1(_) => Err(NoAnswer::unsent(Error::Closed)),
    }
}

/// A stream of a connection that is there, or of one in the making.
pub(crate) async fn agree(pool: &Rc<Pool>, limits: &Limits) -> Result<Agreed, Error> {
    match pool.http2.take() {
        Some(ticket) => {
            pool.local.count(|stats| stats.reused += 1);
            Ok(Agreed::Http2(ticket))
        }
        None => connect(pool, limits).await,
    }
}

/// Asks on this stream, and once more on another connection if the server has not looked at the request.
pub(crate) async fn send_on<B>(
    ticket: Ticket,
    pool: Rc<Pool>,
    limits: &Limits,
    request: &mut Outgoing<B>,
) -> Result<Answer<B>, NoAnswer>
where
    B: HttpBody<Data = Bytes> + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    let mut exchange = Exchange::new(&pool, limits, request)?;
    match exchange.run(ticket).await {
        Ok(answer) => return Ok(answer),
        Err(error) if exchange.may_repeat(&error) => {}
        Err(error) => return Err(exchange.end(error)),
    }
    pool.local.count(|stats| stats.retried += 1);
    let error = match connect(&pool, limits).await {
        Ok(Agreed::Http2(ticket)) => match exchange.run(ticket).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        },
        Ok(Agreed::Http1(_)) => Error::Closed,
        Err(error) => error,
    };
    Err(exchange.end(error))
}

/// Waits for the connection in the making, or makes one.
async fn connect(pool: &Rc<Pool>, limits: &Limits) -> Result<Agreed, Error> {
    let dialing = join_or_dial(pool, limits);
    let dialed = dialing
        .await
        .map_err(|error| Rc::try_unwrap(error).unwrap_or_else(|error| error.of_a_connection()))?;
    Ok(match dialed {
        // A crowd may have waited for it. One stream too many waits inside the connection.
        Dialed::Http2(connection) => Agreed::Http2(
            Connection::ticket(&connection)
                .unwrap_or_else(|| Connection::ticket_at_any_load(&connection)),
        ),
        Dialed::Http1(stream) => Agreed::Http1(stream.take()),
    })
}

fn join_or_dial(pool: &Rc<Pool>, limits: &Limits) -> SharedFuture<Dialing> {
    let mut slot = pool.http2.dialing.borrow_mut();
    if let Some(dialing) = slot
        .as_ref()
        .and_then(WeakShared::upgrade)
        .filter(|dialing| dialing.peek().is_none())
    {
        return dialing;
    }
    let (pool, limits) = (Rc::downgrade(pool), *limits);
    let dialing: Dialing =
        Box::pin(async move { dial_either(&pool, &limits).await.map_err(Rc::new) });
    let dialing = dialing.shared();
    *slot = dialing.downgrade();
    dialing
}

async fn dial_either(pool: &Weak<Pool>, limits: &Limits) -> Result<Dialed, Error> {
    let pool = pool.upgrade().ok_or(Error::Closed)?;
    let stream = dial(&pool, limits, Offer::Either).await?;
    if stream.prefers_http1() {
        pool.prefers_http1.set(true);
        return Ok(Dialed::Http1(Rc::new(Cell::new(Some(stream)))));
    }
    let connection = Rc::new(Connection::handshake(stream, limits, Retention::from(limits)).await?);
    pool.http2
        .connections
        .borrow_mut()
        .push(Rc::clone(&connection));
    Ok(Dialed::Http2(connection))
}
