use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use h2::RecvStream;
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame, SizeHint};
use traefikrs_http2::Received;

use super::{connection::Ticket, upload::Upload};
use crate::error::Error;

/// The body of an answer, and its stream.
pub(crate) struct Body<B> {
    received: Received,
    /// What is left of the request goes when the answer does.
    upload: Option<Upload<B>>,
    _ticket: Ticket,
}

impl<B> Body<B> {
    pub(crate) fn new(
        head: &HeaderMap,
        stream: RecvStream,
        upload: Option<Upload<B>>,
        ticket: Ticket,
    ) -> Self {
        Self {
            received: Received::new(head, stream),
            upload,
            _ticket: ticket,
        }
    }

    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Some(upload) = &self.upload
            && let Poll::Ready(error) = upload.poll_failure(cx)
        {
            return Poll::Ready(Some(Err(Error::RequestBody(error))));
        }
        let frame = Pin::new(&mut self.received).poll_frame(cx);
        frame.map(|frame| frame.map(|frame| frame.map_err(Error::Http2)))
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        self.received.is_end_stream()
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        self.received.size_hint()
    }
}

impl<B> fmt::Debug for Body<B> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Body").finish_non_exhaustive()
    }
}
