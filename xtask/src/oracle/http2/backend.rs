//! Servers of HTTP/2 that write down what reaches them and answer as asked.

use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use h2::server::{self, SendResponse};
use h2::{Reason, RecvStream};
use http::{Request, Response, StatusCode, request};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::answers::{Plan, Then};
use super::{block_on, body, fields, stream};
use crate::oracle::answers::{self, When};
use crate::oracle::backend::{PATIENCE, Server};
use crate::oracle::generate::token_in;
use crate::oracle::ledger::Seen;
use crate::oracle::wire::{Body, Head, Stop};

/// How long an answer has to leave before something happens to its connection.
const LEAVING: Duration = Duration::from_millis(10);

/// Speaks HTTP/2 without TLS on this connection to its end.
pub(in crate::oracle) fn serve(server: Arc<Server>, connection: TcpStream) {
    block_on(async {
        let socket = connection.try_clone()?;
        serve_on(server, stream(connection)?, &socket).await;
        Ok(())
    });
}

/// Speaks HTTP/2 on what the socket carries.
pub(in crate::oracle) async fn serve_on(
    server: Arc<Server>,
    stream: impl AsyncRead + AsyncWrite + Unpin,
    socket: &TcpStream,
) {
    let Ok(mut connection) = server::handshake(stream).await else {
        return;
    };
    let mut exchanges = JoinSet::new();
    drive(&server, &mut connection, socket, &mut exchanges).await;
    drop(connection);
    // What they learn by that is to be written down.
    while exchanges.join_next().await.is_some() {}
}

async fn drive(
    server: &Arc<Server>,
    connection: &mut server::Connection<impl AsyncRead + AsyncWrite + Unpin, Bytes>,
    socket: &TcpStream,
    exchanges: &mut JoinSet<()>,
) {
    let (order, mut orders) = mpsc::unbounded_channel();
    loop {
        tokio::select! {
            accepted = connection.accept() => match accepted {
                Some(Ok((request, respond))) => {
                    let exchange = Exchange {
                        server: Arc::clone(server),
                        orders: order.clone(),
                    };
                    exchanges.spawn(exchange.hold(request, respond));
                }
                Some(Err(_)) | None => return,
            },
            Some(then) = orders.recv() => match then {
                Then::GoAway => connection.graceful_shutdown(),
                Then::GoAwayError => connection.abrupt_shutdown(Reason::INTERNAL_ERROR),
                Then::ResetConnection => {
                    // Without it the peer sees an orderly end; nothing else depends on it.
                    drop(socket2::SockRef::from(socket).set_linger(Some(Duration::ZERO)));
                    return;
                }
                _ => return,
            },
        }
    }
}

/// One stream, and who answers on it.
struct Exchange {
    server: Arc<Server>,
    /// For whoever has the connection.
    orders: mpsc::UnboundedSender<Then>,
}

impl Exchange {
    async fn hold(self, request: Request<RecvStream>, mut respond: SendResponse<Bytes>) {
        let Server {
            backend,
            ledger,
            means,
        } = &*self.server;
        let (parts, received) = request.into_parts();
        let head = head(&parts);
        let token = token_in(&head);
        let plan = means.http2_plans.named(head.text(answers::FIELD));
        let expects = head
            .text("expect")
            .is_some_and(|value| value.eq_ignore_ascii_case("100-continue"));
        let seen = Seen {
            backend: backend.name,
            head,
            body: None,
        };
        let entry = ledger.open(&token, seen);
        if plan.when == When::BeforeBody {
            ledger.close(&token, entry, None);
            // A client that has gone shows in what it does not get.
            drop(self.answer(respond, plan).await);
            drop(received);
            return;
        }
        if expects {
            let mut go_on = Response::new(());
            *go_on.status_mut() = StatusCode::CONTINUE;
            drop(respond.send_informational(go_on));
        }
        let body = timeout(PATIENCE, body(received)).await;
        let body = body.unwrap_or_else(|_| Body {
            cut: Some(Stop::Silent),
            ..Body::default()
        });
        let complete = body.cut.is_none();
        ledger.close(&token, entry, Some(body));
        if complete {
            drop(self.answer(respond, plan).await);
        }
    }

    async fn answer(&self, mut respond: SendResponse<Bytes>, plan: &Plan) -> Result<(), h2::Error> {
        sleep(Duration::from_millis(plan.wait_ms)).await;
        let name = self.server.backend.name;
        for head in plan.interim(name) {
            respond.send_informational(head)?;
        }
        let Some(head) = plan.head(name) else {
            match plan.then.reset() {
                Some(reason) => respond.send_reset(reason),
                None => self.order(plan.then),
            }
            return Ok(());
        };
        let (body, trailers) = (plan.body(), plan.trailers());
        let is_bare = body.is_empty() && trailers.is_none() && plan.pause_ms == 0;
        let ends = plan.then.ends_the_stream();
        let mut sending = respond.send_response(head, is_bare && ends)?;
        sleep(Duration::from_millis(plan.pause_ms)).await;
        if !is_bare {
            sending.send_data(body, ends && trailers.is_none())?;
        }
        if let Some(trailers) = trailers {
            sending.send_trailers(trailers)?;
        }
        if plan.then == Then::End {
            return Ok(());
        }
        sleep(LEAVING).await;
        match plan.then.reset() {
            Some(reason) => sending.send_reset(reason),
            None => self.order(plan.then),
        }
        Ok(())
    }

    fn order(&self, then: Then) {
        // The connection may have ended by itself.
        self.orders.send(then).ok();
    }
}

/// A request in the form of HTTP/1, with the fields that HTTP/2 has in place of the rest.
fn head(parts: &request::Parts) -> Head {
    let target = parts
        .uri
        .path_and_query()
        .map_or("", |target| target.as_str());
    let pseudo = [
        (":scheme", parts.uri.scheme_str()),
        (
            ":authority",
            parts.uri.authority().map(|authority| authority.as_str()),
        ),
    ];
    let pseudo = pseudo.into_iter().filter_map(|(name, value)| {
        value.map(|value| (name.as_bytes().to_vec(), value.as_bytes().to_vec()))
    });
    let (cookies, others): (Vec<_>, Vec<_>) =
        fields(&parts.headers).partition(|(name, _)| name == b"cookie");
    // RFC 9113 §8.2.3: what was one field may come as several.
    let cookies: Vec<Vec<u8>> = cookies.into_iter().map(|(_, value)| value).collect();
    let cookies = cookies.join(&b"; "[..]);
    let cookie = (!cookies.is_empty()).then(|| (b"cookie".to_vec(), cookies));
    Head {
        line: format!("{} {target} HTTP/2.0", parts.method).into_bytes(),
        fields: pseudo.chain(others).chain(cookie).collect(),
    }
}
