//! The client's end of a connection.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{Method, StatusCode, response};
use http_body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use traefikrs_http1::{
    Decoded, Decoder, Encoder, LARGE_READ, Refused, RequestHead, RequestReader, SMALL_READ, append,
};
use traefikrs_upstream::{BoxError, OnInterim};

use super::head;
use crate::body::Malformed;
use crate::connection::Connection;
use crate::hop_by_hop;
use crate::stream::Stream;
use crate::target::{self, Target};

/// Traefik: Go lets heads grow this much over the limit.
const HEADER_SLACK: usize = 4096;

/// The most of interim answers that is kept for a client that does not read them.
const MAX_INTERIM: usize = 64 << 10;

/// The most of an unwanted body that is read, as in Go, to keep the connection.
const MAX_UNWANTED: usize = 256 << 10;

/// How long the rest of an unwanted body may take.
const UNWANTED_TIME: Duration = Duration::from_millis(250);

/// How long a client that is still sending gets to read that it need not, as in Go.
const FAREWELL: Duration = Duration::from_millis(500);

/// The client's end of a connection, which the body of a request and what waits for its answer share.
#[derive(Debug)]
pub(crate) struct Leg {
    pub(crate) connection: Rc<Connection>,
    wire: RefCell<Wire>,
}

#[derive(Debug)]
struct Wire {
    stream: Stream,
    /// What has been read and not been understood yet. While the connection is idle, it is empty and holds no buffer.
    pending: Bytes,
    /// The body of the request under way, or of the last one.
    body: Decoder,
    /// Somebody may still read it.
    is_body_held: bool,
    /// What comes next cannot be told.
    is_lost: bool,
    go_ahead: GoAhead,
    /// Interim answers to write.
    interim: Vec<u8>,
    interim_at: usize,
    takes_interim: bool,
    /// Waits for the client to go, when the body is over.
    watcher: Option<Waker>,
}

/// `100 Continue`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GoAhead {
    /// The client does not wait for it.
    NotAwaited,
    /// The client waits for it.
    Awaited,
    /// It will never be said.
    Withheld,
}

impl Leg {
    pub(crate) fn new(connection: Rc<Connection>, stream: Stream, early: Bytes) -> Self {
        let wire = Wire {
            stream,
            pending: early,
            body: Decoder::length(0),
            is_body_held: false,
            is_lost: false,
            go_ahead: GoAhead::NotAwaited,
            interim: Vec::new(),
            interim_at: 0,
            takes_interim: false,
            watcher: None,
        };
        Self {
            connection,
            wire: RefCell::new(wire),
        }
    }

    /// Reads the head of the next request; there is none when the client has gone.
    pub(crate) async fn next_request(&self) -> Result<Option<RequestHead<Target>>, Refused> {
        let max_header_bytes = self.connection.entry_point.options.http.max_header_bytes;
        let limit = max_header_bytes.saturating_add(HEADER_SLACK);
        let mut reader = RequestReader::default();
        poll_fn(|cx| self.poll_request(&mut reader, limit, cx)).await
    }

    fn poll_request(
        &self,
        reader: &mut RequestReader,
        limit: usize,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<RequestHead<Target>>, Refused>> {
        let wire = &mut *self.wire.borrow_mut();
        let mut is_whole_read = true;
        loop {
            if !wire.pending.is_empty() {
                self.connection.received();
                let target = |method: &Method, raw| target::read(method, raw).ok();
                if let Some(head) = reader.read(&mut wire.pending, limit, target)? {
                    return Poll::Ready(Ok(Some(head)));
                }
                if is_whole_read {
                    own(&mut wire.pending);
                }
            }
            let read = self.connection.poll_read(&mut wire.stream, SMALL_READ, cx);
            let Ok(read) = ready!(read) else {
                return Poll::Ready(Ok(None));
            };
            if read.is_empty() {
                return Poll::Ready(if wire.pending.is_empty() {
                    Ok(None)
                } else {
                    // Traefik: half a request is a malformed one.
                    Err(Refused::Malformed)
                });
            }
            is_whole_read = wire.pending.is_empty();
            append(&mut wire.pending, read);
        }
    }

    /// Begins to read the body that a head has told of.
    pub(crate) fn begin_body(&self, body: Decoder, is_go_ahead_awaited: bool, is_old: bool) {
        let wire = &mut *self.wire.borrow_mut();
        own(&mut wire.pending);
        wire.go_ahead = if is_go_ahead_awaited && !body.is_done() {
            GoAhead::Awaited
        } else {
            GoAhead::NotAwaited
        };
        wire.body = body;
        wire.takes_interim = !is_old;
    }

    pub(crate) fn is_body_over(&self) -> bool {
        self.wire.borrow().body.is_done()
    }

    pub(crate) fn body_size(&self) -> SizeHint {
        let left = self.wire.borrow().body.left();
        left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }

    pub(crate) fn hold_body(&self) {
        self.wire.borrow_mut().is_body_held = true;
    }

    /// Nobody reads the body any more.
    pub(crate) fn let_body_go(&self) {
        let watcher = {
            let mut wire = self.wire.borrow_mut();
            wire.is_body_held = false;
            wire.watcher.take()
        };
        if let Some(watcher) = watcher {
            watcher.wake();
        }
    }

    /// The next piece of the body. A client that waits to be asked for it is asked.
    pub(crate) fn poll_body(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = self.poll_frame(cx);
        if let Poll::Ready(Err(_)) = &frame {
            self.lose_track();
        }
        frame.map(Result::transpose)
    }

    fn poll_frame(&self, cx: &mut Context<'_>) -> Poll<Result<Option<Frame<Bytes>>, BoxError>> {
        let wire = &mut *self.wire.borrow_mut();
        loop {
            let decoded = wire.body.decode(&mut wire.pending).map_err(Malformed)?;
            if wire.body.is_done() {
                own(&mut wire.pending);
            }
            match decoded {
                Decoded::Data(data) => return Poll::Ready(Ok(Some(Frame::data(data)))),
                Decoded::Trailers(trailers) => {
                    return Poll::Ready(Ok(Some(Frame::trailers(trailers))));
                }
                Decoded::End => return Poll::Ready(Ok(None)),
                Decoded::More => {}
            }
            match wire.go_ahead {
                GoAhead::NotAwaited => {}
                GoAhead::Awaited => wire.say_go_ahead(),
                GoAhead::Withheld => return Poll::Ready(Err(Unasked.into())),
            }
            // What cannot be written now will be when the answer is awaited.
            if let Poll::Ready(Err(error)) = wire.poll_interim(cx) {
                return Poll::Ready(Err(error.into()));
            }
            let room = wire.body.left().map_or(LARGE_READ, |left| {
                usize::try_from(left)
                    .unwrap_or(usize::MAX)
                    .clamp(SMALL_READ, LARGE_READ)
            });
            wire.pending = ready!(self.connection.poll_read(&mut wire.stream, room, cx))?;
            if wire.pending.is_empty() {
                let end = io::Error::from(io::ErrorKind::UnexpectedEof);
                return Poll::Ready(Err(end.into()));
            }
        }
    }

    /// Nothing that comes from now on can be understood.
    pub(crate) fn lose_track(&self) {
        self.wire.borrow_mut().is_lost = true;
    }

    /// Ready when the client has gone, which cannot be told before the end of the request's body.
    ///
    /// Interim answers are written meanwhile.
    pub(crate) fn poll_gone(&self, cx: &mut Context<'_>) -> Poll<()> {
        let wire = &mut *self.wire.borrow_mut();
        if let Poll::Ready(Err(_)) = wire.poll_interim(cx) {
            return Poll::Ready(());
        }
        if !wire.body.is_done() {
            wire.watcher = Some(cx.waker().clone());
            return Poll::Pending;
        }
        if !wire.pending.is_empty() {
            // It has more to ask.
            return Poll::Pending;
        }
        match ready!(self.connection.poll_read(&mut wire.stream, SMALL_READ, cx)) {
            // Traefik: a client that closes its half is taken to have gone.
            Ok(read) if read.is_empty() => Poll::Ready(()),
            Ok(read) => {
                wire.pending = Bytes::copy_from_slice(&read);
                Poll::Pending
            }
            Err(_) => Poll::Ready(()),
        }
    }

    /// The interim answers that are not written yet, to write the answer behind.
    pub(crate) fn take_interim(&self) -> Vec<u8> {
        let wire = &mut *self.wire.borrow_mut();
        let mut out = self.connection.entry_point.worker.buffers.take_head();
        if wire.interim_at < wire.interim.len() {
            out.extend_from_slice(&wire.interim[wire.interim_at..]);
        }
        wire.interim = Vec::new();
        wire.interim_at = 0;
        wire.takes_interim = false;
        if wire.go_ahead == GoAhead::Awaited {
            wire.go_ahead = GoAhead::Withheld;
        }
        out
    }

    /// Writes what there is of an answer.
    pub(crate) fn poll_write(
        &self,
        encoder: &mut Encoder,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let stream = &mut self.wire.borrow_mut().stream;
        encoder.poll_write(|slices| poll_write(stream, slices, cx))
    }

    /// Whether the next request can be read after this one's body, which is read first if nobody wants it.
    pub(crate) async fn settle_body(&self) -> bool {
        {
            let wire = self.wire.borrow();
            if wire.is_lost {
                return false;
            }
            if wire.body.is_done() || (wire.is_body_held && wire.go_ahead == GoAhead::NotAwaited) {
                return true;
            }
            let is_too_long = wire
                .body
                .left()
                .is_some_and(|left| left > MAX_UNWANTED as u64);
            // What has not been asked for is not waited for.
            if wire.is_body_held || wire.go_ahead != GoAhead::NotAwaited || is_too_long {
                return false;
            }
        }
        let deadline = self.connection.deadline_in(UNWANTED_TIME);
        let mut n_read = 0;
        while n_read <= MAX_UNWANTED {
            let frame = poll_fn(|cx| match self.poll_body(cx) {
                Poll::Pending if deadline.poll(cx).is_ready() => Poll::Ready(Err(())),
                Poll::Pending => Poll::Pending,
                Poll::Ready(frame) => Poll::Ready(frame.transpose().map_err(|_| ())),
            });
            match frame.await {
                Ok(Some(frame)) => n_read += frame.data_ref().map_or(0, Bytes::len),
                Ok(None) => return true,
                Err(()) => return false,
            }
        }
        false
    }

    /// Closes the connection. If the client is still sending, it gets time to read what was said: closing at once
    /// would take that from it.
    pub(crate) async fn close(&self) {
        let has_unread_input = {
            let wire = self.wire.borrow();
            wire.is_lost || !wire.body.is_done() || !wire.pending.is_empty()
        };
        if !has_unread_input {
            return;
        }
        let deadline = self.connection.deadline_in(FAREWELL);
        let mut is_shut = false;
        poll_fn(|cx| {
            let wire = &mut *self.wire.borrow_mut();
            if !is_shut && Pin::new(&mut wire.stream).poll_shutdown(cx).is_ready() {
                is_shut = true;
            }
            loop {
                match self.connection.poll_read(&mut wire.stream, SMALL_READ, cx) {
                    Poll::Ready(Ok(read)) if !read.is_empty() => {}
                    Poll::Ready(_) => return Poll::Ready(()),
                    Poll::Pending => return deadline.poll(cx),
                }
            }
        })
        .await;
    }

    /// Both directions of the connection, as bytes that mean nothing here.
    pub(crate) fn ends(&self) -> Ends<'_> {
        Ends(self)
    }
}

/// The client has not been asked for the body.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("request body was not asked for")]
struct Unasked;

impl Wire {
    fn say_go_ahead(&mut self) {
        self.go_ahead = GoAhead::NotAwaited;
        self.interim
            .extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
    }

    /// Writes interim answers; ready when none is left.
    fn poll_interim(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.interim_at < self.interim.len() {
            let rest = [IoSlice::new(&self.interim[self.interim_at..])];
            self.interim_at += ready!(poll_write(&mut self.stream, &rest, cx))?;
        }
        self.interim.clear();
        self.interim_at = 0;
        Poll::Ready(Ok(()))
    }
}

impl OnInterim for Leg {
    fn interim(&self, mut head: response::Parts) {
        let wire = &mut *self.wire.borrow_mut();
        // RFC 9110 §15.2: not to HTTP/1.0. A client that does not read may go without.
        if !wire.takes_interim || wire.interim.len() > MAX_INTERIM {
            return;
        }
        if head.status == StatusCode::CONTINUE && wire.go_ahead == GoAhead::Awaited {
            wire.go_ahead = GoAhead::NotAwaited;
        }
        hop_by_hop::remove(&mut head.headers);
        head.headers.remove(CONTENT_LENGTH);
        head::write_interim(&mut wire.interim, &head);
    }
}

/// Gives what is left of a buffer that others read to back to them.
fn own(bytes: &mut Bytes) {
    const SMALL: usize = SMALL_READ;
    if (1..=SMALL).contains(&bytes.len()) {
        *bytes = Bytes::copy_from_slice(bytes);
    }
}

fn poll_write(
    stream: &mut Stream,
    slices: &[IoSlice<'_>],
    cx: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    match slices {
        [one] => Pin::new(stream).poll_write(cx, one),
        many => Pin::new(stream).poll_write_vectored(cx, many),
    }
}

/// See [`Leg::ends`].
#[derive(Debug)]
pub(crate) struct Ends<'l>(&'l Leg);

impl AsyncRead for Ends<'_> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let wire = &mut *self.0.wire.borrow_mut();
        if wire.pending.is_empty() {
            return Pin::new(&mut wire.stream).poll_read(cx, buf);
        }
        let len = wire.pending.len().min(buf.remaining());
        buf.put_slice(&wire.pending.split_to(len));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Ends<'_> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0.wire.borrow_mut().stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0.wire.borrow_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0.wire.borrow_mut().stream).poll_shutdown(cx)
    }
}
