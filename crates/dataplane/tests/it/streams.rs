//! What a stream of HTTP/2 may take: time, memory, and half of a request.

use std::net::SocketAddr;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use bytes::Bytes;
use http::Request;

use crate::h2c;
use crate::support::{Client, Proxy, answers, server, to, to_url};

fn get(uri: &str) -> Request<()> {
    Request::get(uri).body(()).unwrap()
}

#[test]
fn an_answer_that_takes_too_long_ends_its_stream_alone() {
    let proxy = Proxy::with(
        &to(server(|mut client| {
            while client.has_more() {
                if client.head().starts_with("GET /quick") {
                    client.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
                } else {
                    client.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no");
                    return drop(client.rest());
                }
            }
        })),
        |web| web.timeouts.write = Some(Duration::from_millis(1)),
    );
    h2c::run(async {
        let mut client = h2c::connect(proxy.address).await;
        let (answer, _) = client.send_request(get("http://x/slow"), true).unwrap();
        let mut slow = answer.await.unwrap();
        let error = h2c::read(slow.body_mut()).await.unwrap_err();
        assert_eq!(
            (error.is_remote(), error.reason()),
            (true, Some(h2::Reason::INTERNAL_ERROR))
        );
        let (answer, _) = client.send_request(get("http://x/quick"), true).unwrap();
        let mut quick = answer.await.unwrap();
        assert_eq!(h2c::read(quick.body_mut()).await.unwrap().0, "ok");
    });
}

#[test]
fn an_answer_that_nobody_reads_ends_in_time() {
    let (sender, ended) = channel();
    let proxy = Proxy::with(&to(endless(sender)), |web| {
        web.timeouts.write = Some(Duration::from_millis(1));
    });
    h2c::run(async {
        let mut client = h2c::connect(proxy.address).await;
        let (answer, _) = client.send_request(get("http://x/"), true).unwrap();
        let mut unread = answer.await.unwrap().into_body();
        let ended = tokio::task::spawn_blocking(move || ended.recv());
        ended.await.unwrap().unwrap();
        // The client has made no room, and is told nevertheless.
        let end = async {
            loop {
                if let Err(error) = unread.data().await.unwrap() {
                    return error.reason();
                }
            }
        };
        let end = tokio::time::timeout(Duration::from_secs(20), end).await;
        assert_eq!(end.unwrap(), Some(h2::Reason::INTERNAL_ERROR));
    });
}

/// A server that sends for as long as it can, and then tells how much that was.
fn endless(sent: Sender<usize>) -> SocketAddr {
    server(move |mut client: Client| {
        client.head();
        client.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        let piece = [b"4000\r\n", &[b'a'; 0x4000][..], b"\r\n"].concat();
        let mut n_sent = 0;
        while client.try_send(&piece) {
            n_sent += piece.len();
        }
        // Whoever wanted to know may have gone.
        let _ = sent.send(n_sent);
    })
}

#[test]
fn a_client_that_has_said_nothing_yet_is_idle() {
    let proxy = Proxy::with(&to(answers("")), |web| {
        web.timeouts.read = Some(Duration::from_secs(3600));
        web.timeouts.idle = Some(Duration::from_millis(1));
    });
    h2c::run(async {
        let stream = tokio::net::TcpStream::connect(proxy.address).await.unwrap();
        let (_client, connection) = h2::client::handshake(stream).await.unwrap();
        // It is told to go away, and goes although the client would stay.
        connection.await.unwrap();
    });
}

#[test]
fn half_a_request_does_not_reach_a_server_as_a_whole_one() {
    for reason in [
        h2::Reason::CANCEL,
        h2::Reason::NO_ERROR,
        h2::Reason::INTERNAL_ERROR,
    ] {
        let (sender, seen) = channel();
        let see = sender.clone();
        let old = server(move |mut client: Client| {
            client.head();
            client.until("half");
            see.send("begun").unwrap();
            // No last chunk.
            assert_eq!(client.rest(), "\r\n");
            see.send("broken off").unwrap();
        });
        let new = h2c::server(move |request, _respond| {
            let see = sender.clone();
            async move {
                let mut body = request.into_body();
                assert_eq!(body.data().await.unwrap().unwrap(), "half");
                see.send("begun").unwrap();
                let end = body.data().await;
                assert!(matches!(end, Some(Err(_))), "{end:?}");
                see.send("broken off").unwrap();
            }
        });
        for http in [to(old), to_url(&format!("h2c://{new}"))] {
            let proxy = Proxy::with(&http, |_| {});
            h2c::run(async {
                let mut client = h2c::connect(proxy.address).await;
                let post = Request::post("http://x/").body(()).unwrap();
                let (answer, mut send) = client.send_request(post, false).unwrap();
                send.send_data(Bytes::from_static(b"half"), false).unwrap();
                let next = || {
                    let next = seen.recv_timeout(Duration::from_secs(20));
                    next.expect("nothing happens")
                };
                // The connection is driven by this thread.
                tokio::task::yield_now().await;
                while seen.try_recv().is_err() {
                    tokio::task::yield_now().await;
                }
                send.send_reset(reason);
                drop((send, answer));
                for _ in 0..20 {
                    tokio::task::yield_now().await;
                }
                assert_eq!(next(), "broken off", "{reason:?}");
            });
        }
    }
}

#[test]
fn an_answer_that_is_not_read_is_not_taken_without_end() {
    // What sockets keep, and what is kept here, for each stream.
    const BOUND: usize = 32 << 20;
    let (sender, sent) = channel();
    let proxy = Proxy::to(endless(sender));
    h2c::run(async {
        let mut client = h2c::connect(proxy.address).await;
        let mut unread = Vec::new();
        for _ in 0..4 {
            let (answer, _) = client.send_request(get("http://x/"), true).unwrap();
            unread.push(answer.await.unwrap());
        }
        let sent = tokio::task::spawn_blocking(move || {
            (0..4).map(|_| sent.recv().unwrap()).collect::<Vec<_>>()
        });
        let sent = sent.await.unwrap();
        assert!(sent.iter().all(|&sent| sent < BOUND), "{sent:?}");
    });
}

#[test]
fn a_body_that_takes_too_long_is_a_timeout_of_the_gateway() {
    let proxy = Proxy::with(&to(server(|mut client| drop(client.rest()))), |web| {
        web.timeouts.read = Some(Duration::from_millis(1));
    });
    h2c::run(async {
        let mut client = h2c::connect(proxy.address).await;
        let post = Request::post("http://x/").body(()).unwrap();
        let (answer, mut send) = client.send_request(post, false).unwrap();
        send.send_data(Bytes::from_static(b"half"), false).unwrap();
        let mut answer = answer.await.unwrap();
        assert_eq!(answer.status(), 504);
        let (body, _) = h2c::read(answer.body_mut()).await.unwrap();
        assert_eq!(body, "Gateway Timeout");
    });
}

#[test]
fn an_answer_that_its_server_resets_is_no_whole_one() {
    for reason in [
        h2::Reason::NO_ERROR,
        h2::Reason::CANCEL,
        h2::Reason::REFUSED_STREAM,
        h2::Reason::INTERNAL_ERROR,
    ] {
        let server = h2c::server(move |_, mut respond| async move {
            let mut send = respond
                .send_response(http::Response::new(()), false)
                .unwrap();
            send.send_data(Bytes::from_static(b"half"), false).unwrap();
            // A reset takes back what is not sent yet.
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            send.send_reset(reason);
        });
        let proxy = Proxy::with(&to_url(&format!("h2c://{server}")), |_| {});
        let mut client = proxy.connect();
        client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        client.head();
        assert_eq!(client.rest(), "4\r\nhalf\r\n", "{reason:?}");
        h2c::run(async {
            let mut client = h2c::connect(proxy.address).await;
            let (answer, _) = client.send_request(get("http://x/"), true).unwrap();
            let mut answer = answer.await.unwrap();
            let error = h2c::read(answer.body_mut()).await.unwrap_err();
            assert_eq!(
                error.reason(),
                Some(h2::Reason::INTERNAL_ERROR),
                "{reason:?}"
            );
        });
    }
}
