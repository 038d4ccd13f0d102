use std::{
    cell::{Cell, RefCell},
    convert::Infallible,
    future::poll_fn,
    io,
    rc::Rc,
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version, header};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Empty, Full, StreamBody, channel::Channel, combinators::BoxBody};
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::spawn_local,
    time::Instant,
};
use traefikrs_upstream::{
    Answer, Error, Host, Limits, OnInterim, Outgoing, Peer, Scheme, Upstreams,
};

use super::support::{Server, Step, ask, get, kind, read, request, say, send, settle, with_body};

type Reply = Response<BoxBody<Bytes, Infallible>>;

#[derive(Clone, Copy)]
struct LocalExecutor;

impl<F: Future<Output: 'static> + 'static> hyper::rt::Executor<F> for LocalExecutor {
    fn execute(&self, task: F) {
        drop(spawn_local(task));
    }
}

/// Where the server is, and how many connections it has accepted.
struct Http2 {
    peer: Peer<'static>,
    connections: Rc<RefCell<Vec<Rc<Goodbye>>>>,
}

#[derive(Default)]
struct Goodbye {
    asked: Notify,
    done: Notify,
}

impl Http2 {
    fn n_connections(&self) -> usize {
        self.connections.borrow().len()
    }
}

async fn listen() -> (TcpListener, Peer<'static>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let peer = Peer {
        pool: 1,
        scheme: Scheme::H2c,
        host: Host::Ip(address.ip()),
        port: address.port(),
    };
    (listener, peer)
}

/// Serves; a connection that is asked to says GOAWAY.
async fn serve<S, F>(max_streams: u32, service: S) -> Http2
where
    S: Fn(Request<Incoming>) -> F + Clone + 'static,
    F: Future<Output = Reply> + 'static,
{
    let (listener, peer) = listen().await;
    let connections = Rc::new(RefCell::new(Vec::new()));
    let accepted = Rc::clone(&connections);
    spawn_local(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let goodbye = Rc::new(Goodbye::default());
            accepted.borrow_mut().push(Rc::clone(&goodbye));
            let service = service.clone();
            let service = service_fn(move |request| {
                let reply = service(request);
                async { Ok::<_, Infallible>(reply.await) }
            });
            let mut builder = http2::Builder::new(LocalExecutor);
            builder.max_concurrent_streams(max_streams);
            let mut connection = Box::pin(builder.serve_connection(TokioIo::new(stream), service));
            spawn_local(async move {
                tokio::select! {
                    served = &mut connection => drop(served),
                    () = goodbye.asked.notified() => {
                        connection.as_mut().graceful_shutdown();
                        drop(connection.await);
                        goodbye.done.notify_one();
                    }
                }
            });
        }
    });
    Http2 { peer, connections }
}

fn reply(
    status: StatusCode,
    body: impl Body<Data = Bytes, Error = Infallible> + Send + Sync + 'static,
) -> Reply {
    Response::builder()
        .status(status)
        .body(body.boxed())
        .unwrap()
}

fn grpc_status(value: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(
        header::HeaderName::from_static("grpc-status"),
        HeaderValue::from_static(value),
    )])
}

async fn echo(request: Request<Incoming>) -> Reply {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap();
    let trailers = body.trailers().cloned().unwrap_or_default();
    let line = format!(
        "{} {} {} cl={:?} te={:?} tr={}",
        head.method,
        head.uri,
        String::from_utf8_lossy(&body.to_bytes()),
        head.headers.get(header::CONTENT_LENGTH),
        head.headers.get(header::TE),
        trailers.len()
    );
    assert_eq!(head.version, Version::HTTP_2);
    assert_eq!(head.headers.get(header::USER_AGENT), None);
    reply(
        StatusCode::OK,
        Full::from(line).with_trailers(async {
            let mut trailers = grpc_status("0");
            trailers.insert(header::AGE, HeaderValue::from_static("1"));
            trailers.insert(header::CONTENT_TYPE, HeaderValue::from_static("no/way"));
            Some(Ok(trailers))
        }),
    )
}

#[tokio::test(flavor = "local")]
async fn requests_and_trailers_go_through() {
    let server = serve(10, echo).await;
    let upstreams = Upstreams::new();
    let host = Some(HeaderValue::from_static("a.test"));
    let body = Full::new(Bytes::from_static(b"hello")).boxed();
    let mut post = Outgoing {
        host,
        ..with_body(Method::POST, body)
    };
    post.headers
        .insert(header::TE, HeaderValue::from_static("trailers"));
    post.headers
        .insert(header::CONTENT_LENGTH, HeaderValue::from_static("77"));
    post.headers
        .insert(header::HOST, HeaderValue::from_static("other"));
    post.headers
        .insert(header::USER_AGENT, HeaderValue::from_static(""));
    let answer = read(&upstreams, &server.peer, post).await.unwrap();
    assert_eq!(
        answer.data,
        "POST http://a.test/ hello cl=Some(\"5\") te=Some(\"trailers\") tr=0"
    );
    let trailers = answer.trailers.unwrap();
    assert_eq!(
        (&trailers["grpc-status"], &trailers["age"], trailers.len()),
        (&HeaderValue::from(0), &HeaderValue::from(1), 2)
    );

    let mut trailers = grpc_status("9");
    trailers.insert(header::HOST, HeaderValue::from_static("other"));
    let body = Full::new(Bytes::from_static(b"hi"))
        .with_trailers(async { Some(Ok::<_, Infallible>(trailers)) })
        .boxed();
    let answer = read(&upstreams, &server.peer, with_body(Method::POST, body))
        .await
        .unwrap();
    assert!(
        answer.data.ends_with(b" hi cl=Some(\"2\") te=None tr=1"),
        "{:?}",
        answer.data
    );

    let answer = read(&upstreams, &server.peer, get()).await.unwrap();
    assert_eq!(
        answer.data,
        format!("GET http://{}/  cl=None te=None tr=0", server.peer)
    );
    assert_eq!(
        (
            server.n_connections(),
            upstreams.stats().dialed,
            upstreams.stats().reused
        ),
        (1, 1, 2)
    );
}

#[tokio::test(flavor = "local")]
async fn a_response_of_trailers_only_is_its_head() {
    let server = serve(10, |_| async {
        let mut reply = reply(StatusCode::OK, Empty::new());
        reply.headers_mut().extend(grpc_status("12"));
        reply
    })
    .await;
    let (head, body) = ask(&Upstreams::new(), &server.peer, get()).await.unwrap();
    assert_eq!(head.headers["grpc-status"], "12");
    assert!(body.is_end_stream());
}

#[tokio::test(flavor = "local")]
async fn both_directions_flow_at_once() {
    let server = serve(10, |request| async {
        reply(StatusCode::OK, Relay(request.into_body()))
    })
    .await;
    let (mut upload, body) = Channel::<Bytes, Infallible>::new(1);
    let (_, mut answer) = ask(
        &Upstreams::new(),
        &server.peer,
        with_body(Method::POST, body),
    )
    .await
    .unwrap();
    for text in ["one", "two"] {
        upload
            .send_data(Bytes::from_static(text.as_bytes()))
            .await
            .unwrap();
        assert_eq!(
            answer.frame().await.unwrap().unwrap().into_data().unwrap(),
            text
        );
    }
    drop(upload);
    assert_eq!(answer.collect().await.unwrap().to_bytes(), "");
}

/// A request body as a response body.
struct Relay(Incoming);

impl Body for Relay {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        std::pin::Pin::new(&mut self.0)
            .poll_frame(cx)
            .map(|frame| frame.map(|frame| Ok(frame.unwrap())))
    }
}

#[tokio::test(flavor = "local")]
async fn an_answer_may_come_before_the_end_of_the_request_and_end_it() {
    let server = serve(10, |request| async move {
        // Not read: the rest is not wanted.
        drop(request);
        reply(
            StatusCode::PAYLOAD_TOO_LARGE,
            Full::new(Bytes::from_static(b"no")),
        )
    })
    .await;
    let upstreams = Upstreams::new();
    let (mut upload, body) = Channel::<Bytes, Infallible>::new(1);
    let post = with_body(Method::POST, body);
    let (head, answer) = ask(&upstreams, &server.peer, post).await.unwrap();
    assert_eq!(head.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(answer.collect().await.unwrap().to_bytes(), "no");
    let piece = Bytes::from(vec![b'q'; 1 << 16]);
    while upload.send_data(piece.clone()).await.is_ok() {}
    // The connection has other streams.
    assert!(ask(&upstreams, &server.peer, get()).await.is_ok());
    assert_eq!(server.n_connections(), 1);
}

#[tokio::test(flavor = "local")]
async fn an_answer_that_is_dropped_ends_its_upload() {
    let (listener, peer) = listen().await;
    let ended = Rc::new(Cell::new(None));
    let seen = Rc::clone(&ended);
    spawn_local(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut connection = h2::server::handshake(stream).await.unwrap();
        while let Some(Ok((request, mut respond))) = connection.accept().await {
            // All that there is to say, and an ear for the rest.
            let unread = request.into_body();
            let mut send = respond.send_response(Response::new(()), true).unwrap();
            let seen = Rc::clone(&seen);
            spawn_local(async move {
                seen.set(poll_fn(|cx| send.poll_reset(cx)).await.ok());
                drop(unread);
            });
        }
    });
    let (mut upload, body) = Channel::<Bytes, Infallible>::new(1);
    let post = with_body(Method::POST, body);
    let (_, answer) = ask(&Upstreams::new(), &peer, post).await.unwrap();
    drop(answer);
    assert!(upload.send_data(Bytes::from_static(b"more")).await.is_err());
    while ended.get().is_none() {
        settle().await;
    }
    assert_eq!(ended.get(), Some(h2::Reason::CANCEL));
}

#[derive(Default)]
struct Told(RefCell<Vec<u16>>);

impl OnInterim for Told {
    fn interim(&self, head: http::response::Parts) {
        self.0.borrow_mut().push(head.status.as_u16());
    }
}

/// A server that plays one stream after the other.
async fn playing<F>(
    play: impl Fn(Request<h2::RecvStream>, h2::server::SendResponse<Bytes>) -> F + Clone + 'static,
) -> Peer<'static>
where
    F: Future<Output = ()> + 'static,
{
    let (listener, peer) = listen().await;
    spawn_local(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let play = play.clone();
            spawn_local(async move {
                let mut connection = h2::server::handshake(stream).await.unwrap();
                while let Some(Ok((request, respond))) = connection.accept().await {
                    spawn_local(play(request, respond));
                }
            });
        }
    });
    peer
}

fn interim(respond: &mut h2::server::SendResponse<Bytes>, status: u16) {
    let interim = Response::builder().status(status).body(()).unwrap();
    respond.send_informational(interim).unwrap();
}

fn expecting<B>(body: B) -> Outgoing<B> {
    let mut post = with_body(Method::POST, body);
    let expectation = HeaderValue::from_static("100-continue");
    post.headers.insert(header::EXPECT, expectation);
    post
}

#[tokio::test(flavor = "local")]
async fn interim_answers_are_told_and_are_not_the_answer() {
    let peer = playing(|request, mut respond| async move {
        for status in [100, 103, 103] {
            interim(&mut respond, status);
        }
        drop(request);
        drop(respond.send_response(Response::new(()), true).unwrap());
    })
    .await;
    let told = Rc::new(Told::default());
    let asked = Outgoing {
        on_interim: Some(Rc::clone(&told) as Rc<dyn OnInterim>),
        ..get()
    };
    let answer = read(&Upstreams::new(), &peer, asked).await.unwrap();
    assert_eq!(answer.head.status, 200);
    assert_eq!(*told.0.borrow(), [100, 103, 103]);
}

#[tokio::test(flavor = "local")]
async fn interim_answers_without_end_and_a_switch_are_faults() {
    for (status, n, expected) in [(103, 101, "MalformedHead"), (101, 1, "UpgradeMismatch")] {
        let peer = playing(move |_, mut respond| async move {
            for _ in 0..n {
                interim(&mut respond, status);
                settle().await;
            }
            std::future::pending::<()>().await;
        })
        .await;
        let error = read(&Upstreams::new(), &peer, get()).await.err().unwrap();
        assert_eq!(kind(&error), expected);
    }
}

#[tokio::test(flavor = "local", start_paused = true)]
async fn a_body_waits_to_be_asked_for() {
    // When the server says 100, and when the body is there.
    for (says_at, comes_at) in [(Some(0), 0), (Some(400), 400), (None, 1000)] {
        let started = Instant::now();
        let came_at = Rc::new(Cell::new(None));
        let seen = Rc::clone(&came_at);
        let peer = playing(move |request, mut respond| {
            let seen = Rc::clone(&seen);
            async move {
                assert_eq!(request.headers()[header::EXPECT], "100-continue");
                let says = async {
                    if let Some(at) = says_at {
                        tokio::time::sleep(Duration::from_millis(at)).await;
                        interim(&mut respond, 100);
                    }
                };
                let mut body = request.into_body();
                let (data, ()) = tokio::join!(body.data(), says);
                assert_eq!(data.unwrap().unwrap(), "hello");
                seen.set(Some(started.elapsed()));
                drop(respond.send_response(Response::new(()), true).unwrap());
            }
        })
        .await;
        let post = expecting(Full::new(Bytes::from_static(b"hello")));
        let answer = read(&Upstreams::new(), &peer, post).await.unwrap();
        assert_eq!(answer.head.status, 200);
        let came_at = u64::try_from(came_at.get().unwrap().as_millis()).unwrap();
        assert!(
            (comes_at..comes_at + 20).contains(&came_at),
            "{came_at} for {comes_at}"
        );
    }
}

#[tokio::test(flavor = "local")]
async fn a_body_that_is_answered_without_being_asked_for_is_never_sent() {
    let peer = playing(|request, mut respond| async move {
        drop(respond.send_response(Response::new(()), true).unwrap());
        let data = request.into_body().data().await;
        assert!(!matches!(data, Some(Ok(_))), "{data:?}");
    })
    .await;
    let (mut upload, body) = Channel::<Bytes, Infallible>::new(1);
    let (head, answer) = ask(&Upstreams::new(), &peer, expecting(body))
        .await
        .unwrap();
    assert_eq!(head.status, 200);
    assert_eq!(answer.collect().await.unwrap().to_bytes(), "");
    assert!(upload.send_data(Bytes::from_static(b"more")).await.is_err());
}

#[tokio::test(flavor = "local")]
async fn a_length_that_is_said_twice_goes_on_once() {
    let peer = playing(|_, mut respond| async move {
        let head = Response::builder()
            .header(header::CONTENT_LENGTH, 5)
            .header(header::CONTENT_LENGTH, 5);
        let mut body = respond
            .send_response(head.body(()).unwrap(), false)
            .unwrap();
        body.send_data(Bytes::from_static(b"hello"), true).unwrap();
    })
    .await;
    let answer = read(&Upstreams::new(), &peer, get()).await.unwrap();
    let lengths = answer.head.headers.get_all(header::CONTENT_LENGTH);
    assert_eq!(lengths.iter().collect::<Vec<_>>(), ["5"]);
    assert_eq!(answer.data, "hello");
}

#[tokio::test(flavor = "local")]
async fn an_answer_that_is_reset_has_not_ended() {
    for reason in [
        h2::Reason::NO_ERROR,
        h2::Reason::CANCEL,
        h2::Reason::REFUSED_STREAM,
        h2::Reason::INTERNAL_ERROR,
    ] {
        let peer = playing(move |_, mut respond| async move {
            let mut body = respond.send_response(Response::new(()), false).unwrap();
            body.send_data(Bytes::from_static(b"half"), false).unwrap();
            settle().await;
            body.send_reset(reason);
        })
        .await;
        let upstreams = Upstreams::new();
        let (_, mut answer) = ask(&upstreams, &peer, get()).await.unwrap();
        assert_eq!(
            answer.frame().await.unwrap().unwrap().into_data().unwrap(),
            "half"
        );
        let error = answer.frame().await.unwrap().unwrap_err();
        assert_eq!(
            (kind(&error).as_str(), upstreams.stats().retried),
            ("Http2", 0),
            "{reason:?}"
        );
    }
}

#[tokio::test(flavor = "local")]
async fn a_crowd_shares_the_connection_that_is_being_made() {
    let server = serve(100, echo).await;
    let (upstreams, peer) = (Upstreams::new(), server.peer);
    let crowd = (0..20).map(|_| {
        let upstreams = upstreams.clone();
        spawn_local(async move { read(&upstreams, &peer, get()).await.unwrap().head.status })
    });
    for member in crowd.collect::<Vec<_>>() {
        assert_eq!(member.await.unwrap(), 200);
    }
    assert_eq!(server.n_connections(), 1);
}

#[tokio::test(flavor = "local")]
async fn another_connection_is_made_when_the_streams_run_out() {
    let gate = Rc::new(Notify::new());
    let opened = Rc::clone(&gate);
    let server = serve(2, move |request| {
        let gate = Rc::clone(&opened);
        async move {
            if request.method() == Method::PUT {
                gate.notified().await;
            }
            reply(StatusCode::OK, Empty::new())
        }
    })
    .await;
    let upstreams = Upstreams::new();
    // Two answers, after which the server's settings are known.
    for _ in 0..2 {
        read(&upstreams, &server.peer, get()).await.unwrap();
    }
    let waiting: Vec<_> = (0..3)
        .map(|_| {
            let (upstreams, peer) = (upstreams.clone(), server.peer);
            spawn_local(async move { read(&upstreams, &peer, request(Method::PUT)).await.unwrap() })
        })
        .collect();
    settle().await;
    assert_eq!(server.n_connections(), 2);
    for _ in 0..3 {
        gate.notify_one();
        settle().await;
    }
    for answer in waiting {
        answer.await.unwrap();
    }
}

#[tokio::test(flavor = "local")]
async fn a_connection_that_says_goodbye_is_replaced() {
    let server = serve(10, echo).await;
    let upstreams = Upstreams::new();
    read(&upstreams, &server.peer, get()).await.unwrap();
    let goodbye = Rc::clone(&server.connections.borrow()[0]);
    goodbye.asked.notify_one();
    goodbye.done.notified().await;
    settle().await;
    read(&upstreams, &server.peer, get()).await.unwrap();
    assert_eq!(server.n_connections(), 2);
}

/// A server that does to each stream what the list says, over all its connections.
async fn resetting(script: Vec<Option<h2::Reason>>) -> Peer<'static> {
    let (listener, peer) = listen().await;
    let script = Rc::new(RefCell::new(script.into_iter()));
    spawn_local(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let script = Rc::clone(&script);
            spawn_local(async move { reset(stream, script).await });
        }
    });
    peer
}

async fn reset(stream: TcpStream, script: Rc<RefCell<impl Iterator<Item = Option<h2::Reason>>>>) {
    let mut connection = h2::server::handshake(stream).await.unwrap();
    while let Some(Ok((_, mut respond))) = connection.accept().await {
        let step = script.borrow_mut().next();
        match step {
            Some(Some(reason)) => respond.send_reset(reason),
            Some(None) => drop(respond.send_response(Response::new(()), true).unwrap()),
            None => return,
        }
    }
}

#[tokio::test(flavor = "local")]
async fn a_reset_is_an_error_and_a_refusal_a_second_chance() {
    for (script, outcome) in [
        (vec![Some(h2::Reason::INTERNAL_ERROR), None], Err("Http2")),
        (vec![Some(h2::Reason::REFUSED_STREAM), None], Ok(1)),
        (
            vec![
                Some(h2::Reason::REFUSED_STREAM),
                Some(h2::Reason::REFUSED_STREAM),
                None,
            ],
            Err("Http2"),
        ),
        // The connection is lost.
        (vec![], Err("Http2")),
    ] {
        let peer = resetting(script.clone()).await;
        let upstreams = Upstreams::new();
        let result = read(&upstreams, &peer, get()).await;
        let result = result
            .map(|_| upstreams.stats().retried)
            .map_err(|error| kind(&error));
        assert_eq!(result, outcome.map_err(str::to_owned), "{script:?}");
    }
}

/// `GOAWAY`, by which streams after the last are not processed.
fn goaway(last: u8, code: u8) -> [u8; 17] {
    [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, last, 0, 0, 0, code]
}

#[tokio::test(flavor = "local")]
async fn a_request_that_meets_a_goodbye_goes_to_the_next_connection_if_it_was_not_seen() {
    const NO_ERROR: u8 = 0;
    const ENHANCE_YOUR_CALM: u8 = 11;
    for (said, expected) in [
        (goaway(0, NO_ERROR), Ok(200)),
        (goaway(0, ENHANCE_YOUR_CALM), Ok(200)),
        // It may have been: the connection is then lost.
        (goaway(1, NO_ERROR), Err("Http2".to_owned())),
        (goaway(1, ENHANCE_YOUR_CALM), Err("Http2".to_owned())),
    ] {
        let (listener, peer) = listen().await;
        spawn_local(async move {
            let (mut leaving, _) = listener.accept().await.unwrap();
            leaving.write_all(b"\0\0\0\x04\0\0\0\0\0").await.unwrap();
            settle().await;
            leaving.write_all(&said).await.unwrap();
            settle().await;
            drop(leaving);
            let (stream, _) = listener.accept().await.unwrap();
            reset(stream, Rc::new(RefCell::new([None].into_iter()))).await;
        });
        let upstreams = Upstreams::new();
        let answered = read(&upstreams, &peer, get()).await;
        let answered = answered.map(|answer| answer.head.status.as_u16());
        assert_eq!(answered.map_err(|error| kind(&error)), expected, "{said:?}");
        let n_connections = if expected.is_ok() { 2 } else { 1 };
        assert_eq!(upstreams.stats().dialed, n_connections, "{said:?}");
    }
}

#[tokio::test(flavor = "local")]
async fn a_refused_request_with_a_body_is_repeated_as_long_as_the_body_is_whole() {
    let script = vec![Some(h2::Reason::REFUSED_STREAM), None];
    let peer = resetting(script.clone()).await;
    let post = with_body(Method::POST, Full::new(Bytes::from_static(b"hello")));
    assert_eq!(
        kind(&read(&Upstreams::new(), &peer, post).await.err().unwrap()),
        "Http2"
    );
    let (_upload, body) = Channel::<Bytes, Infallible>::new(1);
    let peer = resetting(script).await;
    let (head, _) = ask(&Upstreams::new(), &peer, with_body(Method::POST, body))
        .await
        .unwrap();
    assert_eq!(head.status, 200);
}

#[tokio::test(flavor = "local")]
async fn a_server_that_does_not_read_is_not_sent_to_without_end() {
    let peer = playing(|request, respond| async move {
        std::future::pending::<()>().await;
        drop((request, respond));
    })
    .await;
    let (mut upload, body) = Channel::<Bytes, Infallible>::new(1);
    let upstreams = Upstreams::new();
    let asking = spawn_local(async move {
        drop(read(&upstreams, &peer, with_body(Method::POST, body)).await);
    });
    let piece = Bytes::from(vec![b'q'; 1 << 16]);
    let mut n_sent = 0;
    // The window of the server, and what waits for it.
    while tokio::time::timeout(Duration::from_millis(200), upload.send_data(piece.clone()))
        .await
        .is_ok()
    {
        n_sent += 1;
        assert!(n_sent <= 8);
    }
    asking.abort();
}

#[tokio::test(flavor = "local")]
async fn an_answer_that_is_not_read_is_not_taken_without_end() {
    const PIECE: usize = 1 << 14;
    let sent = Rc::new(Cell::new(0));
    let n_sent = Rc::clone(&sent);
    let peer = playing(move |_, mut respond| {
        let n_sent = Rc::clone(&n_sent);
        async move {
            let mut body = respond.send_response(Response::new(()), false).unwrap();
            loop {
                body.reserve_capacity(PIECE);
                if body.capacity() < PIECE {
                    poll_fn(|cx| body.poll_capacity(cx)).await.unwrap().unwrap();
                    continue;
                }
                body.send_data(Bytes::from(vec![b'a'; PIECE]), false)
                    .unwrap();
                n_sent.set(n_sent.get() + PIECE);
            }
        }
    })
    .await;
    let (_, mut answer) = ask(&Upstreams::new(), &peer, get()).await.unwrap();
    const WINDOW: usize = 512 << 10;
    while sent.get() < WINDOW {
        tokio::task::yield_now().await;
    }
    settle().await;
    assert_eq!(sent.get(), WINDOW);
    // It goes on when the answer does.
    while sent.get() == WINDOW {
        drop(answer.frame().await);
    }
}

#[tokio::test(flavor = "local")]
async fn a_broken_request_body_is_the_callers_fault() {
    let server = serve(10, echo).await;
    let pieces = [
        Ok(Frame::data(Bytes::from_static(b"he"))),
        Err(io::Error::other("aborted")),
    ];
    let body = StreamBody::new(futures_util::stream::iter(pieces));
    let error = ask(
        &Upstreams::new(),
        &server.peer,
        with_body(Method::POST, body),
    )
    .await
    .unwrap_err();
    let Error::RequestBody(cause) = error else {
        panic!("{error:?}")
    };
    assert_eq!(cause.to_string(), "aborted");
}

#[tokio::test(flavor = "local", start_paused = true)]
async fn a_head_that_does_not_come_in_time_is_not_awaited() {
    let server = serve(10, |_| async { std::future::pending().await }).await;
    let limits = Limits {
        response_header_timeout: Some(Duration::from_secs(5)),
        ..Limits::default()
    };
    let (upstreams, started) = (Upstreams::new(), Instant::now());
    let error = send(&upstreams, &server.peer, &limits, get())
        .await
        .unwrap_err();
    assert_eq!(
        (kind(&error).as_str(), started.elapsed().as_secs()),
        ("ResponseHeaderTimeout", 5)
    );

    let (upload, body) = Channel::<Bytes, Infallible>::new(1);
    let started = Instant::now();
    let post = with_body(Method::POST, body);
    let finish = async {
        tokio::time::sleep(Duration::from_secs(60)).await;
        drop(upload);
    };
    let (answer, ()) = tokio::join!(send(&upstreams, &server.peer, &limits, post), finish);
    assert_eq!(
        (
            kind(&answer.unwrap_err()).as_str(),
            started.elapsed().as_secs()
        ),
        ("ResponseHeaderTimeout", 65)
    );
}

#[tokio::test(flavor = "local", start_paused = true)]
async fn a_silent_connection_is_pinged_and_given_up() {
    let (listener, peer) = listen().await;
    spawn_local(async move {
        let (stream, _) = listener.accept().await.unwrap();
        // Accepts everything, says nothing.
        let mut connection = h2::server::handshake(stream).await.unwrap();
        let stream = poll_fn(|cx| connection.poll_accept(cx)).await;
        std::future::pending::<()>().await;
        drop((connection, stream));
    });
    let limits = Limits {
        read_idle_timeout: Some(Duration::from_secs(10)),
        ping_timeout: Duration::from_secs(3),
        ..Limits::default()
    };
    let started = Instant::now();
    let error = send(&Upstreams::new(), &peer, &limits, get())
        .await
        .unwrap_err();
    assert_eq!(
        (kind(&error).as_str(), started.elapsed().as_secs()),
        ("Http2", 13)
    );
}

#[tokio::test(flavor = "local", start_paused = true)]
async fn idle_connections_grow_old() {
    let server = serve(10, echo).await;
    let upstreams = Upstreams::new();
    for (age, n_connections) in [(0, 1), (89, 1), (91, 2)] {
        tokio::time::advance(Duration::from_secs(age)).await;
        upstreams.sweep(Instant::now());
        read(&upstreams, &server.peer, get()).await.unwrap();
        settle().await;
        assert_eq!(server.n_connections(), n_connections, "after {age} s");
    }
}

#[tokio::test(flavor = "local")]
async fn a_server_of_another_protocol_is_told_from_none() {
    let server = Server::start([vec![Step::Head, say("HTTP/1.1 400 Bad Request\r\n\r\n")]]).await;
    let peer = Peer {
        scheme: Scheme::H2c,
        ..server.peer()
    };
    assert_eq!(
        kind(&read(&Upstreams::new(), &peer, get()).await.err().unwrap()),
        "Http2"
    );
    let gone = Peer {
        port: server.address.port(),
        ..peer
    };
    settle().await;
    assert_eq!(
        kind(&read(&Upstreams::new(), &gone, get()).await.err().unwrap()),
        "Connect"
    );
}

#[tokio::test(flavor = "local")]
async fn what_has_no_form_in_http2_is_not_sent() {
    let server = serve(10, echo).await;
    let upstreams = Upstreams::new();
    let target = traefikrs_upstream::Target::try_from("/<>").unwrap();
    let host = Some(HeaderValue::from_static("a b"));
    for request in [
        Outgoing { target, ..get() },
        Outgoing { host, ..get() },
        request(Method::CONNECT),
    ] {
        let answer = send(&upstreams, &server.peer, &Limits::default(), request).await;
        assert!(matches!(answer, Err(Error::InvalidRequest(_))));
    }
    assert!(matches!(
        send(&upstreams, &server.peer, &Limits::default(), get()).await,
        Ok(Answer::Response { .. })
    ));
}
