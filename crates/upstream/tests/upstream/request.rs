use std::{
    collections::VecDeque,
    convert::Infallible,
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full, StreamBody};
use traefikrs_upstream::{Outgoing, Target, Upstreams};

use super::support::{
    NoBody, Server, Step, ask, get, kind, read, request, say, send, settle, with_body,
};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// What the server hears.
async fn heard<B>(request: Outgoing<B>, body_length: usize) -> String
where
    B: Body<Data = Bytes, Error: Into<traefikrs_upstream::BoxError>> + Unpin + 'static,
{
    let server = Server::start([vec![
        Step::Head,
        Step::Read(body_length),
        say(OK),
        Step::Hold,
    ]])
    .await;
    let peer = server.peer();
    let read = read(&Upstreams::new(), &peer, request).await.unwrap();
    assert_eq!(read.head.status, 200);
    server
        .heard(0)
        .replace(&server.address.to_string(), "SERVER")
}

fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
    let field = |&(name, value)| {
        (
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )
    };
    fields.iter().map(field).collect()
}

#[tokio::test(flavor = "local")]
async fn heads_look_as_they_do_behind_traefik() {
    let with_headers = |fields| Outgoing {
        headers: headers(fields),
        ..get()
    };
    for (request, expected) in [
        (get(), "GET / HTTP/1.1\r\nHost: SERVER\r\n\r\n"),
        (
            Outgoing {
                host: Some(HeaderValue::from_static("a.test:81")),
                ..get()
            },
            "GET / HTTP/1.1\r\nHost: a.test:81\r\n\r\n",
        ),
        (
            Outgoing {
                target: Target::try_from("/a|b?c=\"d\"<e>").unwrap(),
                ..request(Method::HEAD)
            },
            "HEAD /a|b?c=\"d\"<e> HTTP/1.1\r\nHost: SERVER\r\n\r\n",
        ),
        (
            Outgoing {
                target: "?a".parse::<http::uri::PathAndQuery>().unwrap().into(),
                ..get()
            },
            "GET /?a HTTP/1.1\r\nHost: SERVER\r\n\r\n",
        ),
        (
            Outgoing {
                target: Target::try_from("*").unwrap(),
                ..request(Method::OPTIONS)
            },
            "OPTIONS * HTTP/1.1\r\nHost: SERVER\r\n\r\n",
        ),
        (
            request(Method::POST),
            "POST / HTTP/1.1\r\nHost: SERVER\r\nContent-Length: 0\r\n\r\n",
        ),
        (
            request(Method::PUT),
            "PUT / HTTP/1.1\r\nHost: SERVER\r\nContent-Length: 0\r\n\r\n",
        ),
        (
            request(Method::PATCH),
            "PATCH / HTTP/1.1\r\nHost: SERVER\r\nContent-Length: 0\r\n\r\n",
        ),
        (
            request(Method::DELETE),
            "DELETE / HTTP/1.1\r\nHost: SERVER\r\n\r\n",
        ),
        (
            with_headers(&[
                ("x-upper", "1"),
                ("weird_name", "2"),
                ("user-agent", "u"),
                ("x-upper", "3"),
            ]),
            "GET / HTTP/1.1\r\nHost: SERVER\r\nUser-Agent: u\r\nX-Upper: 1\r\nX-Upper: 3\r\nWeird_name: 2\r\n\r\n",
        ),
        (
            with_headers(&[("te", "trailers")]),
            "GET / HTTP/1.1\r\nHost: SERVER\r\nTe: trailers\r\n\r\n",
        ),
        // Framing is not for the caller to write.
        (
            with_headers(&[
                ("host", "other"),
                ("content-length", "9"),
                ("transfer-encoding", "gzip"),
                ("connection", "x"),
                ("upgrade", "y"),
            ]),
            "GET / HTTP/1.1\r\nHost: SERVER\r\n\r\n",
        ),
    ] {
        assert_eq!(heard(request, 0).await, expected);
    }
}

#[test]
fn a_target_cannot_end_the_request_line() {
    for text in [
        "",
        "a",
        "//ok",
        "/a b",
        "/a\r\nX: y",
        "/\0",
        "/\x7f",
        "**",
        "http://a/",
    ] {
        assert_eq!(Target::try_from(text).is_ok(), text == "//ok", "{text:?}");
    }
}

/// A body of the frames given; `None` is a pause, in which the task sleeps until woken (at once).
struct Frames {
    frames: VecDeque<Option<Frame<Bytes>>>,
}

fn frames(frames: impl IntoIterator<Item = Option<Frame<Bytes>>>) -> Frames {
    Frames {
        frames: frames.into_iter().collect(),
    }
}

fn data(text: &'static str) -> Option<Frame<Bytes>> {
    Some(Frame::data(Bytes::from_static(text.as_bytes())))
}

fn trailers(fields: &[(&'static str, &'static str)]) -> Option<Frame<Bytes>> {
    Some(Frame::trailers(headers(fields)))
}

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.frames.pop_front() {
            Some(None) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Some(Some(frame)) => Poll::Ready(Some(Ok(frame))),
            None => Poll::Ready(None),
        }
    }
}

#[tokio::test(flavor = "local")]
async fn bodies_without_a_known_length_go_in_chunks() {
    let end = "0\r\n\r\n";
    for (body, expected) in [
        (frames([data("hello")]), format!("5\r\nhello\r\n{end}")),
        (
            frames([data("he"), data("llo"), None]),
            format!("2\r\nhe\r\n3\r\nllo\r\n{end}"),
        ),
        (
            frames([None, data(""), data("he"), None, data(""), data("llo")]),
            format!("2\r\nhe\r\n3\r\nllo\r\n{end}"),
        ),
        (frames([]), end.to_owned()),
        (
            frames([data("0123456789abcdef")]),
            format!("10\r\n0123456789abcdef\r\n{end}"),
        ),
        (
            frames([data("a"), trailers(&[("x-sum", "7"), ("host", "no")])]),
            "1\r\na\r\n0\r\nX-Sum: 7\r\n\r\n".to_owned(),
        ),
    ] {
        let head = "GET / HTTP/1.1\r\nHost: SERVER\r\nTransfer-Encoding: chunked\r\n\r\n";
        let heard = heard(with_body(Method::GET, body), expected.len()).await;
        assert_eq!(heard, format!("{head}{expected}"));
    }
}

#[tokio::test(flavor = "local")]
async fn bodies_with_a_known_length_go_as_they_are() {
    let full =
        |text: &'static str| with_body(Method::GET, Full::new(Bytes::from_static(text.as_bytes())));
    let head = "GET / HTTP/1.1\r\nHost: SERVER\r\n";
    assert_eq!(
        heard(full("hello"), 5).await,
        format!("{head}Content-Length: 5\r\n\r\nhello")
    );
    assert_eq!(heard(full(""), 0).await, format!("{head}\r\n"));
    let announced = Outgoing {
        headers: headers(&[("trailer", "X-Sum")]),
        ..full("hello")
    };
    let expected = format!(
        "{head}Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    );
    assert_eq!(heard(announced, 15).await, expected);
}

#[tokio::test(flavor = "local")]
async fn large_bodies_arrive_whole() {
    let length = 3_000_000;
    let server = Server::start([vec![Step::Head, Step::Read(length), say(OK), Step::Hold]]).await;
    let body = Full::new(Bytes::from(vec![b'x'; length]));
    read(
        &Upstreams::new(),
        &server.peer(),
        with_body(Method::POST, body),
    )
    .await
    .unwrap();
    let heard = server.heard(0);
    assert_eq!(heard.split_once("\r\n\r\n").unwrap().1, "x".repeat(length));
}

type Failing =
    StreamBody<futures_util::stream::Iter<std::vec::IntoIter<Result<Frame<Bytes>, io::Error>>>>;

fn failing(
    declared: bool,
    parts: Vec<Result<Frame<Bytes>, io::Error>>,
) -> http_body_util::combinators::UnsyncBoxBody<Bytes, io::Error> {
    let body: Failing = StreamBody::new(futures_util::stream::iter(parts));
    if declared {
        Declared(body).boxed_unsync()
    } else {
        body.boxed_unsync()
    }
}

/// Claims to be five bytes long.
struct Declared(Failing);

impl Body for Declared {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(5)
    }
}

#[tokio::test(flavor = "local")]
async fn a_broken_request_body_is_the_callers_fault() {
    let piece = |text: &'static str| Ok(Frame::data(Bytes::from_static(text.as_bytes())));
    let aborted = || Err(io::Error::other("aborted"));
    for (body, cause) in [
        (failing(false, vec![aborted()]), "aborted"),
        (failing(false, vec![piece("he"), aborted()]), "aborted"),
        (
            failing(true, vec![piece("he")]),
            "request body is shorter than declared",
        ),
        (
            failing(true, vec![piece("hello you")]),
            "request body is longer than declared",
        ),
    ] {
        let server = Server::start([vec![Step::Hold]]).await;
        let upstreams = Upstreams::new();
        let error = ask(&upstreams, &server.peer(), with_body(Method::POST, body))
            .await
            .unwrap_err();
        assert_eq!(kind(&error), "RequestBody");
        assert_eq!(
            std::error::Error::source(&error).unwrap().to_string(),
            cause
        );
        server.until_closed(1).await;
        assert_eq!(upstreams.stats().idle, 0);
    }
}

#[tokio::test(flavor = "local")]
async fn a_connection_serves_one_request_after_the_other() {
    let answer = |text: &str| {
        say(format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}",
            text.len()
        ))
    };
    let script = vec![
        Step::Head,
        answer("one"),
        Step::Head,
        Step::Read(4),
        answer("two"),
        Step::Head,
        answer("three"),
    ];
    let server = Server::start([script]).await;
    let (upstreams, peer) = (Upstreams::new(), server.peer());
    assert_eq!(read(&upstreams, &peer, get()).await.unwrap().data, "one");
    let post = with_body(Method::POST, Full::new(Bytes::from_static(b"body")));
    assert_eq!(read(&upstreams, &peer, post).await.unwrap().data, "two");
    assert_eq!(read(&upstreams, &peer, get()).await.unwrap().data, "three");
    assert_eq!(
        (
            server.n_connections(),
            upstreams.stats().reused,
            upstreams.stats().dialed
        ),
        (1, 2, 1)
    );
}

#[tokio::test(flavor = "local")]
async fn an_answer_that_is_not_read_to_its_end_costs_the_connection() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe";
    let server = Server::start([vec![Step::Head, say(answer), Step::Hold]]).await;
    let upstreams = Upstreams::new();
    let (_, mut body) = ask(&upstreams, &server.peer(), get()).await.unwrap();
    assert_eq!(
        body.frame().await.unwrap().unwrap().into_data().unwrap(),
        "he"
    );
    drop(body);
    server.until_closed(1).await;
    assert_eq!(upstreams.stats().idle, 0);
}

#[tokio::test(flavor = "local")]
async fn equal_numbers_do_not_mix_servers() {
    let answer = |text: &str| {
        say(format!(
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{text}"
        ))
    };
    let one = Server::start([vec![Step::Head, answer("1"), Step::Hold]]).await;
    let two = Server::start([vec![Step::Head, answer("2"), Step::Hold]]).await;
    let upstreams = Upstreams::new();
    assert_eq!(
        read(&upstreams, &one.peer(), get()).await.unwrap().data,
        "1"
    );
    assert_eq!(
        read(&upstreams, &two.peer(), get()).await.unwrap().data,
        "2"
    );
}

#[tokio::test(flavor = "local")]
async fn no_more_connections_are_kept_than_the_limit() {
    let server = Server::start((0..3).map(|_| vec![Step::Head, say(OK), Step::Hold])).await;
    let upstreams = Upstreams::new();
    let limits = traefikrs_upstream::Limits {
        max_idle_conns: 2,
        ..Default::default()
    };
    let peer = server.peer();
    let one = || async { send(&upstreams, &peer, &limits, get()).await.map(drop) };
    let (a, b, c) = tokio::join!(one(), one(), one());
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    settle().await;
    assert_eq!((server.n_connections(), upstreams.stats().idle), (3, 2));
}

#[tokio::test(flavor = "local")]
async fn a_tunnel_is_refused() {
    let server = Server::start([]).await;
    let connect: Outgoing<NoBody> = request(Method::CONNECT);
    let error = ask(&Upstreams::new(), &server.peer(), connect)
        .await
        .unwrap_err();
    assert_eq!(kind(&error), "InvalidRequest");
}

#[tokio::test(flavor = "local")]
async fn a_refused_connection_and_an_unknown_name_cannot_be_connected_to() {
    let server = Server::start([]).await;
    settle().await;
    let mut peer = server.peer();
    assert_eq!(
        kind(&ask(&Upstreams::new(), &peer, get()).await.unwrap_err()),
        "Connect"
    );
    peer.host = traefikrs_upstream::Host::Name("no-such-name.invalid");
    assert_eq!(
        kind(&ask(&Upstreams::new(), &peer, get()).await.unwrap_err()),
        "Connect"
    );
}

#[tokio::test(flavor = "local")]
async fn names_are_resolved() {
    let server = Server::start([vec![Step::Head, say(OK), Step::Hold]]).await;
    let peer = traefikrs_upstream::Peer {
        host: traefikrs_upstream::Host::Name("localhost"),
        ..server.peer()
    };
    read(&Upstreams::new(), &peer, get()).await.unwrap();
    assert!(
        server
            .heard(0)
            .contains(&format!("\r\nHost: localhost:{}\r\n", peer.port))
    );
}
