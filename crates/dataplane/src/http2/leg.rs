//! The client's end of a stream.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, Response, StatusCode, response};
use http_body::{Body as _, Frame, SizeHint};
use traefikrs_http2::Received;
use traefikrs_upstream::{BoxError, OnInterim, expects_continue};

use crate::hop_by_hop;

/// The most of interim answers that a client gets for one request: they wait in memory until it reads them.
const MAX_INTERIM: usize = 64 << 10;

/// What a field costs besides its name and value (RFC 9113 §6.5.2).
const FIELD: usize = 32;

/// The client's end of a stream, which the body of its request and what waits for its answer share.
pub(crate) struct Leg {
    respond: RefCell<SendResponse<Bytes>>,
    /// Gone when nobody wants the rest of it.
    body: RefCell<Option<Received>>,
    /// The client waits for `100 Continue`.
    is_go_ahead_awaited: Cell<bool>,
    n_interim: Cell<usize>,
}

impl Leg {
    pub(crate) fn new(
        headers: &HeaderMap,
        stream: RecvStream,
        respond: SendResponse<Bytes>,
    ) -> Self {
        Self {
            is_go_ahead_awaited: Cell::new(expects_continue(headers)),
            body: RefCell::new(Some(Received::new(headers, stream))),
            respond: RefCell::new(respond),
            n_interim: Cell::new(0),
        }
    }

    pub(crate) fn is_body_over(&self) -> bool {
        let body = self.body.borrow();
        body.as_ref().is_none_or(Received::is_end_stream)
    }

    pub(crate) fn body_size(&self) -> SizeHint {
        let body = self.body.borrow();
        body.as_ref()
            .map_or_else(SizeHint::default, Received::size_hint)
    }

    /// Nobody reads the body any more: what comes of it does not count against the window of the connection.
    pub(crate) fn let_body_go(&self) {
        drop(self.body.take());
    }

    /// The next piece of the body. A client that waits to be asked for it is asked.
    pub(crate) fn poll_body(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut body = self.body.borrow_mut();
        let Some(body) = body.as_mut() else {
            return Poll::Ready(None);
        };
        let frame = Pin::new(body).poll_frame(cx);
        if frame.is_pending() && self.is_go_ahead_awaited.take() {
            self.say_before_the_answer(StatusCode::CONTINUE, HeaderMap::new());
        }
        frame.map(|frame| frame.map(|frame| frame.map_err(Into::into)))
    }

    /// Ready when the client has reset the stream, or has gone.
    pub(crate) fn poll_gone(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.respond.borrow_mut().poll_reset(cx).map(drop)
    }

    fn say_before_the_answer(&self, status: StatusCode, headers: HeaderMap) {
        let mut head = Response::new(());
        *head.status_mut() = status;
        *head.headers_mut() = headers;
        if let Err(error) = self.respond.borrow_mut().send_informational(head) {
            tracing::debug!(%error, %status, "interim answer not sent");
        }
    }

    /// Says the head of the answer.
    pub(crate) fn respond(
        &self,
        head: response::Parts,
        is_end: bool,
    ) -> Result<SendStream<Bytes>, h2::Error> {
        let head = Response::from_parts(head, ());
        self.respond.borrow_mut().send_response(head, is_end)
    }

    /// Ends the stream without the end of the answer.
    pub(crate) fn reset(&self) {
        // Traefik: the reason is the server's own matter.
        self.respond.borrow_mut().send_reset(Reason::INTERNAL_ERROR);
    }
}

impl OnInterim for Leg {
    fn interim(&self, mut head: response::Parts) {
        if head.status == StatusCode::CONTINUE {
            self.is_go_ahead_awaited.set(false);
        }
        hop_by_hop::remove(&mut head.headers);
        head.headers.remove(CONTENT_LENGTH);
        let n_interim = self.n_interim.get() + size(&head.headers);
        if n_interim > MAX_INTERIM {
            return;
        }
        self.n_interim.set(n_interim);
        self.say_before_the_answer(head.status, head.headers);
    }
}

fn size(headers: &HeaderMap) -> usize {
    let fields = headers.iter();
    let status = FIELD;
    fields.fold(status, |size, (name, value)| {
        size + name.as_str().len() + value.len() + FIELD
    })
}

impl fmt::Debug for Leg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leg")
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}
