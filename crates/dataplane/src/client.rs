//! Who asks, over whichever protocol.

use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use traefikrs_upstream::{BoxError, OnInterim};

use crate::{http1, http2};

/// The client's end of a request: the body comes from there, and what is said before the answer goes there.
#[derive(Debug, Clone)]
pub(crate) enum Client {
    Http1(Rc<http1::Leg>),
    Http2(Rc<http2::Leg>),
}

impl Client {
    /// Ready when nobody waits for the answer any more.
    pub(crate) fn poll_gone(&self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Http1(leg) => leg.poll_gone(cx),
            Self::Http2(leg) => leg.poll_gone(cx),
        }
    }

    /// The next piece of the body. A client that waits to be asked for it is asked.
    pub(crate) fn poll_body(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self {
            Self::Http1(leg) => leg.poll_body(cx),
            Self::Http2(leg) => leg.poll_body(cx),
        }
    }

    pub(crate) fn is_body_over(&self) -> bool {
        match self {
            Self::Http1(leg) => leg.is_body_over(),
            Self::Http2(leg) => leg.is_body_over(),
        }
    }

    pub(crate) fn body_size(&self) -> SizeHint {
        match self {
            Self::Http1(leg) => leg.body_size(),
            Self::Http2(leg) => leg.body_size(),
        }
    }

    /// Somebody may read the body.
    pub(crate) fn hold_body(&self) {
        match self {
            Self::Http1(leg) => leg.hold_body(),
            // It holds itself until it is let go.
            Self::Http2(_) => {}
        }
    }

    /// Nobody reads the body any more.
    pub(crate) fn let_body_go(&self) {
        match self {
            Self::Http1(leg) => leg.let_body_go(),
            Self::Http2(leg) => leg.let_body_go(),
        }
    }

    /// The rest of the body is not waited for.
    pub(crate) fn give_body_up(&self) {
        match self {
            Self::Http1(leg) => leg.lose_track(),
            // Its connection needs nothing of it.
            Self::Http2(_) => {}
        }
    }

    pub(crate) fn on_interim(self) -> Rc<dyn OnInterim> {
        match self {
            Self::Http1(leg) => leg,
            Self::Http2(leg) => leg,
        }
    }
}
