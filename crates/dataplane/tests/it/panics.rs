//! Faults of our own: the API is where a test can put one.

use std::sync::Arc;

use bytes::Bytes;
use http::Response;

use crate::routes::api;
use crate::support::Proxy;

/// The API panics at `/api/panic`.
fn faulty() -> Proxy {
    let api_answer = |request: &http::request::Parts, _: &_| {
        assert!(!request.uri.path().contains("panic"), "as it should");
        Response::new(Bytes::from_static(b"fine"))
    };
    Proxy::with_api(&api(), Arc::new(api_answer))
}

#[test]
fn a_panic_is_an_error_for_one_request_and_nothing_else() {
    let proxy = faulty();
    let mut other = proxy.connect();
    other.send("GET /api HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(other.response().body, "fine");

    let mut client = proxy.connect();
    for body in ["\r\n", "Content-Length: 3\r\n\r\nabc"] {
        client.send(format!("GET /api/panic HTTP/1.1\r\nHost: x\r\n{body}"));
        let response = client.response();
        assert_eq!(
            response.undated_head(),
            "HTTP/1.1 500 Internal Server Error\nContent-Type: text/plain; charset=utf-8\n\
             X-Content-Type-Options: nosniff\nContent-Length: 22"
        );
        assert_eq!(response.body, "Internal Server Error\n");
        client.send("GET /api HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!(client.response().body, "fine");
    }

    other.send("GET /api HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(other.response().body, "fine");
    drop((other, client));
    // What panicked counts as ended.
    proxy.running.shutdown();
    proxy.running.wait().unwrap();
}

#[test]
fn a_panic_in_http2_leaves_the_other_streams() {
    let proxy = faulty();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(proxy.address).await.unwrap();
        let (client, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        for (path, status) in [("/api", 200), ("/api/panic", 500), ("/api", 200)] {
            let mut client = client.clone().ready().await.unwrap();
            let uri = format!("http://x.test{path}");
            let request = http::Request::get(uri).body(()).unwrap();
            let (answer, _) = client.send_request(request, true).unwrap();
            assert_eq!(answer.await.unwrap().status(), status, "{path}");
        }
    });
    proxy.running.shutdown();
    proxy.running.wait().unwrap();
}
