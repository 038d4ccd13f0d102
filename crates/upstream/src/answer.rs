use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::response::Parts;
use http_body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{
    error::{BoxError, Error},
    http1, http2,
    stream::Stream,
};

/// What did the server say?
///
/// Header values and pieces of the body are slices of a buffer of 64 KiB that many connections read into, which lives
/// as long as any of them: copy what is to be kept for long.
#[derive(Debug)]
pub enum Answer<B> {
    /// A response. Hop-by-hop fields other than `Transfer-Encoding` are left in the head, for the caller to act upon.
    Response {
        /// Status and headers.
        head: Parts,
        /// What follows the head.
        body: UpstreamBody<B>,
    },
    /// The server agreed to speak the protocol in [`Outgoing::upgrade`](crate::Outgoing::upgrade).
    Upgraded {
        /// The 101 and its headers.
        head: Parts,
        /// The connection, now the caller's.
        io: UpgradedIo,
    },
}

/// The body of a response. Nothing is read of it but what is polled.
///
/// An answer may come before the request is through: the request then goes on, whether this is polled or not, until
/// this is at its end or dropped. The connection is used again once both are through; a body that is dropped before
/// that closes it (HTTP/2: resets the stream), and so does one that ends before its request.
pub struct UpstreamBody<B>(Source<B>);

enum Source<B> {
    Http1(http1::Body<B>),
    Http2(http2::Body<B>),
}

impl<B> UpstreamBody<B> {
    pub(crate) fn http1(body: http1::Body<B>) -> Self {
        Self(Source::Http1(body))
    }

    pub(crate) fn http2(body: http2::Body<B>) -> Self {
        Self(Source::Http2(body))
    }
}

impl<B> Body for UpstreamBody<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match &mut self.0 {
            Source::Http1(body) => body.poll_frame(cx),
            Source::Http2(body) => body.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Source::Http1(body) => body.is_end_stream(),
            Source::Http2(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Source::Http1(body) => body.size_hint(),
            Source::Http2(body) => body.size_hint(),
        }
    }
}

impl<B> fmt::Debug for UpstreamBody<B> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Http1(body) => body.fmt(formatter),
            Source::Http2(body) => body.fmt(formatter),
        }
    }
}

/// A connection that no longer speaks HTTP, with what the server had already said on it.
#[derive(Debug)]
pub struct UpgradedIo {
    early: Bytes,
    stream: Stream,
}

impl UpgradedIo {
    pub(crate) fn new(stream: Stream, early: Bytes) -> Self {
        Self { early, stream }
    }

    /// What came in one piece with the head; it is not read again.
    pub fn take_early(&mut self) -> Bytes {
        std::mem::take(&mut self.early)
    }
}

impl AsyncRead for UpgradedIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.early.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, buf);
        }
        let n = self.early.len().min(buf.remaining());
        buf.put_slice(&self.early.split_to(n));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for UpgradedIo {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
