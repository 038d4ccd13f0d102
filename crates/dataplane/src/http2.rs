//! HTTP/2, which hyper speaks.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{Method, Request, Response};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;

use crate::answer::{self, Answer};
use crate::body::{RequestBody, ResponseBody};
use crate::connection::{Connection, InFlight, Order};
use crate::serve::{self, Asked};
use crate::stream::{Rewound, Stream};

/// Serves a connection to its end.
pub(crate) async fn serve(connection: Rc<Connection>, stream: Stream, early: Bytes) {
    let shared = Rc::clone(&connection);
    let service = service_fn(move |request| {
        let in_flight = shared.begin();
        let connection = Rc::clone(&shared);
        async move { Ok::<_, Infallible>(exchange(connection, in_flight, request).await) }
    });
    let io = TokioIo::new(Rewound { early, stream });
    let mut hyper = pin!(connection.entry_point.http2.serve_connection(io, service));
    let ended = poll_fn(|cx| {
        match connection.order(cx) {
            Some(Order::Cut) => return Poll::Ready(Ok(())),
            Some(Order::Finish) => hyper.as_mut().graceful_shutdown(),
            None => {}
        }
        hyper.as_mut().poll(cx)
    })
    .await;
    if let Err(error) = ended {
        tracing::debug!(%error, peer = %connection.peer, "connection ended");
    }
}

async fn exchange(
    connection: Rc<Connection>,
    mut in_flight: InFlight,
    request: Request<Incoming>,
) -> Response<ResponseBody> {
    let (parts, incoming) = request.into_parts();
    let is_head = parts.method == Method::HEAD;
    let asked = Asked {
        parts,
        host: None,
        has_no_path: false,
        has_fragment: false,
    };
    let body = RequestBody::http2(incoming, &connection);
    let answer = serve::answer(&connection, asked, body, None).await;
    in_flight.is_answered = true;
    let mut answer = answer::in_fields(answer);
    if is_head {
        tell_length(&mut answer);
    }
    answer.map(|content| {
        let body = ResponseBody::new(content, in_flight);
        if is_head { body.untold() } else { body }
    })
}

/// RFC 9110 §9.3.2: as if the body followed.
fn tell_length(answer: &mut Answer) {
    let length = answer.body().size_hint().exact();
    if let Some(length) = length.filter(|&length| length > 0) {
        let fields = answer.headers_mut();
        fields.entry(CONTENT_LENGTH).or_insert(length.into());
    }
}
