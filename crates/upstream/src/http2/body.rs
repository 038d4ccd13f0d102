use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use traefikrs_http1::may_trail;

use super::{connection::Ticket, upload::Upload};
use crate::error::Error;

/// The body of an answer, and its stream.
pub(crate) struct Body<B> {
    incoming: Incoming,
    /// What is left of the request goes when the answer does.
    _upload: Upload<B>,
    _ticket: Ticket,
}

impl<B> Body<B> {
    pub(crate) fn new(incoming: Incoming, upload: Upload<B>, ticket: Ticket) -> Self {
        Self {
            incoming,
            _upload: upload,
            _ticket: ticket,
        }
    }

    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.incoming).poll_frame(cx));
        Poll::Ready(match frame {
            Some(Ok(frame)) => sifted(frame).map(Ok),
            Some(Err(error)) => Some(Err(Error::Http2(error))),
            None => None,
        })
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl<B> fmt::Debug for Body<B> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Body").finish_non_exhaustive()
    }
}

/// The frame without what must not trail; trailers are the last frame, so nothing is the end.
pub(crate) fn sifted(frame: Frame<Bytes>) -> Option<Frame<Bytes>> {
    let mut trailers = match frame.into_trailers() {
        Ok(trailers) => trailers,
        Err(frame) => return Some(frame),
    };
    let late: Vec<_> = trailers
        .keys()
        .filter(|name| !may_trail(name))
        .cloned()
        .collect();
    for name in &late {
        trailers.remove(name);
    }
    (!trailers.is_empty()).then(|| Frame::trailers(trailers))
}
