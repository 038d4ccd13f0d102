//! The body of an answer, and what is left of its request.

use std::{
    mem,
    rc::Rc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use traefikrs_http1::{Decoded, Decoder, LARGE_READ, SMALL_READ};

use super::{
    sending::Sending,
    upload::{Outcome, Upload},
};
use crate::{
    error::{BoxError, Error},
    pool::{Pool, Retention},
    stream::Stream,
};

/// Reads the body, while the request may still be on its way.
pub(crate) struct Body<B> {
    decoder: Decoder,
    pending: Bytes,
    /// Gone when the connection is back in the pool, or closed.
    connection: Option<Connection<B>>,
}

struct Connection<B> {
    wire: Wire<B>,
    pool: Rc<Pool>,
    retention: Retention,
    reusable: bool,
}

enum Wire<B> {
    /// Nothing is left to send.
    Spoken(Stream),
    /// The answer has come before the end of the request.
    Speaking(Upload<B>),
}

impl<B> Body<B> {
    pub(crate) fn new(
        pool: Rc<Pool>,
        retention: Retention,
        stream: Stream,
        pending: Bytes,
        decoder: Decoder,
        reusable: bool,
        sending: Option<Sending<B>>,
    ) -> Self
    where
        B: HttpBody<Data = Bytes> + Unpin + 'static,
        B::Error: Into<BoxError>,
    {
        let connection = Some(Connection {
            wire: match sending {
                None => Wire::Spoken(stream),
                Some(sending) => Wire::Speaking(Upload::start(stream, sending)),
            },
            pool,
            retention,
            reusable,
        });
        let mut body = Self {
            decoder,
            pending,
            connection,
        };
        body.settle();
        body
    }

    /// Lets go of the connection as soon as all of the answer has been read, which may be before the caller has it.
    fn settle(&mut self) {
        let all_read = match self.decoder.left() {
            Some(left) => left <= self.pending.len() as u64,
            None => self.decoder.is_done(),
        };
        if !all_read {
            return;
        }
        let unasked = match self.decoder.left() {
            Some(left) => left < self.pending.len() as u64,
            None => !self.pending.is_empty(),
        };
        if let Some(connection) = self.connection.take()
            && connection.reusable
            && !unasked
            && let Some(stream) = connection.wire.into_quiet()
        {
            connection.pool.release(stream, connection.retention);
        }
    }

    fn fail(&mut self, error: Error) -> Error {
        self.connection = None;
        self.pending = Bytes::new();
        self.decoder = Decoder::length(0);
        error
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        self.decoder.is_done()
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        self.decoder
            .left()
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl<B> Body<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match ready!(self.poll_next(cx)) {
            Ok(frame) => Poll::Ready(frame.map(Ok)),
            Err(error) => Poll::Ready(Some(Err(self.fail(error)))),
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Frame<Bytes>>, Error>> {
        loop {
            if let Some(connection) = &mut self.connection {
                connection.check_upload()?;
            }
            let decoded = self
                .decoder
                .decode(&mut self.pending)
                .map_err(Error::MalformedBody)?;
            if self.connection.is_some() {
                self.settle();
            }
            match decoded {
                Decoded::Data(data) => return Poll::Ready(Ok(Some(Frame::data(data)))),
                Decoded::Trailers(trailers) => {
                    return Poll::Ready(Ok(Some(Frame::trailers(trailers))));
                }
                Decoded::End => return Poll::Ready(Ok(None)),
                Decoded::More => {}
            }
            let Some(connection) = &mut self.connection else {
                return Poll::Ready(Ok(None));
            };
            let bytes = ready!(connection.poll_read(&self.decoder, cx))?;
            if bytes.is_empty() {
                return Poll::Ready(self.ended());
            }
            self.pending = bytes;
        }
    }

    /// The server has closed: the end of a body without length, and the loss of any other.
    fn ended(&mut self) -> Result<Option<Frame<Bytes>>, Error> {
        self.connection = None;
        if mem::replace(&mut self.decoder, Decoder::length(0)).is_until_close() {
            Ok(None)
        } else {
            Err(Error::TruncatedBody)
        }
    }
}

impl<B> Connection<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    /// What the server has to say may still arrive when it has stopped listening; a request that cannot be ended has
    /// no answer.
    fn check_upload(&mut self) -> Result<(), Error> {
        let Wire::Speaking(upload) = &self.wire else {
            return Ok(());
        };
        match upload.take_outcome() {
            Some(Outcome::RequestFailed(error)) => Err(Error::RequestBody(error)),
            Some(Outcome::ConnectionFailed) => {
                self.reusable = false;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn poll_read(&mut self, decoder: &Decoder, cx: &mut Context<'_>) -> Poll<Result<Bytes, Error>> {
        let room = decoder.left().map_or(LARGE_READ, |left| {
            usize::try_from(left)
                .unwrap_or(usize::MAX)
                .clamp(SMALL_READ, LARGE_READ)
        });
        let local = &self.pool.local;
        match &mut self.wire {
            Wire::Spoken(stream) => local.poll_read(stream, room, cx),
            Wire::Speaking(upload) => upload.poll_read(local, room, cx),
        }
        .map_err(Error::Io)
    }
}

impl<B> Wire<B> {
    /// The stream, if all of the request is on it.
    fn into_quiet(self) -> Option<Stream> {
        match self {
            Self::Spoken(stream) => Some(stream),
            Self::Speaking(upload) => upload.into_quiet(),
        }
    }
}

impl<B> std::fmt::Debug for Body<B> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Body")
            .field("decoder", &self.decoder)
            .finish_non_exhaustive()
    }
}
