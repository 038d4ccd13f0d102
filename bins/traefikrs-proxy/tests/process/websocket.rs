//! WebSockets, with a client and a server that know nothing of each other but the protocol.

use std::fs;
use std::net::SocketAddr;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt, future};
use http::{HeaderValue, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async, client_async};

use crate::certificate::Certificate;
use crate::proxy::{DEADLINE, await_true};
use crate::{Site, routes_to};

/// A server that sends back what it hears, and how its connections began and ended.
struct Echo {
    address: SocketAddr,
    heads: mpsc::UnboundedReceiver<String>,
    ends: mpsc::UnboundedReceiver<Option<Message>>,
}

impl Echo {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (said_head, heads) = mpsc::unbounded_channel();
        let (said_end, ends) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (said_head, said_end) = (said_head.clone(), said_end.clone());
                tokio::spawn(async move {
                    // Nobody listens any more when the test is over.
                    drop(said_head.send(peek_head(&stream).await));
                    let last = echo(stream).await;
                    drop(said_end.send(last));
                });
            }
        });
        Self {
            address,
            heads,
            ends,
        }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// The head as it came, letter by letter.
async fn peek_head(stream: &TcpStream) -> String {
    let mut bytes = [0; 4096];
    loop {
        let len = stream.peek(&mut bytes).await.unwrap();
        let head = String::from_utf8_lossy(&bytes[..len]);
        if len == 0 || head.ends_with("\r\n\r\n") {
            return head.into_owned();
        }
        tokio::task::yield_now().await;
    }
}

/// The close that ended it, if it was one.
async fn echo(stream: impl AsyncRead + AsyncWrite + Unpin) -> Option<Message> {
    let mut socket = accept_hdr_async(stream, choose).await.ok()?;
    while let Some(Ok(message)) = socket.next().await {
        match message {
            Message::Text(_) | Message::Binary(_) => socket.send(message).await.ok()?,
            Message::Close(_) => {
                // Says its part of the goodbye.
                while let Some(Ok(_)) = socket.next().await {}
                return Some(message);
            }
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
        }
    }
    None
}

/// Takes the last protocol that is offered, and nobody at `/private`.
#[expect(
    clippy::result_large_err,
    reason = "the library's signature for answers"
)]
fn choose(request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    if request.uri().path() == "/private" {
        let mut refusal = ErrorResponse::new(Some("members only".to_owned()));
        *refusal.status_mut() = StatusCode::FORBIDDEN;
        let length = HeaderValue::from_static("12");
        refusal.headers_mut().insert("content-length", length);
        return Err(refusal);
    }
    if let Some(offered) = request.headers().get("sec-websocket-protocol") {
        let last = offered.to_str().unwrap().rsplit(", ").next().unwrap();
        response.headers_mut().insert(
            "sec-websocket-protocol",
            HeaderValue::from_str(last).unwrap(),
        );
    }
    Ok(response)
}

type Socket = WebSocketStream<TcpStream>;

async fn open(
    site: &Site,
    path: &str,
    protocols: Option<&'static str>,
) -> Result<(Socket, client::Response), Error> {
    let address = site.proxy.address("web");
    let mut request = format!("ws://{address}{path}")
        .into_client_request()
        .unwrap();
    if let Some(protocols) = protocols {
        request.headers_mut().insert(
            "sec-websocket-protocol",
            HeaderValue::from_static(protocols),
        );
    }
    let stream = TcpStream::connect(address).await.unwrap();
    in_time(client_async(request, stream)).await
}

async fn in_time<T>(future: impl Future<Output = T>) -> T {
    timeout(DEADLINE, future).await.expect("it took too long")
}

/// Says it and hears the answer.
async fn ask(socket: &mut Socket, message: Message) -> Message {
    in_time(socket.send(message)).await.unwrap();
    in_time(socket.next()).await.unwrap().unwrap()
}

#[tokio::test]
async fn messages_of_each_kind_go_both_ways() {
    let mut server = Echo::start().await;
    let site = Site::to(&server.url());
    let (mut socket, response) = open(&site, "/chat?room=1", None).await.unwrap();
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);

    let large: Bytes = (0..251).cycle().take(1 << 20).collect();
    for message in [
        Message::text("Grüße"),
        Message::binary(&b"\0\xff"[..]),
        Message::text(""),
        Message::binary(large.clone()),
        Message::text("x".repeat(1 << 20)),
    ] {
        assert!(ask(&mut socket, message.clone()).await == message);
    }
    let ping = Message::Ping(Bytes::from_static(b"there?"));
    let pong = Message::Pong(Bytes::from_static(b"there?"));
    assert_eq!(ask(&mut socket, ping).await, pong);

    let goodbye = Message::Close(Some(CloseFrame {
        code: 4321.into(),
        reason: "done".into(),
    }));
    assert_eq!(ask(&mut socket, goodbye.clone()).await, goodbye);
    assert!(in_time(socket.next()).await.is_none());
    assert_eq!(in_time(server.ends.recv()).await.unwrap(), Some(goodbye));
}

#[tokio::test]
async fn a_server_with_tls_is_asked_in_the_version_that_can_switch() {
    let certificate = Certificate::of_loopback();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let site = certificate.site(listener.local_addr().unwrap());
    let acceptor = certificate.acceptor();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        echo(acceptor.accept(stream).await.unwrap()).await
    });
    let (mut socket, _) = open(&site, "/", None).await.unwrap();
    for message in [Message::text("hello"), Message::text("x".repeat(1 << 20))] {
        assert!(ask(&mut socket, message.clone()).await == message);
    }
}

#[tokio::test]
async fn a_thousand_messages_may_be_under_way() {
    let server = Echo::start().await;
    let site = Site::to(&server.url());
    let (socket, _) = open(&site, "/", None).await.unwrap();
    let (mut say, mut hear) = socket.split();
    let speaking = async {
        for n in 0..1000 {
            say.feed(Message::text(n.to_string())).await.unwrap();
        }
        say.flush().await.unwrap();
    };
    let hearing = async {
        for n in 0..1000 {
            let message = hear.next().await.unwrap().unwrap();
            assert_eq!(message, Message::text(n.to_string()));
        }
    };
    in_time(future::join(speaking, hearing)).await;
}

#[tokio::test]
async fn the_server_chooses_a_protocol_and_sees_the_names_that_it_knows() {
    let mut server = Echo::start().await;
    let site = Site::to(&server.url());
    let (_socket, response) = open(&site, "/chat?room=1", Some("one, two")).await.unwrap();
    assert_eq!(response.headers()["sec-websocket-protocol"], "two");

    let head = in_time(server.heads.recv()).await.unwrap();
    assert!(head.starts_with("GET /chat?room=1 HTTP/1.1\r\n"), "{head}");
    for field in [
        "\r\nConnection: Upgrade\r\n",
        "\r\nUpgrade: websocket\r\n",
        "\r\nSec-WebSocket-Key: ",
        "\r\nSec-WebSocket-Version: 13\r\n",
        "\r\nSec-WebSocket-Protocol: one, two\r\n",
        "\r\nX-Forwarded-Proto: ws\r\n",
    ] {
        assert!(head.contains(field), "{field} {head}");
    }
}

#[tokio::test]
async fn a_refusal_is_an_ordinary_answer() {
    let server = Echo::start().await;
    let site = Site::to(&server.url());
    let Err(Error::Http(response)) = open(&site, "/private", None).await else {
        panic!("it was not refused");
    };
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(response.body().as_deref(), Some(&b"members only"[..]));
}

#[tokio::test]
async fn a_change_of_routes_does_not_touch_an_open_socket() {
    let server = Echo::start().await;
    let site = Site::to(&server.url());
    let (mut socket, _) = open(&site, "/", None).await.unwrap();
    fs::write(&site.file, routes_to("Host(`other.test`)", &server.url())).unwrap();
    await_true("the change", || {
        site.api("/api/http/routers/r@file").contains("other.test")
    });
    assert_eq!(site.status("a.test"), 404);

    let message = Message::text("still here");
    assert_eq!(ask(&mut socket, message.clone()).await, message);
}

#[tokio::test]
async fn each_side_sees_that_the_other_is_gone() {
    let mut server = Echo::start().await;
    let site = Site::to(&server.url());
    let (mut socket, _) = open(&site, "/", None).await.unwrap();
    let message = Message::text("hello");
    assert_eq!(ask(&mut socket, message.clone()).await, message);
    drop(socket);
    assert_eq!(in_time(server.ends.recv()).await.unwrap(), None);

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let site = Site::to(&format!("http://{}", listener.local_addr().unwrap()));
    let leave = async {
        let (stream, _) = listener.accept().await.unwrap();
        drop(accept_hdr_async(stream, choose).await.unwrap());
    };
    let (socket, ()) = tokio::join!(open(&site, "/", None), leave);
    let (mut socket, _) = socket.unwrap();
    assert!(!matches!(in_time(socket.next()).await, Some(Ok(_))));
}
