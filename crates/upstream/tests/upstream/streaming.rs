use std::{cell::Cell, convert::Infallible, rc::Rc};

use bytes::Bytes;
use http::Method;
use http_body::Body;
use http_body_util::{BodyExt, Full, channel::Channel};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::spawn_local,
};
use traefikrs_upstream::{Host, Peer, Scheme, UpstreamBody, Upstreams};

use super::support::{Server, Step, ask, get, kind, say, settle, with_body};

type Upload = Channel<Bytes, Infallible>;

async fn next<B>(body: &mut UpstreamBody<B>) -> Bytes
where
    UpstreamBody<B>: Body<Data = Bytes, Error = traefikrs_upstream::Error> + Unpin,
{
    body.frame().await.unwrap().unwrap().into_data().unwrap()
}

#[tokio::test(flavor = "local")]
async fn both_directions_flow_at_once() {
    let server = Server::start([vec![
        Step::Head,
        say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        Step::Read("3\r\none\r\n".len()),
        say("1\r\n1\r\n"),
        Step::Read("3\r\ntwo\r\n".len()),
        say("1\r\n2\r\n"),
        Step::Read("0\r\n\r\n".len()),
        say("0\r\n\r\n"),
        Step::Hold,
    ]])
    .await;
    let upstreams = Upstreams::new();
    let (mut upload, body) = Upload::new(1);
    let (_, mut answer) = ask(&upstreams, &server.peer(), with_body(Method::POST, body))
        .await
        .unwrap();
    upload.send_data(Bytes::from_static(b"one")).await.unwrap();
    assert_eq!(next(&mut answer).await, "1");
    upload.send_data(Bytes::from_static(b"two")).await.unwrap();
    assert_eq!(next(&mut answer).await, "2");
    drop(upload);
    assert!(answer.frame().await.is_none());
    assert_eq!(upstreams.stats().idle, 1);
}

#[tokio::test(flavor = "local")]
async fn an_upload_does_not_wait_for_its_answer_to_be_read() {
    // More than the kernel keeps for a connection.
    const LENGTH: usize = 32 * 1024 * 1024;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let peer = Peer {
        pool: 1,
        scheme: Scheme::Http,
        host: Host::Ip(listener.local_addr().unwrap().ip()),
        port: listener.local_addr().unwrap().port(),
    };
    spawn_local(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let (mut read, mut write) = stream.into_split();
        spawn_local(async move {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n");
            write.write_all(head.as_bytes()).await.unwrap();
            write.write_all(&vec![b'a'; LENGTH]).await.unwrap();
        });
        while read
            .read_buf(&mut Vec::with_capacity(1 << 16))
            .await
            .unwrap()
            > 0
        {}
    });
    let upstreams = Upstreams::new();
    let (mut upload, body) = Upload::new(1);
    let (_, mut answer) = ask(&upstreams, &peer, with_body(Method::POST, body))
        .await
        .unwrap();
    let piece = Bytes::from(vec![b'q'; 1 << 16]);
    for _ in 0..LENGTH / piece.len() {
        upload.send_data(piece.clone()).await.unwrap();
    }
    drop(upload);
    let mut length = 0;
    while length < LENGTH {
        length += next(&mut answer).await.len();
    }
    assert!(answer.frame().await.is_none());
    assert_eq!(upstreams.stats().idle, 1);
}

#[tokio::test(flavor = "local")]
async fn an_answer_that_is_dropped_ends_its_upload() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
    let server = Server::start([vec![Step::Head, say(head), Step::Hold]]).await;
    let upstreams = Upstreams::new();
    let (mut upload, body) = Upload::new(1);
    let (_, answer) = ask(&upstreams, &server.peer(), with_body(Method::POST, body))
        .await
        .unwrap();
    settle().await;
    drop(answer);
    assert!(upload.send_data(Bytes::from_static(b"more")).await.is_err());
    server.until_closed(1).await;
    assert_eq!(upstreams.stats().idle, 0);
}

#[tokio::test(flavor = "local")]
async fn an_answer_that_ends_before_the_request_costs_the_connection() {
    let answer = "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno";
    let server = Server::start([vec![Step::Head, say(answer), Step::Hold]]).await;
    let upstreams = Upstreams::new();
    let (mut upload, body) = Upload::new(1);
    let (head, answer) = ask(&upstreams, &server.peer(), with_body(Method::POST, body))
        .await
        .unwrap();
    assert_eq!(head.status, 413);
    assert_eq!(answer.collect().await.unwrap().to_bytes(), "no");
    assert!(upload.send_data(Bytes::from_static(b"more")).await.is_err());
    server.until_closed(1).await;
    assert_eq!(upstreams.stats().idle, 0);
}

#[tokio::test(flavor = "local")]
async fn an_answer_is_heard_although_the_server_has_stopped_listening() {
    let answer = "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno";
    // Closing with unread bytes is a reset.
    let server = Server::start([vec![Step::Head, say(answer)]]).await;
    let body = Full::new(Bytes::from(vec![b'x'; 20_000_000]));
    let upstreams = Upstreams::new();
    let (head, answer) = ask(&upstreams, &server.peer(), with_body(Method::POST, body))
        .await
        .unwrap();
    assert_eq!(head.status, 413);
    assert_eq!(answer.collect().await.unwrap().to_bytes(), "no");
    assert_eq!(upstreams.stats().idle, 0);
}

#[tokio::test(flavor = "local")]
async fn a_request_body_that_fails_ends_the_answer() {
    let server = Server::start([vec![
        Step::Head,
        say("HTTP/1.1 200 OK\r\n\r\nhe"),
        Step::Hold,
    ]])
    .await;
    let (upload, body) = Channel::<Bytes, std::io::Error>::new(1);
    let upstreams = Upstreams::new();
    let (_, mut answer) = ask(&upstreams, &server.peer(), with_body(Method::POST, body))
        .await
        .unwrap();
    assert_eq!(next(&mut answer).await, "he");
    upload.abort(std::io::Error::other("gone"));
    assert_eq!(
        kind(&answer.frame().await.unwrap().unwrap_err()),
        "RequestBody"
    );
    assert!(answer.frame().await.is_none());
    server.until_closed(1).await;
}

#[tokio::test(flavor = "local")]
async fn the_body_says_how_long_it_is() {
    for (wire, exact) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", Some(5)),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Some(0)),
        ("HTTP/1.1 204 None\r\n\r\n", Some(0)),
        ("HTTP/1.1 200 OK\r\n\r\nhello", None),
    ] {
        let server = Server::start([vec![Step::Head, say(wire)]]).await;
        let (_, mut body) = ask(&Upstreams::new(), &server.peer(), get()).await.unwrap();
        assert_eq!(body.size_hint().exact(), exact, "{wire:?}");
        assert_eq!(body.is_end_stream(), exact == Some(0), "{wire:?}");
        if exact == Some(5) {
            assert_eq!(next(&mut body).await, "hello");
            assert!(body.is_end_stream());
        }
    }
}

#[tokio::test(flavor = "local")]
async fn a_slow_reader_slows_the_server_down() {
    const LENGTH: usize = 256 * 1024 * 1024;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let written = Rc::new(Cell::new(0));
    let progress = Rc::clone(&written);
    spawn_local(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_buf(&mut Vec::new()).await.unwrap();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let block = vec![0; 64 * 1024];
        while let Ok(n) = stream.write(&block).await {
            progress.set(progress.get() + n);
        }
    });
    let peer = Peer {
        pool: 1,
        scheme: Scheme::Http,
        host: Host::Ip(address.ip()),
        port: address.port(),
    };
    let (_, mut body) = ask(&Upstreams::new(), &peer, get()).await.unwrap();
    let frame = next(&mut body).await;
    assert!(frame.len() <= 64 * 1024);
    settle().await;
    // What the kernel holds for both sides, and no more.
    let at_rest = written.get();
    assert!(at_rest < 32 * 1024 * 1024, "{at_rest}");
    settle().await;
    assert_eq!(written.get(), at_rest);
}
