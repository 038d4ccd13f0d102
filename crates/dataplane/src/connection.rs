//! One client connection: which protocol it speaks, how long it may take, when it ends.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Request};
use http_body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use traefikrs_lb::Ticket;
use traefikrs_upstream::UpgradedIo;

use crate::clock::{Clock, Deadline, Millis};
use crate::entry_point::{EntryPoint, Stage};
use crate::proxy_protocol::{self, Start};
use crate::request_line::{HeadEnd, Note};
use crate::serve::serve;
use crate::socket::Socket;
use crate::tunnel;
use crate::unshared::Unshared;

const H2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Room for the first read of a connection: a usual request.
const FIRST_READ: usize = 4096;

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
    next: Cell<Next>,
    note: Cell<Option<Note>>,
    /// Whether the target of the request that is read next is known as it was written.
    line_is_known: Cell<bool>,
    /// Whether what was read of [`Next::Any`] could hide a `#` of a target.
    has_hash: Cell<bool>,
    /// The last bytes of it.
    tail: Cell<[u8; 3]>,
    /// A body is being read whose end the socket cannot tell.
    is_in_body: Cell<bool>,
    /// Waits for the request under way, with bytes of the next one.
    reader: RefCell<Option<Waker>>,
    /// The rest of a body that nobody wants.
    unread: RefCell<Option<Incoming>>,
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

/// What comes next from a client of HTTP/1, as far as the socket can tell.
///
/// hyper gets a head, and then what belongs to it. What comes behind is given out when it asks for the next head,
/// because the line of that one has to be [looked at](crate::request_line) first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// A request line.
    Line,
    /// The rest of a head.
    Head(HeadEnd),
    /// So many bytes of a body.
    Body(u64),
    /// The next request, which has to wait.
    Later,
    /// Anything: chunks and what follows them, or another protocol than HTTP/1.
    Any,
}

/// The request's target may be another than what hyper says.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("request sent ahead, behind chunks, with a target that cannot be told")]
pub(crate) struct Untold;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WaitingFor {
    /// The rest of a head.
    Head,
    /// The end of requests under way.
    Answer,
    /// The next request.
    Request,
}

/// What to do about a connection.
enum Order {
    Finish,
    Cut,
}

/// Serves a connection to its end.
pub(crate) async fn run(stream: TcpStream, socket_peer: SocketAddr, entry_point: Rc<EntryPoint>) {
    let _open = entry_point.opened();
    let clock = entry_point.clock();
    let deadline = Deadline::new(clock);
    deadline.set(clock.after(entry_point.options.timeouts.read));
    let Some((stream, opening)) = open(stream, socket_peer, &entry_point, &deadline).await else {
        return;
    };
    let connection = Rc::new(Connection::new(entry_point, &opening, deadline));
    let socket = Socket::new(stream, opening.early, Rc::clone(&connection));
    match opening.protocol {
        Protocol::Http1 => http1(connection, socket).await,
        Protocol::Http2 => http2(connection, socket).await,
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
    mut stream: TcpStream,
    socket_peer: SocketAddr,
    entry_point: &EntryPoint,
    deadline: &Deadline,
) -> Option<(TcpStream, Opening)> {
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
    stream: &mut TcpStream,
    socket_peer: SocketAddr,
    entry_point: &EntryPoint,
) -> Option<Opening> {
    let mut early = BytesMut::with_capacity(FIRST_READ);
    let mut peer = socket_peer;
    if let Some(trust) = &entry_point.options.proxy_protocol {
        let (len, client) = loop {
            match proxy_protocol::read(&early) {
                Ok(Start::Header { len, client }) => break (len, client),
                Ok(Start::Absent) => break (0, None),
                Ok(Start::Partial) => read_more(stream, &mut early).await?,
                Err(error) => {
                    tracing::debug!(%error, %socket_peer, "connection closed");
                    return None;
                }
            }
        };
        bytes::Buf::advance(&mut early, len);
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
        read_more(stream, &mut early).await?;
    };
    Some(Opening {
        peer,
        early: early.freeze(),
        protocol,
    })
}

/// `None` at the end of the stream.
async fn read_more(stream: &mut TcpStream, early: &mut BytesMut) -> Option<()> {
    match stream.read_buf(early).await {
        Ok(1..) => Some(()),
        Ok(0) | Err(_) => None,
    }
}

async fn http1(connection: Rc<Connection>, socket: Socket) {
    let shared = Rc::clone(&connection);
    let service = service_fn(move |request| {
        // At once: hyper may read on before it polls the future.
        let told = shared.has_head(&request);
        let in_flight = shared.begin();
        let connection = Rc::clone(&shared);
        async move {
            told?;
            Ok::<_, Untold>(serve(connection, in_flight, request).await)
        }
    });
    let mut hyper = connection
        .entry_point
        .http1
        .serve_connection(TokioIo::new(socket), service);
    let ended = poll_fn(|cx| {
        match connection.order(cx) {
            Some(Order::Cut) => return Poll::Ready(Ok(())),
            Some(Order::Finish) => Pin::new(&mut hyper).graceful_shutdown(),
            None => {}
        }
        Pin::new(&mut hyper).poll(cx)
    })
    .await;
    if let Err(error) = ended {
        tracing::debug!(%error, peer = %connection.peer, "connection ended");
    }
    let Some(server) = connection.tunnel.take() else {
        return;
    };
    let http1::Parts { io, read_buf, .. } = hyper.into_parts();
    let mut client = io.into_inner();
    client.unread(&read_buf);
    tunnel::run(client, server, &connection).await;
}

async fn http2(connection: Rc<Connection>, socket: Socket) {
    let shared = Rc::clone(&connection);
    let service = service_fn(move |request| {
        let in_flight = shared.begin();
        let connection = Rc::clone(&shared);
        async move { Ok::<_, Infallible>(serve(connection, in_flight, request).await) }
    });
    let mut hyper = pin!(
        connection
            .entry_point
            .http2
            .serve_connection(TokioIo::new(socket), service)
    );
    let ended = poll_fn(|cx| {
        match connection.order(cx) {
            Some(Order::Cut) => return Poll::Ready(Ok(())),
            Some(Order::Finish) => hyper.as_mut().graceful_shutdown(),
            None => {}
        }
        hyper.as_mut().poll(cx)
    })
    .await;
    if let Err(error) = ended {
        tracing::debug!(%error, peer = %connection.peer, "connection ended");
    }
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
            waiting_for: Cell::new(WaitingFor::Head),
            head_began: Cell::new(now),
            next: Cell::new(match opening.protocol {
                Protocol::Http1 => Next::Line,
                Protocol::Http2 => Next::Any,
            }),
            note: Cell::new(None),
            line_is_known: Cell::new(false),
            has_hash: Cell::new(false),
            tail: Cell::default(),
            is_in_body: Cell::new(false),
            reader: RefCell::new(None),
            unread: RefCell::new(None),
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

    fn clock(&self) -> &Rc<Clock> {
        self.entry_point.clock()
    }

    /// Told by the socket how much came in.
    pub(crate) fn received(&self, len: usize) {
        if len == 0 || self.waiting_for.get() != WaitingFor::Request {
            return;
        }
        self.head_began.set(self.clock().now());
        if self.protocol == Protocol::Http1 {
            self.waiting_for.set(WaitingFor::Head);
            let limit = self.entry_point.options.timeouts.read;
            self.deadline.set(self.clock().after(limit));
        }
    }

    /// What comes next.
    pub(crate) fn next(&self) -> Next {
        let next = self.next.get();
        if self.protocol == Protocol::Http2 || self.under_way.get() > 0 {
            return next;
        }
        match next {
            // What comes next is not HTTP.
            Next::Later if self.tunnel.borrow().is_some() => next,
            Next::Later => Next::Line,
            // hyper asks for more than an empty line only behind a body: it has nothing left of what came before.
            Next::Any if !self.is_in_body.get() && self.ended_in_empty_line() => Next::Line,
            next => next,
        }
    }

    fn ended_in_empty_line(&self) -> bool {
        let tail = self.tail.get();
        tail == *b"\n\r\n" || tail.ends_with(b"\n\n")
    }

    /// Told by the socket what comes next now.
    pub(crate) fn has_read(&self, next: Next) {
        self.next.set(if next == Next::Body(0) {
            Next::Later
        } else {
            next
        });
    }

    /// Told by the socket what came in of [`Next::Any`].
    pub(crate) fn has_read_any(&self, bytes: &[u8]) {
        self.received(bytes.len());
        if self.protocol == Protocol::Http2 {
            return;
        }
        if memchr::memchr(b'#', bytes).is_some() {
            self.has_hash.set(true);
        }
        let mut tail = self.tail.get();
        for &byte in bytes.iter().skip(bytes.len().saturating_sub(tail.len())) {
            tail = [tail[1], tail[2], byte];
        }
        self.tail.set(tail);
    }

    /// Told by the socket that it keeps bytes until the request under way has ended.
    pub(crate) fn reader_waits(&self, cx: &Context<'_>) {
        self.reader.replace(Some(cx.waker().clone()));
    }

    /// Told of each head of HTTP/1 before anything more is read.
    fn has_head(&self, request: &Request<Incoming>) -> Result<(), Untold> {
        let body = request.body();
        let is_over = body.is_end_stream();
        if !self.line_is_known.take() {
            self.is_in_body.set(!is_over);
            return if self.has_hash.get() {
                Err(Untold)
            } else {
                Ok(())
            };
        }
        self.next.set(match body.size_hint().exact() {
            _ if is_over => Next::Later,
            Some(length) => Next::Body(length),
            None => {
                self.is_in_body.set(true);
                Next::Any
            }
        });
        Ok(())
    }

    /// Told that all of a body has been read.
    pub(crate) fn has_body(&self) {
        self.is_in_body.set(false);
    }

    /// Keeps the rest of a body.
    pub(crate) fn leave_unread(&self, incoming: Incoming) {
        if self.protocol == Protocol::Http1 {
            self.unread.replace(Some(incoming));
        }
    }

    pub(crate) fn take_unread(&self) -> Option<Incoming> {
        self.unread.take()
    }

    /// No request after this one can be read.
    pub(crate) fn is_spoilt(&self) {
        if self.protocol == Protocol::Http1 {
            self.is_last.set(true);
        }
    }

    /// Whether a head has begun to come in and no request is under way.
    pub(crate) fn reads_head(&self) -> bool {
        self.protocol == Protocol::Http1 && self.waiting_for.get() == WaitingFor::Head
    }

    /// Told by the socket that a request line has come in, and what hyper will not tell of it.
    pub(crate) fn has_line(&self, note: Option<Note>) {
        self.line_is_known.set(true);
        self.has_hash.set(false);
        self.note.set(note);
    }

    /// What is to be known of the target just read besides.
    pub(crate) fn take_note(&self) -> Option<Note> {
        self.note.take()
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
            self.is_last.set(true);
            if self.protocol == Protocol::Http2 {
                self.deadline.wake();
            }
        }
        InFlight {
            connection: Rc::clone(self),
            is_answered: false,
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

    /// Whether the answer says that no more requests are wanted.
    pub(crate) fn says_close(&self) -> bool {
        self.is_last.get() && self.protocol == Protocol::Http1
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
        self.next.set(Next::Any);
        self.deadline.clear();
    }

    /// Ready when everything must end.
    pub(crate) fn poll_cut(&self, cx: &Context<'_>) -> Poll<()> {
        if self.entry_point.stage() == Stage::Cut {
            return Poll::Ready(());
        }
        self.deadline.poll(cx)
    }

    /// What to do now; the task is woken when that may change.
    fn order(&self, cx: &Context<'_>) -> Option<Order> {
        let is_late = self.deadline.poll(cx).is_ready();
        let stage = self.entry_point.stage();
        if stage == Stage::Cut {
            return Some(Order::Cut);
        }
        let is_worn_out = self.is_last.get() && self.protocol == Protocol::Http2;
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
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
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
