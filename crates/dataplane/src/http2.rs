//! HTTP/2: the crate `h2` knows frames and streams; here a stream is a request and its answer.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use bytes::Bytes;
use h2::server::{Builder, SendResponse};
use h2::{RecvStream, SendStream};
use http::{Method, Request};
use http_body::Body as _;
use tokio::task::{spawn_local, yield_now};
use traefikrs_http2::{SendError, Sending};

use crate::answer::{self, Answer};
use crate::body::{Content, RequestBody};
use crate::client::Client;
use crate::connection::{Connection, InFlight, Order};
use crate::options::EntryPointOptions;
use crate::serve::{self, Asked};
use crate::stream::{Rewound, Stream};

mod head;
mod leg;

pub(crate) use leg::Leg;

/// Settings of Traefik's server.
const MAX_FRAME_SIZE: u32 = 1 << 20;
const WINDOW: u32 = 1 << 20;
const HEADER_LIST_SLACK: u32 = 320;

/// What a stream may keep of an answer that its client has made room for and does not read from its socket.
const MAX_SEND_BUFFER: usize = 64 << 10;

type Server = h2::server::Connection<Rewound, Bytes>;

/// What connections of an entry point begin with.
pub(crate) fn settings(options: &EntryPointOptions) -> Builder {
    let max_header_bytes = u32::try_from(options.http.max_header_bytes).unwrap_or(u32::MAX);
    let mut builder = Builder::new();
    builder
        .max_frame_size(MAX_FRAME_SIZE)
        .max_send_buffer_size(MAX_SEND_BUFFER)
        .max_concurrent_streams(options.http.max_concurrent_streams)
        .max_header_list_size(max_header_bytes.saturating_add(HEADER_LIST_SLACK))
        .initial_window_size(WINDOW)
        .initial_connection_window_size(WINDOW);
    builder
}

/// Serves a connection to its end.
pub(crate) async fn serve(connection: Rc<Connection>, stream: Stream, early: Bytes) {
    if let Err(error) = converse(&connection, Rewound { early, stream }).await {
        tracing::debug!(%error, peer = %connection.peer, "connection ended");
    }
}

async fn converse(connection: &Rc<Connection>, stream: Rewound) -> Result<(), h2::Error> {
    let Some(mut server) = shake_hands(connection, stream).await? else {
        return Ok(());
    };
    while let Some((request, respond)) = next_request(connection, &mut server).await? {
        let in_flight = connection.begin();
        // A panic ends this task and with it the stream, nothing else.
        spawn_local(exchange(Rc::clone(connection), in_flight, request, respond));
    }
    Ok(())
}

/// There is no connection when it was cut before it began.
async fn shake_hands(
    connection: &Connection,
    stream: Rewound,
) -> Result<Option<Server>, h2::Error> {
    let mut is_finishing = false;
    let mut handshake = pin!(connection.entry_point.http2.handshake(stream));
    let shaken = poll_fn(|cx| {
        match connection.order(cx) {
            Some(Order::Cut) => return Poll::Ready(None),
            Some(Order::Finish) => is_finishing = true,
            None => {}
        }
        handshake.as_mut().poll(cx).map(Some)
    });
    let mut shaken = shaken.await.transpose()?;
    if let Some(server) = shaken.as_mut().filter(|_| is_finishing) {
        server.graceful_shutdown();
    }
    Ok(shaken)
}

/// There is none when the connection has come to its end.
async fn next_request(
    connection: &Connection,
    server: &mut Server,
) -> Result<Option<(Request<RecvStream>, SendResponse<Bytes>)>, h2::Error> {
    let accepted = poll_fn(|cx| {
        match connection.order(cx) {
            Some(Order::Cut) => return Poll::Ready(None),
            Some(Order::Finish) => server.graceful_shutdown(),
            None => {}
        }
        pin!(server.accept()).poll(cx)
    });
    accepted.await.transpose()
}

/// Answers one request, in the time that it may take.
async fn exchange(
    connection: Rc<Connection>,
    in_flight: InFlight,
    request: Request<RecvStream>,
    respond: SendResponse<Bytes>,
) {
    let limit = connection.entry_point.options.timeouts.write;
    let deadline = limit.map(|limit| connection.deadline_in(limit));
    let (parts, stream) = request.into_parts();
    let is_head = parts.method == Method::HEAD;
    let leg = Rc::new(Leg::new(&parts.headers, stream, respond));
    let asked = Asked {
        parts,
        host: None,
        has_no_path: false,
        has_fragment: false,
    };
    let mut answering = pin!(answer(&connection, in_flight, &leg, asked, is_head));
    let is_late = poll_fn(|cx| match (answering.as_mut().poll(cx), &deadline) {
        (Poll::Ready(()), _) => Poll::Ready(false),
        (Poll::Pending, Some(deadline)) => deadline.poll(cx).map(|()| true),
        (Poll::Pending, None) => Poll::Pending,
    });
    if is_late.await {
        leg.reset();
    }
}

async fn answer(
    connection: &Rc<Connection>,
    in_flight: InFlight,
    leg: &Rc<Leg>,
    asked: Asked,
    is_head: bool,
) {
    let client = Client::Http2(Rc::clone(leg));
    let body = RequestBody::new(&client, connection);
    let answer = {
        // Pinned where it is made, because to await it would be to move it first.
        let answering = pin!(serve::answer(connection, asked, body, &client));
        answering.await
    };
    drop(client);
    reply(
        connection,
        in_flight,
        leg,
        answer::in_fields(answer),
        is_head,
    )
    .await;
}

async fn reply(
    connection: &Connection,
    mut in_flight: InFlight,
    leg: &Leg,
    answer: Answer,
    is_head: bool,
) {
    in_flight.is_answered = true;
    let (mut head, content) = answer.into_parts();
    if answer::says_close(&head.headers) {
        // Traefik: said of a connection of HTTP/2, it means the same.
        connection.finish();
    }
    let is_end = is_head || content.is_end_stream();
    head::complete(
        &mut head.headers,
        head.status,
        is_head,
        &content.size_hint(),
        &connection.entry_point.worker.date.borrow(),
    );
    match leg.respond(head, is_end) {
        Ok(_) if is_end => {}
        Ok(stream) => send(leg, stream, content).await,
        Err(error) => {
            tracing::debug!(%error, "answer not sent");
            leg.reset();
        }
    }
}

/// Sends what follows the head.
async fn send(leg: &Leg, stream: SendStream<Bytes>, content: Content) {
    let mut sending = Sending::new(stream, content);
    if let Err(SendError::Body(error)) = poll_fn(|cx| sending.poll(cx)).await {
        tracing::debug!(%error, "answer broken off");
        // A reset takes back what is not written yet, and what came before a failure is still good.
        yield_now().await;
        leg.reset();
    }
}
