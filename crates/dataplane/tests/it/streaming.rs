//! Answers that are not there all at once.

use std::sync::{Arc, Mutex, mpsc};

use http::Request;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::support::{Client, Proxy, server, to};

const GET: &str = "GET / HTTP/1.1\r\nHost: x.test\r\n\r\n";

/// A server that sends each piece when it is told to, and a route to it.
struct Teller {
    proxy: Proxy,
    go_on: mpsc::Sender<()>,
}

impl Teller {
    fn start(head: &'static str, pieces: &'static [&'static str], flush_interval: &Value) -> Self {
        let (go_on, told) = mpsc::channel();
        let told = Arc::new(Mutex::new(told));
        let server = server(move |mut client: Client| {
            client.head();
            client.send(head);
            for piece in pieces {
                told.lock().unwrap().recv().unwrap();
                client.send(piece);
            }
        });
        let mut http = to(server);
        http["services"]["server"]["loadBalancer"]["responseForwarding"] =
            json!({ "flushInterval": flush_interval });
        Self {
            proxy: Proxy::with(&http, |_| {}),
            go_on,
        }
    }
}

/// Each way in which a server can frame `onetwo`, said in two pieces.
const FRAMINGS: [(&str, &[&str]); 5] = [
    (
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
        &["3\r\none\r\n", "3\r\ntwo\r\n0\r\n\r\n"],
    ),
    (
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        &["3\r\none\r\n", "3\r\ntwo\r\n0\r\n\r\n"],
    ),
    (
        "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n",
        &["one", "two"],
    ),
    ("HTTP/1.1 200 OK\r\n\r\n", &["one", "two"]),
    ("HTTP/1.0 200 OK\r\n\r\n", &["one", "two"]),
];

/// Traefik holds a known length back for as long as this says, and nothing else. A bare number is seconds.
fn flush_intervals() -> [Value; 5] {
    [
        json!("100ms"),
        json!(0),
        json!(-1),
        json!(3600),
        json!("1h"),
    ]
}

#[test]
fn a_piece_arrives_before_the_server_sends_the_next() {
    for (head, pieces) in FRAMINGS {
        for interval in flush_intervals() {
            let teller = Teller::start(head, pieces, &interval);
            let mut client = teller.proxy.connect();
            client.send(GET);
            // The server has not said anything of the body yet.
            client.head();
            for word in ["one", "two"] {
                teller.go_on.send(()).unwrap();
                client.until(word);
            }
        }
    }
}

#[test]
fn a_piece_arrives_over_http2_before_the_server_sends_the_next() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    for (head, pieces) in FRAMINGS {
        for interval in flush_intervals() {
            let teller = Teller::start(head, pieces, &interval);
            runtime.block_on(async {
                let stream = TcpStream::connect(teller.proxy.address).await.unwrap();
                let (client, connection) = h2::client::handshake(stream).await.unwrap();
                tokio::spawn(connection);
                let mut client = client.ready().await.unwrap();
                let request = Request::get("http://x.test/").body(()).unwrap();
                let (answer, _) = client.send_request(request, true).unwrap();
                let mut body = answer.await.unwrap().into_body();
                for word in ["one", "two"] {
                    teller.go_on.send(()).unwrap();
                    assert_eq!(body.data().await.unwrap().unwrap(), word, "{head}");
                }
                while let Some(data) = body.data().await {
                    assert_eq!(data.unwrap(), "", "{head}");
                }
            });
        }
    }
}

/// A server that reads all of an upload, whether its own answer is read or not.
fn eager(length: usize) -> std::net::SocketAddr {
    server(move |mut client: Client| {
        client.head();
        let mut other = client.twin();
        std::thread::spawn(move || {
            other.send(format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"
            ));
            other.send(vec![b'a'; length]);
        });
        assert_eq!(client.exactly(length).len(), length);
    })
}

#[test]
fn a_client_may_send_everything_before_it_reads_anything() {
    // More than all the buffers on the way.
    const LENGTH: usize = 32 << 20;
    let proxy = Proxy::to(eager(LENGTH));
    let mut client = proxy.connect();
    client.send(format!(
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {LENGTH}\r\n\r\n"
    ));
    client.send(vec![b'q'; LENGTH]);
    let head = client.head();
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    assert_eq!(client.exactly(LENGTH).len(), LENGTH);
}
