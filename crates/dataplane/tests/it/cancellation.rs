//! A client that goes away takes its request with it.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::support::{Client, Proxy, server, to_url};

/// How far an answer has come when the client goes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Stage {
    Asked,
    Answered,
}

/// Says what a server has seen: that it was asked, and how that ended.
type Sight = mpsc::UnboundedReceiver<&'static str>;

/// Longer than anything that is waited for should take.
const PATIENCE: Duration = Duration::from_secs(20);

fn server1(stage: Stage) -> (SocketAddr, Sight) {
    let (see, seen) = mpsc::unbounded_channel();
    let address = server(move |mut client: Client| {
        client.head();
        if stage == Stage::Answered {
            client.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbegin");
        }
        see.send("asked").unwrap();
        assert_eq!(client.rest(), "");
        see.send("closed").unwrap();
    });
    (address, seen)
}

fn server2(stage: Stage) -> (SocketAddr, Sight) {
    let (see, seen) = mpsc::unbounded_channel();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    thread::spawn(move || {
        runtime().block_on(async {
            let listener = TcpListener::from_std(listener).unwrap();
            let (stream, _) = listener.accept().await.unwrap();
            let mut connection = h2::server::handshake(stream).await.unwrap();
            while let Some(Ok((_, mut respond))) = connection.accept().await {
                let see = see.clone();
                tokio::spawn(async move {
                    let ended = if stage == Stage::Answered {
                        let mut send = respond.send_response(Response::new(()), false).unwrap();
                        send.send_data(Bytes::from_static(b"begin"), false).unwrap();
                        see.send("asked").unwrap();
                        poll_fn(|cx| send.poll_reset(cx)).await
                    } else {
                        see.send("asked").unwrap();
                        poll_fn(|cx| respond.poll_reset(cx)).await
                    };
                    assert_eq!(ended.unwrap(), h2::Reason::CANCEL);
                    see.send("reset").unwrap();
                });
            }
        });
    });
    (address, seen)
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

async fn next(seen: &mut Sight) -> &'static str {
    let next = timeout(PATIENCE, seen.recv()).await;
    next.expect("nothing happens").unwrap()
}

/// Asks, and closes the connection.
fn leave1(proxy: &Proxy, stage: Stage, seen: &mut Sight) -> &'static str {
    let mut client = proxy.connect();
    client.send("GET / HTTP/1.1\r\nHost: x.test\r\n\r\n");
    assert_eq!(runtime().block_on(next(seen)), "asked");
    if stage == Stage::Answered {
        client.until("begin");
    }
    drop(client);
    runtime().block_on(next(seen))
}

/// Asks, and resets the stream; the connection stays.
fn leave2(proxy: &Proxy, stage: Stage, seen: &mut Sight) -> &'static str {
    runtime().block_on(async {
        let stream = TcpStream::connect(proxy.address).await.unwrap();
        let (client, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        let mut client = client.ready().await.unwrap();
        let request = Request::get("http://x.test/").body(()).unwrap();
        let (answer, mut send) = client.send_request(request, true).unwrap();
        assert_eq!(next(seen).await, "asked");
        if stage == Stage::Answered {
            let mut body = answer.await.unwrap().into_body();
            assert_eq!(body.data().await.unwrap().unwrap(), "begin");
        }
        send.send_reset(h2::Reason::CANCEL);
        next(seen).await
    })
}

#[test]
fn a_client_that_leaves_cancels_at_the_server() {
    for stage in [Stage::Asked, Stage::Answered] {
        for leave in [leave1, leave2] {
            let (address, mut seen) = server1(stage);
            let end = leave(&Proxy::to(address), stage, &mut seen);
            assert_eq!(end, "closed", "{stage:?}");

            let (address, mut seen) = server2(stage);
            let proxy = Proxy::with(&to_url(&format!("h2c://{address}")), |_| {});
            assert_eq!(leave(&proxy, stage, &mut seen), "reset", "{stage:?}");
        }
    }
}
