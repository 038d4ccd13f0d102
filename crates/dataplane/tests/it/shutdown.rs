//! How it ends.

use std::net::TcpStream;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use crate::support::{Client, Proxy, server, to};

const GET: &str = "GET / HTTP/1.1\r\nHost: x.test\r\n\r\n";

/// A server that tells when a request has arrived and answers when it is told to.
fn held() -> (std::net::SocketAddr, mpsc::Receiver<()>, mpsc::Sender<()>) {
    let (arrived, has_arrived) = mpsc::channel();
    let (go, may_go) = mpsc::channel::<()>();
    let channels = Arc::new(Mutex::new((arrived, may_go)));
    let address = server(move |mut client: Client| {
        client.head();
        let channels = channels.lock().unwrap();
        channels.0.send(()).unwrap();
        if channels.1.recv().is_ok() {
            client.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone");
        }
    });
    (address, has_arrived, go)
}

#[test]
fn a_request_under_way_is_finished_and_nothing_else_begun() {
    let (server, has_arrived, go) = held();
    let proxy = Proxy::with(&to(server), |web| {
        web.life_cycle.grace = Duration::from_secs(3600);
    });
    let mut idle = proxy.connect();
    idle.send("GET /%zz HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n");
    idle.response();
    let mut untouched = proxy.connect();
    let mut client = proxy.connect();
    client.send(GET);
    has_arrived.recv().unwrap();

    proxy.running.shutdown();
    // Once the idle ones are gone, so is the listener.
    assert_eq!(idle.rest(), "");
    assert_eq!(untouched.rest(), "");
    assert!(TcpStream::connect(proxy.address).is_err());
    go.send(()).unwrap();
    let response = client.response();
    assert_eq!((response.status(), &*response.body), (200, "done"));
    assert_eq!(response.header("Connection"), Some("close"));
    assert_eq!(client.rest(), "");
    proxy.running.wait().unwrap();
}

#[test]
fn a_request_that_takes_too_long_is_cut() {
    let (server, has_arrived, _go) = held();
    let proxy = Proxy::with(&to(server), |web| {
        web.life_cycle.grace = Duration::from_millis(1);
    });
    let mut client = proxy.connect();
    client.send(GET);
    has_arrived.recv().unwrap();
    proxy.running.shutdown();
    assert_eq!(client.rest(), "");
    proxy.running.wait().unwrap();
}

#[test]
fn requests_are_accepted_for_a_while() {
    let (server, has_arrived, go) = held();
    let proxy = Proxy::with(&to(server), |web| {
        web.life_cycle.request_accept_grace = Duration::from_secs(3600);
    });
    proxy.running.shutdown();
    let mut client = proxy.connect();
    client.send(GET);
    has_arrived.recv().unwrap();
    go.send(()).unwrap();
    assert_eq!(client.response().body, "done");
}

#[test]
fn a_tunnel_is_cut_at_the_end() {
    let proxy = Proxy::with(
        &to(server(|mut client: Client| {
            client.head();
            client.send(
                "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
            );
            client.rest();
        })),
        |web| web.life_cycle.grace = Duration::from_millis(1),
    );
    let mut client = proxy.connect();
    client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n");
    client.head();
    proxy.running.shutdown();
    assert_eq!(client.rest(), "");
    proxy.running.wait().unwrap();
}

#[test]
fn http2_requests_under_way_are_finished_too() {
    let (server, has_arrived, go) = held();
    let proxy = Proxy::with(&to(server), |web| {
        web.life_cycle.grace = Duration::from_secs(3600);
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(proxy.address).await.unwrap();
        let (client, connection) = h2::client::handshake(stream).await.unwrap();
        let connection = tokio::spawn(connection);
        let mut client = client.ready().await.unwrap();
        let request = http::Request::get("http://x.test/").body(()).unwrap();
        let (answer, _) = client.send_request(request, true).unwrap();
        tokio::task::yield_now().await;
        let has_arrived = tokio::task::spawn_blocking(move || has_arrived.recv());
        has_arrived.await.unwrap().unwrap();
        proxy.running.shutdown();
        go.send(()).unwrap();
        assert_eq!(answer.await.unwrap().status(), 200);
        // It is told to go away, and goes although the client would stay.
        connection.await.unwrap().unwrap();
    });
    proxy.running.wait().unwrap();
}
