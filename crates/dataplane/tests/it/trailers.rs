//! What follows a body, from any version of HTTP to any other.

use http::{HeaderMap, HeaderValue, Request, Response};
use serde_json::Value;

use crate::h2c;
use crate::support::{Proxy, server, to, to_url};

fn trailers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|&(name, value)| {
            (
                http::HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        })
        .collect()
}

/// Servers of both versions that answer with what they got, and trailers of their own.
fn servers() -> [Value; 2] {
    let old = server(|mut client| {
        while client.has_more() {
            let head = client.head();
            assert!(head.to_lowercase().contains("\r\nte: trailers"), "{head}");
            let (body, trailers) = client.chunks();
            let got = format!("{body} {}", trailers.trim_end().to_lowercase());
            client.send(format!(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{got}\r\n0\r\n\
                 Grpc-Status: 0\r\nX-Tr: 1\r\nX-Tr: 2\r\nContent-Length: 9\r\n\r\n",
                got.len()
            ));
        }
    });
    let new = h2c::server(|request, mut respond| async move {
        assert_eq!(request.headers()["te"], "trailers");
        let (body, got) = h2c::read(&mut request.into_body()).await.unwrap();
        let mut got: Vec<_> = got
            .iter()
            .flatten()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        got.sort_unstable();
        let mut send = respond.send_response(Response::new(()), false).unwrap();
        send.send_data(format!("{body} {}", got.join("\r\n")).into(), false)
            .unwrap();
        let mut own = trailers(&[("grpc-status", "0"), ("x-tr", "1"), ("content-length", "9")]);
        own.append("x-tr", HeaderValue::from_static("2"));
        send.send_trailers(own).unwrap();
    });
    [to(old), to_url(&format!("h2c://{new}"))]
}

/// What the server got, and what follows the answer.
fn ask1(proxy: &Proxy) -> (String, String) {
    let response = proxy.ask(
        "POST / HTTP/1.1\r\nHost: x\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\n\r\n\
         1\r\na\r\n0\r\nX-Checksum: 7\r\nHost: y\r\nX-Forwarded-For: me\r\n\r\n",
    );
    (response.body, response.trailers.to_lowercase())
}

fn ask2(proxy: &Proxy) -> (String, String) {
    h2c::run(async {
        let mut client = h2c::connect(proxy.address).await;
        let post = Request::post("http://x/")
            .header("te", "trailers")
            .body(())
            .unwrap();
        let (answer, mut send) = client.send_request(post, false).unwrap();
        send.send_data("a".into(), false).unwrap();
        send.send_trailers(trailers(&[
            ("x-checksum", "7"),
            ("host", "y"),
            ("x-forwarded-for", "me"),
        ]))
        .unwrap();
        let mut answer = answer.await.unwrap();
        let (body, trailers) = h2c::read(answer.body_mut()).await.unwrap();
        let lines = trailers.iter().flatten();
        let lines = lines.map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap()));
        (body, lines.collect())
    })
}

#[test]
fn trailers_go_both_ways_between_all_versions() {
    for (back, http) in servers().into_iter().enumerate() {
        let proxy = Proxy::with(&http, |_| {});
        for (front, ask) in [ask1, ask2].into_iter().enumerate() {
            let (got, followed) = ask(&proxy);
            assert_eq!(got, "a x-checksum: 7", "{front} {back}");
            assert_eq!(
                followed, "grpc-status: 0\r\nx-tr: 1\r\nx-tr: 2\r\n",
                "{front} {back}"
            );
        }
    }
}

#[test]
fn an_answer_of_nothing_but_trailers_is_its_head() {
    let server = h2c::server(|request, mut respond| async move {
        // What a client allows a call is the server's business.
        assert_eq!(request.headers()["grpc-timeout"], "1S");
        let head = Response::builder()
            .header("content-type", "application/grpc")
            .header("grpc-status", "5")
            .header("grpc-message", "no such thing");
        respond.send_response(head.body(()).unwrap(), true).unwrap();
    });
    let proxy = Proxy::with(&to_url(&format!("h2c://{server}")), |_| {});
    h2c::run(async {
        let mut client = h2c::connect(proxy.address).await;
        let call = Request::post("http://x/a.B/C")
            .header("te", "trailers")
            .header("grpc-timeout", "1S")
            .header("content-type", "application/grpc");
        let (answer, mut send) = client.send_request(call.body(()).unwrap(), false).unwrap();
        send.send_data("\0\0\0\0\0".into(), true).unwrap();
        let answer = answer.await.unwrap();
        assert_eq!(answer.headers()["grpc-status"], "5");
        assert_eq!(answer.headers()["grpc-message"], "no such thing");
        assert!(answer.body().is_end_stream());
    });
}
