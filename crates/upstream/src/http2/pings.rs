//! Whether a server that says nothing is still there.

use std::{
    cell::Cell,
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use h2::{Ping, PingPong};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, sleep_until, timeout},
};

use crate::stream::Stream;

/// A connection that remembers when something was read from it.
pub(crate) struct Heard {
    stream: Stream,
    last: Rc<Cell<Instant>>,
}

impl Heard {
    pub(crate) fn new(stream: Stream) -> (Self, Rc<Cell<Instant>>) {
        let last = Rc::new(Cell::new(Instant::now()));
        let heard = Self {
            stream,
            last: Rc::clone(&last),
        };
        (heard, last)
    }
}

/// Asks for a sign of life after each `silence`, and returns when there is none for as long as `patience` lasts.
pub(crate) async fn until_lost(
    mut pings: PingPong,
    last_heard: Rc<Cell<Instant>>,
    silence: Duration,
    patience: Duration,
) {
    loop {
        let silent_at = last_heard.get() + silence;
        if Instant::now() < silent_at {
            sleep_until(silent_at).await;
        } else if !matches!(
            timeout(patience, pings.ping(Ping::opaque())).await,
            Ok(Ok(_))
        ) {
            return;
        }
    }
}

impl AsyncRead for Heard {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if read.is_ready() {
            self.last.set(Instant::now());
        }
        read
    }
}

impl AsyncWrite for Heard {
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
