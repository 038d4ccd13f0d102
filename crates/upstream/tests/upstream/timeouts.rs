use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Method, header::EXPECT};
use http_body_util::{Full, channel::Channel};
use tokio::{
    net::{TcpSocket, TcpStream},
    time::{Instant, advance, sleep, timeout},
};
use traefikrs_upstream::{Answer, Host, Limits, Outgoing, Peer, Scheme, Upstreams};

use super::support::{Server, Step, get, kind, read, say, send, settle, with_body};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "local", start_paused = true)]
async fn a_head_that_does_not_come_in_time_is_not_awaited() {
    for script in [
        vec![Step::Head, Step::Hold],
        vec![Step::Head, say("HTTP/1.1 200 OK\r\nX"), Step::Hold],
    ] {
        let server = Server::start([script]).await;
        let limits = Limits {
            response_header_timeout: Some(5 * SECOND),
            ..Limits::default()
        };
        let started = Instant::now();
        let error = send(&Upstreams::new(), &server.peer(), &limits, get())
            .await
            .unwrap_err();
        assert_eq!(
            (kind(&error).as_str(), started.elapsed().as_secs()),
            ("ResponseHeaderTimeout", 5)
        );
        server.until_closed(1).await;
    }
}

#[tokio::test(flavor = "local", start_paused = true)]
async fn the_clock_for_the_head_starts_when_the_request_is_written() {
    let server = Server::start([vec![
        Step::Head,
        Step::Read("0\r\n\r\n".len()),
        say(OK),
        Step::Hold,
    ]])
    .await;
    let (upload, body) = Channel::<Bytes, Infallible>::new(1);
    let limits = Limits {
        response_header_timeout: Some(5 * SECOND),
        ..Limits::default()
    };
    let (upstreams, peer) = (Upstreams::new(), server.peer());
    let finish = async {
        sleep(60 * SECOND).await;
        drop(upload);
    };
    let (answer, ()) = tokio::join!(
        send(&upstreams, &peer, &limits, with_body(Method::POST, body)),
        finish
    );
    assert!(matches!(answer, Ok(Answer::Response { head, .. }) if head.status == 200));
}

#[tokio::test(flavor = "local", start_paused = true)]
async fn a_server_that_does_not_accept_is_not_awaited_for_ever() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queue = Vec::new();
    while let Ok(stream) = timeout(SECOND, TcpStream::connect(address)).await {
        queue.push(stream.unwrap());
    }
    let peer = Peer {
        pool: 1,
        scheme: Scheme::Http,
        host: Host::Ip(address.ip()),
        port: address.port(),
    };
    let limits = Limits {
        dial_timeout: Some(3 * SECOND),
        ..Limits::default()
    };
    let (upstreams, started) = (Upstreams::new(), Instant::now());
    let error = send(&upstreams, &peer, &limits, get()).await.unwrap_err();
    assert_eq!(
        (kind(&error).as_str(), started.elapsed().as_secs()),
        ("DialTimeout", 3)
    );
    assert!(error.is_timeout());
    assert_eq!(upstreams.stats().dial_failures, 1);
}

#[tokio::test(flavor = "local", start_paused = true)]
async fn idle_connections_grow_old() {
    for (age, swept, dialed) in [(89, false, 1), (91, false, 2), (89, true, 1), (91, true, 2)] {
        let script = vec![Step::Head, say(OK), Step::Head, say(OK), Step::Hold];
        let server = Server::start([script.clone(), script]).await;
        let (upstreams, peer) = (Upstreams::new(), server.peer());
        read(&upstreams, &peer, get()).await.unwrap();
        advance(age * SECOND).await;
        if swept {
            upstreams.sweep(Instant::now());
            assert_eq!(upstreams.stats().idle, if dialed == 1 { 1 } else { 0 });
        }
        read(&upstreams, &peer, get()).await.unwrap();
        assert_eq!(upstreams.stats().dialed, dialed, "after {age} s");
    }
}

#[tokio::test(flavor = "local", start_paused = true)]
async fn sweeping_closes_what_the_server_has_closed_and_retaining_what_nobody_wants() {
    let server = Server::start([
        vec![Step::Head, say(OK)],
        vec![Step::Head, say(OK), Step::Hold],
    ])
    .await;
    let (upstreams, peer) = (Upstreams::new(), server.peer());
    read(&upstreams, &peer, get()).await.unwrap();
    server.until_closed(1).await;
    assert_eq!(upstreams.stats().idle, 1);
    upstreams.sweep(Instant::now());
    assert_eq!(upstreams.stats().idle, 0);
    read(&upstreams, &peer, get()).await.unwrap();
    upstreams.retain(|pool| pool == 1);
    assert_eq!(upstreams.stats().idle, 1);
    upstreams.retain(|pool| pool == 2);
    assert_eq!(upstreams.stats().idle, 0);
    server.until_closed(2).await;
}

/// The status, the virtual milliseconds it took, and what the server has heard of the body.
async fn expecting(script: Vec<Step>) -> (u16, u128, String) {
    let server = Server::start([script]).await;
    let upstreams = Upstreams::new();
    let mut request: Outgoing<_> = with_body(Method::POST, Full::new(Bytes::from_static(b"body")));
    request
        .headers
        .insert(EXPECT, HeaderValue::from_static("100-continue"));
    let started = Instant::now();
    let read = read(&upstreams, &server.peer(), request).await.unwrap();
    let elapsed = started.elapsed().as_millis();
    settle().await;
    let heard = server.heard(0);
    let (head, body) = heard.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("\r\nExpect: 100-continue"), "{head}");
    assert_eq!(upstreams.stats().idle, usize::from(body == "body"));
    (read.head.status.as_u16(), elapsed, body.to_owned())
}

#[tokio::test(flavor = "local", start_paused = true)]
async fn a_body_waits_to_be_asked_for_but_not_for_long() {
    let go = say("HTTP/1.1 100 Continue\r\n\r\n");
    let willing = vec![Step::Head, go, Step::Read(4), say(OK), Step::Hold];
    assert_eq!(expecting(willing).await, (200, 0, "body".to_owned()));
    let ignorant = vec![Step::Head, Step::Read(4), say(OK), Step::Hold];
    let (status, elapsed, body) = expecting(ignorant).await;
    assert!((1000..1010).contains(&elapsed), "{elapsed}");
    assert_eq!((status, body.as_str()), (200, "body"));
    let unwilling = vec![
        Step::Head,
        say("HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n"),
        Step::Hold,
    ];
    assert_eq!(expecting(unwilling).await, (417, 0, String::new()));
}
