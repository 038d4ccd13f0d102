use std::{
    fmt,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use h2::RecvStream;
use http::{HeaderMap, header};
use http_body::{Body as HttpBody, Frame, SizeHint};
use traefikrs_http1::may_trail;

use super::{
    connection::Ticket,
    sending::{Sending, Upload},
};
use crate::error::{BoxError, Error};

/// The body of an answer, and its stream.
pub(crate) struct Body<B> {
    stream: RecvStream,
    /// How much is to come, if the server has said so; the framing layer holds it to that.
    left: Option<u64>,
    is_data_over: bool,
    /// What is left of the request goes when the answer does.
    upload: Option<Upload<B>>,
    _ticket: Ticket,
}

impl<B> Body<B> {
    pub(crate) fn new(
        head: &HeaderMap,
        stream: RecvStream,
        sending: Option<Sending<B>>,
        ticket: Ticket,
    ) -> Self
    where
        B: HttpBody<Data = Bytes> + Unpin + 'static,
        B::Error: Into<BoxError>,
    {
        Self {
            // The head of what ends with it may tell the length of what does not come.
            left: if stream.is_end_stream() {
                Some(0)
            } else {
                content_length(head)
            },
            stream,
            is_data_over: false,
            upload: sending.map(Upload::start),
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
        if !self.is_data_over {
            match ready!(self.stream.poll_data(cx)) {
                Some(Ok(data)) => return Poll::Ready(Some(Ok(self.passed(data)))),
                Some(Err(error)) => return Poll::Ready(Some(Err(Error::Http2(error)))),
                None => self.is_data_over = true,
            }
        }
        let trailers = ready!(self.stream.poll_trailers(cx)).map_err(Error::Http2)?;
        Poll::Ready(
            trailers
                .and_then(|trailers| sifted(Frame::trailers(trailers)))
                .map(Ok),
        )
    }

    /// Makes room for as much again.
    fn passed(&mut self, data: Bytes) -> Frame<Bytes> {
        // It fails only when there is no stream left to make room on.
        drop(self.stream.flow_control().release_capacity(data.len()));
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(data.len() as u64);
        }
        Frame::data(data)
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        self.stream.is_end_stream()
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        self.left
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// The length that a head tells, which the framing layer has found to be one.
fn content_length(head: &HeaderMap) -> Option<u64> {
    let length = head.get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
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
