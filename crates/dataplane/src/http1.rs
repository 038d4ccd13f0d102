//! HTTP/1, which is spoken here: one request after the other, each read, answered and forgotten.

use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::CONNECTION;
use http::{HeaderValue, Method, Request, StatusCode, Version};
use http_body::Body as _;
use traefikrs_http1::{Encoder, Refused, RequestHead};
use traefikrs_upstream::{UpgradedIo, expects_continue};

use crate::answer::{self, Answer};
use crate::body::{Content, RequestBody};
use crate::client::Client;
use crate::connection::{Connection, InFlight};
use crate::serve::{self, Asked};
use crate::stream::Stream;
use crate::target::Target;
use crate::tunnel;

mod head;
mod leg;

pub(crate) use leg::Leg;

use head::Manner;

/// Serves a connection to its end.
pub(crate) async fn serve(connection: Rc<Connection>, stream: Stream, early: Bytes) {
    let leg = Rc::new(Leg::new(Rc::clone(&connection), stream, early));
    let mut conversation = pin!(converse(&leg));
    poll_fn(|cx| {
        if conversation.as_mut().poll(cx).is_ready() || connection.is_over(cx) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

/// What follows a request.
enum Next {
    Request,
    Tunnel(UpgradedIo),
    End,
}

async fn converse(leg: &Rc<Leg>) {
    loop {
        let head = match leg.next_request().await {
            Ok(Some(head)) => head,
            Ok(None) => return,
            Err(refused) => {
                refuse(leg, refused).await;
                return leg.close().await;
            }
        };
        match exchange(leg, head).await {
            Next::Request => {}
            Next::Tunnel(server) => return tunnel::run(leg, server).await,
            Next::End => return leg.close().await,
        }
    }
}

async fn exchange(leg: &Rc<Leg>, head: RequestHead<Target>) -> Next {
    let in_flight = leg.connection.begin();
    let manner = Manner {
        is_head: head.method == Method::HEAD,
        is_old: head.version == Version::HTTP_10,
        keep_alive: head.keep_alive,
    };
    let client = Client::Http1(Rc::clone(leg));
    let asked = take_in(leg, head);
    let body = RequestBody::new(&client, &leg.connection);
    let answer = {
        // Pinned where it is made, because to await it would be to move it first.
        let answering = pin!(serve::answer(&leg.connection, asked, body, &client));
        answering.await
    };
    drop(client);
    reply(leg, in_flight, manner, answer).await
}

/// What is asked; its body begins.
fn take_in(leg: &Leg, head: RequestHead<Target>) -> Asked {
    let is_old = head.version == Version::HTTP_10;
    let expects = !is_old && expects_continue(&head.headers);
    leg.begin_body(head.body, expects, is_old);
    let (mut parts, ()) = Request::new(()).into_parts();
    parts.method = head.method;
    parts.uri = head.target.uri;
    parts.version = head.version;
    parts.headers = head.headers;
    Asked {
        parts,
        host: head.target.host,
        has_no_path: head.target.has_no_path,
        has_fragment: head.target.has_fragment,
    }
}

async fn reply(leg: &Rc<Leg>, mut in_flight: InFlight, manner: Manner, answer: Answer) -> Next {
    in_flight.is_answered = true;
    let connection = &leg.connection;
    let (mut head, mut content) = answer.into_parts();
    if let Content::Refusal(refused) = content {
        refuse(leg, refused).await;
        return Next::End;
    }
    // A switch to another protocol ends the requests of a connection in any case, and says so by that.
    if connection.is_last() && head.status != StatusCode::SWITCHING_PROTOCOLS {
        head.headers
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    // What has not been asked for by now will not be.
    let may_follow = !answer::says_close(&head.headers) && leg.settle_body().await;
    let is_last = !may_follow || connection.is_draining();
    let mut out = leg.take_interim();
    let (framing, persists) = head::write(
        &mut out,
        &head,
        manner,
        &content.size_hint(),
        is_last,
        connection.entry_point.worker.date.borrow().as_bytes(),
    );
    // Its fields may hold a buffer that many connections read to.
    drop(head);
    let mut encoder = Encoder::new(out, framing);
    let sent = poll_fn(|cx| poll_send(leg, &mut encoder, &mut content, cx)).await;
    drop(content);
    leg.connection
        .entry_point
        .worker
        .buffers
        .return_head(encoder.into_buffer());
    if let Some(server) = connection.take_tunnel() {
        return Next::Tunnel(server);
    }
    if sent.is_ok() && persists && leg.settle_body().await {
        Next::Request
    } else {
        Next::End
    }
}

/// The answer was not written to its end.
struct BrokenOff;

fn poll_send(
    leg: &Leg,
    encoder: &mut Encoder,
    content: &mut Content,
    cx: &mut Context<'_>,
) -> Poll<Result<(), BrokenOff>> {
    loop {
        let filled = match encoder.poll_fill(content, cx) {
            Poll::Ready(filled) => filled,
            Poll::Pending => return leg.poll_gone(cx).map(|()| Err(BrokenOff)),
        };
        // What came before a failure is still good.
        match leg.poll_write(encoder, cx) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(_)) => return Poll::Ready(Err(BrokenOff)),
            Poll::Pending => return leg.poll_gone(cx).map(|()| Err(BrokenOff)),
        }
        if let Err(error) = filled {
            tracing::debug!(?error, "answer broken off");
            return Poll::Ready(Err(BrokenOff));
        }
        if encoder.is_complete() {
            return Poll::Ready(Ok(()));
        }
    }
}

/// Says in Go's words that a request is not read.
async fn refuse(leg: &Leg, refused: Refused) {
    tracing::debug!(error = %refused, peer = %leg.connection.peer, "request refused");
    let mut out = leg.take_interim();
    refused.write(&mut out);
    let mut encoder = Encoder::new(out, traefikrs_http1::Framing::None);
    drop(poll_fn(|cx| leg.poll_write(&mut encoder, cx)).await);
    leg.lose_track();
}
