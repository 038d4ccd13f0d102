//! HTTP/2 without TLS, by prior knowledge.

use bytes::Bytes;
use http::Request;
use serde_json::json;
use tokio::net::TcpStream;

use crate::h2c;
use crate::support::{Proxy, answers, echo, service, to, to_url};

struct Answer {
    head: http::response::Parts,
    body: String,
    trailers: Option<http::HeaderMap>,
}

/// Asks over one connection, one request after the other.
fn ask(proxy: &Proxy, requests: Vec<(Request<()>, Option<&'static str>)>) -> Vec<Answer> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let stream = TcpStream::connect(proxy.address).await.unwrap();
        let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
        let connection = tokio::spawn(connection);
        let mut answers = Vec::new();
        for (request, body) in requests {
            client = client.ready().await.unwrap();
            let (answer, mut send) = client.send_request(request, body.is_none()).unwrap();
            if let Some(body) = body {
                send.send_data(Bytes::from_static(body.as_bytes()), true)
                    .unwrap();
            }
            let (head, mut stream) = answer.await.unwrap().into_parts();
            let mut body = Vec::new();
            while let Some(data) = stream.data().await {
                let data = data.unwrap();
                stream.flow_control().release_capacity(data.len()).unwrap();
                body.extend(data);
            }
            let trailers = stream.trailers().await.unwrap();
            answers.push(Answer {
                head,
                body: String::from_utf8(body).unwrap(),
                trailers,
            });
        }
        drop(client);
        connection.await.unwrap().unwrap();
        answers
    })
}

fn get(uri: &str) -> (Request<()>, Option<&'static str>) {
    (Request::get(uri).body(()).unwrap(), None)
}

#[test]
fn requests_go_through() {
    let proxy = Proxy::to(echo());
    let post = Request::post("http://x.test/b")
        .header("x-a", "1")
        .body(())
        .unwrap();
    let answers = ask(
        &proxy,
        vec![get("http://X.test:1/a//b?c"), (post, Some("body"))],
    );
    assert_eq!(
        answers[0].body,
        "GET /a/b?c HTTP/1.1\nHost: X.test:1\nX-Forwarded-For: 127.0.0.1\nX-Forwarded-Host: X.test:1\n\
         X-Forwarded-Port: 1\nX-Forwarded-Proto: http\nX-Forwarded-Server: here\nX-Real-Ip: 127.0.0.1\n\n"
    );
    assert!(answers[0].head.headers.contains_key("date"));
    assert!(
        answers[1].body.starts_with("POST /b HTTP/1.1\n"),
        "{}",
        answers[1].body
    );
    assert!(
        answers[1].body.contains("\nX-A: 1\n"),
        "{}",
        answers[1].body
    );
    assert!(answers[1].body.ends_with("body"), "{}", answers[1].body);
}

#[test]
fn a_head_is_answered_without_a_body() {
    let proxy = Proxy::with(&json!({}), |_| {});
    let head = || (Request::head("http://x.test/").body(()).unwrap(), None);
    for answer in ask(&proxy, vec![head(), head()]) {
        assert_eq!(
            (answer.head.status.as_u16(), answer.body.as_str()),
            (404, "")
        );
        assert_eq!(answer.head.headers["content-length"], "19");
    }
}

#[test]
fn refusals_do_not_speak_of_connections() {
    let proxy = Proxy::with(&json!({}), |_| {});
    let answers = ask(&proxy, vec![get("http://x/%zz"), get("http://x/")]);
    assert_eq!(answers[0].head.status, 400);
    assert!(!answers[0].head.headers.contains_key("connection"));
    assert_eq!(
        (answers[1].head.status.as_u16(), &*answers[1].body),
        (404, "404 page not found\n")
    );
}

#[test]
fn an_answer_of_nothing_says_so_unless_that_goes_without_saying() {
    for (head, length) in [
        ("200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0", None),
        ("200 OK\r\nContent-Length: 0", Some("0")),
        ("204 No Content", None),
        ("304 Not Modified\r\nContent-Length: 5", None),
    ] {
        let answer = format!("HTTP/1.1 {head}\r\n\r\n");
        let proxy = Proxy::to(answers(answer));
        let answers = ask(&proxy, vec![get("http://x/")]);
        let told = answers[0].head.headers.get("content-length");
        assert_eq!(told.map(|told| told.to_str().unwrap()), length, "{head}");
        assert_eq!(answers[0].body, "");
    }
}

#[test]
fn what_a_connection_of_http1_is_told_is_not_said_and_close_is_obeyed() {
    let proxy = Proxy::with(
        &json!({
            "routers": { "all": { "rule": "PathPrefix(`/`)", "service": "one", "middlewares": ["close"] } },
            "middlewares": { "close": { "headers": { "customResponseHeaders": {
                "Connection": "close", "Keep-Alive": "a", "Upgrade": "b", "Te": "c", "Proxy-Connection": "d",
            } } } },
            "services": { "one": service(echo()) },
        }),
        |_| {},
    );
    h2c::run(async {
        let stream = TcpStream::connect(proxy.address).await.unwrap();
        let (client, connection) = h2::client::handshake(stream).await.unwrap();
        let connection = tokio::task::spawn_local(connection);
        let mut client = client.ready().await.unwrap();
        let (answer, _) = client.send_request(get("http://x/").0, true).unwrap();
        let answer = answer.await.unwrap();
        let names: Vec<_> = answer
            .headers()
            .keys()
            .map(http::HeaderName::as_str)
            .collect();
        assert_eq!(names, ["content-length", "date"]);
        // It ends although the client would keep it.
        connection.await.unwrap().unwrap();
    });
}

#[test]
fn what_is_not_served_ends_no_other_stream() {
    let proxy = Proxy::to(echo());
    let connect = || {
        let request = Request::connect("x:80").header("content-length", "3");
        (request.body(()).unwrap(), Some("abc"))
    };
    let answers = ask(&proxy, vec![connect(), get("http://x/")]);
    let statuses: Vec<_> = answers
        .iter()
        .map(|answer| answer.head.status.as_u16())
        .collect();
    assert_eq!(statuses, [501, 200]);
}

#[test]
fn trailers_arrive() {
    let proxy = Proxy::to(answers(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: grpc-status\r\n\r\n1\r\na\r\n0\r\ngrpc-status: 0\r\n\r\n",
    ));
    let answers = ask(&proxy, vec![get("http://x/")]);
    assert_eq!(answers[0].body, "a");
    assert_eq!(answers[0].trailers.as_ref().unwrap()["grpc-status"], "0");
}

#[test]
fn cookies_arrive_as_one() {
    let proxy = Proxy::to(echo());
    let request = Request::get("http://x/")
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .body(())
        .unwrap();
    let answers = ask(&proxy, vec![(request, None)]);
    assert!(
        answers[0].body.contains("\nCookie: a=1; b=2\n"),
        "{}",
        answers[0].body
    );
}

#[test]
fn a_server_may_speak_it_too() {
    let inner = Proxy::to(echo()).leak();
    let proxy = Proxy::with(&to_url(&format!("h2c://{inner}")), |_| {});
    let body = proxy
        .ask("POST /a?b HTTP/1.1\r\nHost: x.test\r\nContent-Length: 3\r\n\r\nabc")
        .body;
    assert!(
        body.starts_with("POST /a?b HTTP/1.1\nContent-Length: 3\nHost: x.test\n"),
        "{body}"
    );
    assert!(body.ends_with("\n\nabc"), "{body}");
}

#[test]
fn a_worn_out_connection_is_told_to_go_away() {
    let proxy = Proxy::with(&to(echo()), |web| {
        web.keep_alive.max_requests = std::num::NonZeroU64::new(1);
    });
    // The connection ends although the client would keep it.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let stream = TcpStream::connect(proxy.address).await.unwrap();
        let (client, connection) = h2::client::handshake(stream).await.unwrap();
        let connection = tokio::spawn(connection);
        let mut client = client.ready().await.unwrap();
        let (answer, _) = client.send_request(get("http://x/").0, true).unwrap();
        assert_eq!(answer.await.unwrap().status(), 200);
        connection.await.unwrap().unwrap();
    });
}
