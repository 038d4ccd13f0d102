//! The client's end of a connection, as hyper reads and writes it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::connection::{Connection, Next};
use crate::refusal;
use crate::request_line::{self, HeadEnd, Line};

/// How much is copied rather than collected by the kernel.
const SMALL_WRITE: usize = 4096;

/// How much of a head is read at once. What turns out to be behind it is copied, so it is not too much.
const LINE_READ: usize = 4096;

/// How much of a body is read at once: hyper would read ever more at a time, and keep as much room, up to the limit on
/// heads.
const BODY_READ: usize = 64 << 10;

/// A stream, what has been read of it already, and whom to tell when more comes.
pub(crate) struct Socket {
    stream: TcpStream,
    early: Bytes,
    /// The beginning of a request line, until all of it is there.
    held: Vec<u8>,
    connection: Rc<Connection>,
}

impl Socket {
    pub(crate) fn new(stream: TcpStream, early: Bytes, connection: Rc<Connection>) -> Self {
        Self {
            stream,
            early,
            held: Vec::new(),
            connection,
        }
    }

    /// Puts back what was read too far.
    pub(crate) fn unread(&mut self, bytes: &[u8]) {
        self.put_back(bytes);
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.connection.next() {
            Next::Line => self.poll_read_line(cx, buf),
            Next::Head(end) => self.poll_read_head(cx, buf, end),
            Next::Body(left) => {
                let limit = usize::try_from(left).map_or(BODY_READ, |left| left.min(BODY_READ));
                let n_read = ready!(self.poll_read_at_most(cx, buf, limit))?;
                self.connection.has_read(Next::Body(left - n_read as u64));
                Poll::Ready(Ok(()))
            }
            Next::Later => self.poll_hold_back(cx, buf),
            Next::Any => {
                let mut part =
                    ReadBuf::new(buf.initialize_unfilled_to(BODY_READ.min(buf.remaining())));
                ready!(self.poll_read_some(cx, &mut part))?;
                let n_read = part.filled().len();
                self.connection.has_read_any(part.filled());
                buf.advance(n_read);
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl Socket {
    fn poll_read_some(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.early.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, buf);
        }
        let len = self.early.len().min(buf.remaining());
        buf.put_slice(&self.early[..len]);
        self.early.advance(len);
        Poll::Ready(Ok(()))
    }

    /// Writes a few small pieces as one, which is cheaper than to have the kernel collect them.
    fn poll_write_joined(
        &mut self,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut joined = self.connection.entry_point.worker.scratch.take();
        joined.clear();
        for piece in pieces {
            joined.extend_from_slice(piece);
        }
        let written = Pin::new(&mut self.stream).poll_write(cx, &joined);
        self.connection.entry_point.worker.scratch.replace(joined);
        written
    }

    /// Reads no more than `limit`, and tells how much it was.
    fn poll_read_at_most(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
        limit: usize,
    ) -> Poll<io::Result<usize>> {
        let mut part = ReadBuf::new(buf.initialize_unfilled_to(limit.min(buf.remaining())));
        ready!(self.poll_read_some(cx, &mut part))?;
        let n_read = part.filled().len();
        buf.advance(n_read);
        self.connection.received(n_read);
        Poll::Ready(Ok(n_read))
    }

    /// Reads the head of a request, up to the end of its first line at least.
    ///
    /// Bytes are held back while the line is not complete, and it is given out in the form that hyper can read.
    fn poll_read_line(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let before = buf.filled().len();
            let n_read = ready!(self.poll_read_at_most(cx, buf, LINE_READ))?;
            let new = &buf.filled()[before..];
            if self.held.is_empty()
                && request_line::blank(new) == 0
                && request_line::read(new) == Line::Fine
            {
                self.connection.has_line(None);
                self.give_head(buf, before, HeadEnd::default());
                return Poll::Ready(Ok(()));
            }
            self.held.extend_from_slice(new);
            buf.set_filled(before);
            let blank = request_line::blank(&self.held);
            self.held.drain(..blank);
            let note = match request_line::read(&self.held) {
                Line::Unfinished if n_read > 0 => continue,
                Line::Unfinished | Line::Fine => None,
                Line::Rewritten(rewritten) => {
                    self.held.splice(..rewritten.replaces, rewritten.line);
                    rewritten.note
                }
            };
            let held = std::mem::take(&mut self.held);
            self.put_back(&held);
            self.connection.has_line(note);
            return self.poll_read_head(cx, buf, HeadEnd::default());
        }
    }

    fn poll_read_head(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
        end: HeadEnd,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(self.poll_read_at_most(cx, buf, LINE_READ))?;
        self.give_head(buf, before, end);
        Poll::Ready(Ok(()))
    }

    /// Keeps what is behind the head for later: hyper would take it for the next request without asking.
    fn give_head(&mut self, buf: &mut ReadBuf<'_>, before: usize, mut end: HeadEnd) {
        let new = &buf.filled()[before..];
        match end.find(new) {
            Some(len) => {
                if len < new.len() {
                    let rest = new[len..].to_vec();
                    buf.set_filled(before + len);
                    self.put_back(&rest);
                }
                // Its body, if it has one, is not known before hyper has read the head.
                self.connection.has_read(Next::Any);
            }
            None => self.connection.has_read(Next::Head(end)),
        }
    }

    fn put_back(&mut self, bytes: &[u8]) {
        self.early = Bytes::from([bytes, &self.early[..]].concat());
    }

    /// Notices the end of the stream while a request is under way, and keeps anything else for later.
    fn poll_hold_back(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.connection.reader_waits(cx);
        if !self.early.is_empty() {
            return Poll::Pending;
        }
        let before = buf.filled().len();
        let mut part = ReadBuf::new(buf.initialize_unfilled_to(LINE_READ.min(buf.remaining())));
        ready!(self.poll_read_some(cx, &mut part))?;
        if part.filled().is_empty() {
            return Poll::Ready(Ok(()));
        }
        self.early = Bytes::copy_from_slice(part.filled());
        debug_assert_eq!(buf.filled().len(), before, "nothing is given out");
        Poll::Pending
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match bufs {
            [head] => {
                if self.connection.reads_head()
                    && let Some(refusal) = refusal::in_words(head)
                {
                    ready!(Pin::new(&mut self.stream).poll_write(cx, &refusal))?;
                    return Poll::Ready(Ok(head.len()));
                }
                Pin::new(&mut self.stream).poll_write(cx, head)
            }
            many if many.iter().map(|buf| buf.len()).sum::<usize>() <= SMALL_WRITE => {
                self.poll_write_joined(cx, many)
            }
            many => Pin::new(&mut self.stream).poll_write_vectored(cx, many),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
