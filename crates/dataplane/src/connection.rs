//! One client connection: which protocol it speaks, how long it may take, when it ends.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes};
use http::HeaderValue;
use traefikrs_http1::{SMALL_READ, append};
use traefikrs_lb::Ticket;
use traefikrs_upstream::UpgradedIo;

use crate::clock::{Clock, Deadline, Millis};
use crate::entry_point::{EntryPoint, Stage};
use crate::proxy_protocol::{self, Start};
use crate::stream::Stream;
use crate::unshared::Unshared;
use crate::{http1, http2};

const H2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How long a connection that was asked to end may take to do so.
const FAREWELL: Duration = Duration::from_secs(5);

/// What is known of a client connection, shared by its requests.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) entry_point: Rc<EntryPoint>,
    pub(crate) peer: SocketAddr,
    /// The peer's address without the port, as text.
    pub(crate) peer_ip: HeaderValue,
    protocol: Protocol,
    opened: Millis,
    deadline: Deadline,
    waiting_for: Cell<WaitingFor>,
    /// When the head now being read, or read last, began to arrive.
    head_began: Cell<Millis>,
    under_way: Cell<u32>,
    served: Cell<u64>,
    /// No request after this one is wanted.
    is_last: Cell<bool>,
    /// Told to end when it is idle.
    is_finishing: Cell<bool>,
    is_trusted: bool,
    /// Whether its requests share connections to servers with others.
    pub(crate) unshared: Unshared,
    tunnel: RefCell<Option<UpgradedIo>>,
    /// Counts the tunnel as a request under way for as long as the connection lives.
    tunnel_ticket: RefCell<Ticket>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WaitingFor {
    /// The rest of a head.
    Head,
    /// The end of requests under way.
    Answer,
    /// The next request.
    Request,
}

/// What to do about a connection of HTTP/2.
pub(crate) enum Order {
    Finish,
    Cut,
}

/// Serves a connection to its end.
pub(crate) async fn run(stream: Stream, socket_peer: SocketAddr, entry_point: Rc<EntryPoint>) {
    let _open = entry_point.opened();
    let clock = entry_point.clock();
    let deadline = Deadline::new(clock);
    deadline.set(clock.after(entry_point.options.timeouts.read));
    let Some((stream, opening)) = open(stream, socket_peer, &entry_point, &deadline).await else {
        return;
    };
    if opening.protocol == Protocol::Http2 {
        // Traefik: a client that may ask any time need not ask at once.
        deadline.set(entry_point.clock().after(entry_point.options.timeouts.idle));
    }
    let connection = Rc::new(Connection::new(entry_point, &opening, deadline));
    match opening.protocol {
        Protocol::Http1 => http1::serve(connection, stream, opening.early).await,
        // Boxed, because most connections do not need the room.
        Protocol::Http2 => Box::pin(http2::serve(connection, stream, opening.early)).await,
    }
}

/// What the first bytes of a connection say.
struct Opening {
    peer: SocketAddr,
    early: Bytes,
    protocol: Protocol,
}

/// Reads until the client and its protocol are known; `None` if that does not happen in time.
async fn open(
    mut stream: Stream,
    socket_peer: SocketAddr,
    entry_point: &EntryPoint,
    deadline: &Deadline,
) -> Option<(Stream, Opening)> {
    let opening = {
        let mut opening = pin!(read_opening(&mut stream, socket_peer, entry_point));
        let mut is_hurried = false;
        poll_fn(|cx| {
            let stage = entry_point.stage();
            if stage == Stage::Draining && !is_hurried {
                // It may have been accepted just now: what it has sent takes a moment to be seen.
                is_hurried = true;
                deadline.set(entry_point.clock().after(Some(Duration::ZERO)));
            }
            if stage == Stage::Cut || deadline.poll(cx).is_ready() {
                return Poll::Ready(None);
            }
            opening.as_mut().poll(cx)
        })
        .await?
    };
    Some((stream, opening))
}

async fn read_opening(
    stream: &mut Stream,
    socket_peer: SocketAddr,
    entry_point: &EntryPoint,
) -> Option<Opening> {
    let mut early = Bytes::new();
    let mut peer = socket_peer;
    if let Some(trust) = &entry_point.options.proxy_protocol {
        let (len, client) = loop {
            match proxy_protocol::read(&early) {
                Ok(Start::Header { len, client }) => break (len, client),
                Ok(Start::Absent) => break (0, None),
                Ok(Start::Partial) => read_more(stream, entry_point, &mut early).await?,
                Err(error) => {
                    tracing::debug!(%error, %socket_peer, "connection closed");
                    return None;
                }
            }
        };
        early.advance(len);
        // Traefik: the header of a peer that is not trusted is read as well, and then forgotten.
        if let Some(client) = client.filter(|_| trust.includes(socket_peer.ip())) {
            peer = client;
        }
    }
    let protocol = loop {
        if early.starts_with(H2_PREFACE) {
            break Protocol::Http2;
        }
        if !H2_PREFACE.starts_with(&early) {
            break Protocol::Http1;
        }
        read_more(stream, entry_point, &mut early).await?;
    };
    Some(Opening {
        peer,
        early,
        protocol,
    })
}

/// `None` at the end of the stream.
async fn read_more(stream: &mut Stream, entry_point: &EntryPoint, early: &mut Bytes) -> Option<()> {
    let read = poll_fn(|cx| entry_point.worker.poll_read(stream, SMALL_READ, cx)).await;
    let read = read.ok().filter(|read| !read.is_empty())?;
    append(early, read);
    Some(())
}

impl Connection {
    fn new(entry_point: Rc<EntryPoint>, opening: &Opening, deadline: Deadline) -> Self {
        let now = entry_point.clock().now();
        let peer = SocketAddr::new(opening.peer.ip().to_canonical(), opening.peer.port());
        Self {
            peer,
            peer_ip: text_of(peer.ip()),
            protocol: opening.protocol,
            opened: now,
            deadline,
            waiting_for: Cell::new(match opening.protocol {
                Protocol::Http1 => WaitingFor::Head,
                Protocol::Http2 => WaitingFor::Request,
            }),
            head_began: Cell::new(now),
            under_way: Cell::new(0),
            served: Cell::new(0),
            is_last: Cell::new(false),
            is_finishing: Cell::new(false),
            is_trusted: entry_point
                .options
                .forwarded_headers
                .trust
                .includes(peer.ip()),
            unshared: Unshared::new(&entry_point.worker),
            tunnel: RefCell::new(None),
            tunnel_ticket: RefCell::default(),
            entry_point,
        }
    }

    pub(crate) fn clock(&self) -> &Rc<Clock> {
        self.entry_point.clock()
    }

    /// Told that something of a head has come in.
    pub(crate) fn received(&self) {
        if self.waiting_for.get() != WaitingFor::Request {
            return;
        }
        self.head_began.set(self.clock().now());
        self.waiting_for.set(WaitingFor::Head);
        let limit = self.entry_point.options.timeouts.read;
        self.deadline.set(self.clock().after(limit));
    }

    /// Counts a request in.
    pub(crate) fn begin(self: &Rc<Self>) -> InFlight {
        self.under_way.set(self.under_way.get() + 1);
        self.served.set(self.served.get() + 1);
        self.waiting_for.set(WaitingFor::Answer);
        match self.protocol {
            Protocol::Http1 => {
                let limit = self.entry_point.options.timeouts.write;
                self.deadline.set(self.clock().after(limit));
            }
            Protocol::Http2 => {
                self.head_began.set(self.clock().now());
                self.deadline.clear();
            }
        }
        if self.is_worn_out() {
            self.finish();
        }
        InFlight {
            connection: Rc::clone(self),
            is_answered: false,
        }
    }

    /// Ends the connection when what is under way is.
    pub(crate) fn finish(&self) {
        self.is_last.set(true);
        if self.protocol == Protocol::Http2 {
            self.deadline.wake();
        }
    }

    fn is_worn_out(&self) -> bool {
        let keep_alive = self.entry_point.options.keep_alive;
        let by_requests = keep_alive
            .max_requests
            .is_some_and(|max| self.served.get() >= max.get());
        let by_time = keep_alive.max_time.is_some_and(|max| {
            let age = self.clock().now().saturating_sub(self.opened);
            Duration::from_millis(age) > max
        });
        by_requests || by_time
    }

    /// Whether the peer's word about the client is taken.
    pub(crate) fn is_trusted(&self) -> bool {
        self.is_trusted
    }

    pub(crate) fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Whether the connection has had the requests or the time that it may have.
    pub(crate) fn is_last(&self) -> bool {
        self.is_last.get()
    }

    /// Whether the entry point takes no more requests.
    pub(crate) fn is_draining(&self) -> bool {
        self.entry_point.stage() != Stage::Serving
    }

    /// A deadline for the request whose head has just been read.
    pub(crate) fn read_deadline(&self) -> Deadline {
        let deadline = Deadline::new(self.clock());
        if let Some(limit) = self.entry_point.options.timeouts.read {
            let gone = self.clock().now().saturating_sub(self.head_began.get());
            let left = limit.saturating_sub(Duration::from_millis(gone));
            deadline.set(self.clock().after(Some(left)));
        }
        deadline
    }

    pub(crate) fn deadline_in(&self, time: Duration) -> Deadline {
        let deadline = Deadline::new(self.clock());
        deadline.set(self.clock().after(Some(time)));
        deadline
    }

    /// Reads what is there, into at least `room` bytes. Nothing means the end.
    pub(crate) fn poll_read(
        &self,
        stream: &mut Stream,
        room: usize,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Bytes>> {
        self.entry_point.worker.poll_read(stream, room, cx)
    }

    /// What becomes of the connection when the 101 is written.
    pub(crate) fn tunnel_to(&self, server: UpgradedIo, ticket: Ticket) {
        *self.tunnel.borrow_mut() = Some(server);
        *self.tunnel_ticket.borrow_mut() = ticket;
    }

    /// Takes the deadlines off for good.
    ///
    /// Traefik: once switched to another protocol, a connection may be silent for as long as it likes.
    pub(crate) fn begin_tunnel(&self) {
        self.waiting_for.set(WaitingFor::Answer);
        self.deadline.clear();
    }

    /// What becomes of the connection now that its 101 is written.
    pub(crate) fn take_tunnel(&self) -> Option<UpgradedIo> {
        self.tunnel.take()
    }

    /// Whether a connection of HTTP/1 must end now, whatever is under way; the task is woken when that may change.
    pub(crate) fn is_over(&self, cx: &Context<'_>) -> bool {
        let is_late = self.deadline.poll(cx).is_ready();
        let is_idle = self.waiting_for.get() == WaitingFor::Request;
        is_late
            || match self.entry_point.stage() {
                Stage::Serving => false,
                Stage::Draining => is_idle,
                Stage::Cut => true,
            }
    }

    /// What to do about a connection of HTTP/2 now; the task is woken when that may change.
    pub(crate) fn order(&self, cx: &Context<'_>) -> Option<Order> {
        let is_late = self.deadline.poll(cx).is_ready();
        let stage = self.entry_point.stage();
        if stage == Stage::Cut {
            return Some(Order::Cut);
        }
        let is_worn_out = self.is_last.get();
        let is_idle = self.waiting_for.get() == WaitingFor::Request;
        if is_late && (self.is_finishing.get() || !is_idle) {
            return Some(Order::Cut);
        }
        if self.is_finishing.get() || !(is_late || is_worn_out || stage == Stage::Draining) {
            return None;
        }
        self.is_finishing.set(true);
        if is_idle {
            self.deadline.set(self.clock().after(Some(FAREWELL)));
            if self.deadline.poll(cx).is_ready() {
                return Some(Order::Cut);
            }
        }
        Some(Order::Finish)
    }

    fn ended_one(&self) {
        let under_way = self.under_way.get() - 1;
        self.under_way.set(under_way);
        if under_way > 0 {
            return;
        }
        self.waiting_for.set(WaitingFor::Request);
        let limit = if self.is_finishing.get() {
            Some(FAREWELL)
        } else {
            self.entry_point.options.timeouts.idle
        };
        self.deadline.set(self.clock().after(limit));
    }
}

/// A request under way: as long as it is, the connection is not idle.
#[derive(Debug)]
pub(crate) struct InFlight {
    connection: Rc<Connection>,
    pub(crate) is_answered: bool,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if !self.is_answered {
            // There is nobody left to tell.
            tracing::debug!(status = 499, peer = %self.connection.peer, "client closed request");
        }
        self.connection.ended_one();
    }
}

/// The text of an address.
fn text_of(address: IpAddr) -> HeaderValue {
    HeaderValue::try_from(address.to_string()).expect("an address is written in ASCII")
}
