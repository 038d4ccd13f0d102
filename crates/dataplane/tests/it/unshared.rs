//! Servers that authenticate connections instead of requests.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};

use http::Request;
use tokio::net::TcpStream;

use crate::support::{Client, Proxy, server};

/// A server whose answers say on which connection they come, and which says when one has ended. It asks at `/login` for
/// `challenge`.
fn counting(challenge: &'static str) -> (Proxy, mpsc::Receiver<usize>) {
    let n_connections = AtomicUsize::new(0);
    let (end, ended) = mpsc::channel();
    let end = Mutex::new(end);
    let server = server(move |mut client: Client| {
        let number = n_connections.fetch_add(1, Ordering::Relaxed);
        while client.has_more() {
            let fields = if client.head().starts_with("GET /login ") {
                format!(
                    "401 Unauthorized\r\nWWW-Authenticate: Basic\r\nWWW-Authenticate: {challenge}"
                )
            } else {
                "200 OK".to_owned()
            };
            client.send(format!(
                "HTTP/1.1 {fields}\r\nContent-Length: 1\r\n\r\n{number}"
            ));
        }
        // The test may be over.
        end.lock().unwrap().send(number).ok();
    });
    (Proxy::to(server), ended)
}

/// The connection to the server that a request takes.
fn taken(client: &mut Client, path: &str) -> String {
    client.send(format!("GET {path} HTTP/1.1\r\nHost: x.test\r\n\r\n"));
    client.response().body
}

#[test]
fn a_client_that_authenticates_its_connection_shares_it_with_nobody() {
    for challenge in ["NTLM", "Negotiate", "Negotiate oYG2MIGz"] {
        let (proxy, ended) = counting(challenge);
        let (mut one, mut other) = (proxy.connect(), proxy.connect());
        assert_eq!(taken(&mut one, "/"), "0");
        assert_eq!(taken(&mut other, "/"), "0");
        assert_eq!(taken(&mut one, "/login"), "0", "{challenge}");
        // From now on it has its own, and the others keep theirs.
        for _ in 0..2 {
            assert_eq!(taken(&mut one, "/"), "1", "{challenge}");
            assert_eq!(taken(&mut other, "/"), "0", "{challenge}");
        }
        assert_eq!(taken(&mut proxy.connect(), "/"), "0", "{challenge}");
        drop(one);
        assert_eq!(ended.recv().unwrap(), 1, "{challenge}");
    }
}

#[test]
fn other_challenges_are_for_requests() {
    let (proxy, _ended) = counting("Digest realm=x");
    let mut client = proxy.connect();
    for path in ["/login", "/"] {
        assert_eq!(taken(&mut client, path), "0");
    }
}

#[test]
fn all_requests_of_an_http2_connection_are_one_clients() {
    let (proxy, ended) = counting("NTLM");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let stream = TcpStream::connect(proxy.address).await.unwrap();
        let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        for (path, number) in [("/login", "0"), ("/", "1"), ("/", "1")] {
            client = client.ready().await.unwrap();
            let request = Request::get(format!("http://x.test{path}"));
            let (answer, _) = client
                .send_request(request.body(()).unwrap(), true)
                .unwrap();
            let mut body = answer.await.unwrap().into_body();
            assert_eq!(body.data().await.unwrap().unwrap(), number);
        }
    });
    drop(runtime);
    assert_eq!(ended.recv().unwrap(), 1);
}
