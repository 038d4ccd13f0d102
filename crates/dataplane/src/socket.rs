//! The client's end of a connection, as hyper reads and writes it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::connection::Connection;
use crate::refusal;
use crate::request_line::{self, Line};

/// How much is copied rather than collected by the kernel.
const SMALL_WRITE: usize = 4096;

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
    pub(crate) fn unread(&mut self, bytes: Bytes) {
        debug_assert!(self.early.is_empty(), "what was read early is read first");
        self.early = bytes;
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.connection.expects_line() {
            return self.poll_read_line(cx, buf);
        }
        let before = buf.filled().len();
        ready!(self.poll_read_some(cx, buf))?;
        self.connection.received(buf.filled().len() - before);
        Poll::Ready(Ok(()))
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
            ready!(self.poll_read_some(cx, buf))?;
            let new = &buf.filled()[before..];
            self.connection.received(new.len());
            if self.held.is_empty() && request_line::read(new) == Line::Fine {
                self.connection.has_line(false);
                return Poll::Ready(Ok(()));
            }
            let is_over = new.is_empty();
            self.held.extend_from_slice(new);
            buf.set_filled(before);
            let has_fragment = match request_line::read(&self.held) {
                Line::Unfinished if !is_over => continue,
                Line::Unfinished | Line::Fine => false,
                Line::Rewritten(rewritten) => {
                    self.held.splice(..rewritten.replaces, rewritten.line);
                    rewritten.has_fragment
                }
            };
            let held = std::mem::take(&mut self.held);
            self.early = Bytes::from([&held[..], &self.early[..]].concat());
            self.connection.has_line(has_fragment);
            return self.poll_read_some(cx, buf);
        }
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
