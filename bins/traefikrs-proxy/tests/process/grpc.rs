//! gRPC, with a client and a server that know nothing of each other but the protocol.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt, future};
use http::uri::PathAndQuery;
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::MetadataValue;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Identity, Server, ServerTlsConfig};
use tonic::{Code, Request, Response, Status, Streaming, client, server};
use tower::service_fn;

use crate::Site;
use crate::certificate::Certificate;
use crate::proxy::DEADLINE;
use crate::uploads::await_rest;

/// More than any buffer on the way holds.
const LARGE: usize = 16 << 20;

/// Messages that are what their bytes are: what is tested is how they travel.
#[derive(Debug, Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put(message);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}

/// What the server tells of calls that were not answered.
#[derive(Debug, Default)]
struct Calls {
    began: Notify,
    cancelled: Notify,
    go_on: Notify,
}

struct OnDrop(Arc<Calls>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.cancelled.notify_one();
    }
}

/// Says back what it hears, with the metadata `asked` of the request as `answered`.
async fn say_back(request: Request<Bytes>) -> Result<Response<Bytes>, Status> {
    let asked = request.metadata().get("asked").cloned();
    let deadline = request.metadata().get("grpc-timeout").cloned();
    let binary = request.metadata().get_bin("key-bin").cloned();
    let mut response = Response::new(request.into_inner());
    let metadata = response.metadata_mut();
    asked.map(|asked| metadata.insert("answered", asked));
    deadline.map(|deadline| metadata.insert("deadline", deadline));
    binary.map(|binary| metadata.insert_bin("key-bin", binary));
    Ok(response)
}

/// Joins what it hears.
async fn join(request: Request<Streaming<Bytes>>) -> Result<Response<Bytes>, Status> {
    let mut joined = Vec::new();
    let mut messages = request.into_inner();
    while let Some(message) = messages.message().await? {
        joined.extend_from_slice(&message);
    }
    Ok(Response::new(joined.into()))
}

/// Counts what it hears, once it may.
async fn count(
    calls: Arc<Calls>,
    request: Request<Streaming<Bytes>>,
) -> Result<Response<Bytes>, Status> {
    calls.go_on.notified().await;
    let mut length = 0;
    let mut messages = request.into_inner();
    while let Some(message) = messages.message().await? {
        length += message.len();
    }
    Ok(Response::new(length.to_string().into()))
}

/// Says each byte that it hears.
async fn split(request: Request<Bytes>) -> Result<Response<BoxStream<'static, Message>>, Status> {
    let bytes = request.into_inner().to_vec();
    let messages = stream::iter(bytes).map(|byte| Ok(Bytes::from(vec![byte])));
    Ok(Response::new(messages.boxed()))
}

type Message = Result<Bytes, Status>;

/// Says each message back before it hears the next.
async fn talk(
    request: Request<Streaming<Bytes>>,
) -> Result<Response<BoxStream<'static, Message>>, Status> {
    Ok(Response::new(request.into_inner().boxed()))
}

fn refusal() -> Status {
    let mut status =
        Status::with_details(Code::NotFound, "no Öl: 100%", Bytes::from_static(b"\0why"));
    status
        .metadata_mut()
        .insert("more", MetadataValue::from_static("said"));
    status
}

/// Says no at once.
async fn refuse(_: Request<Bytes>) -> Result<Response<Bytes>, Status> {
    Err(refusal())
}

/// Says no after a message.
async fn give_up(_: Request<Bytes>) -> Result<Response<BoxStream<'static, Message>>, Status> {
    let messages = stream::iter([Ok(Bytes::from_static(b"one")), Err(refusal())]);
    Ok(Response::new(messages.boxed()))
}

async fn answer(calls: Arc<Calls>, request: http::Request<Body>) -> http::Response<Body> {
    let mut grpc = server::Grpc::new(Raw).max_decoding_message_size(LARGE);
    match request.uri().path() {
        "/test/SayBack" => grpc.unary(service_fn(say_back), request).await,
        "/test/Join" => grpc.client_streaming(service_fn(join), request).await,
        "/test/Count" => {
            let count = service_fn(move |request| count(Arc::clone(&calls), request));
            grpc.client_streaming(count, request).await
        }
        "/test/Split" => grpc.server_streaming(service_fn(split), request).await,
        "/test/Talk" => grpc.streaming(service_fn(talk), request).await,
        "/test/Refuse" => grpc.unary(service_fn(refuse), request).await,
        "/test/GiveUp" => grpc.server_streaming(service_fn(give_up), request).await,
        "/test/Wait" => {
            let _on_drop = OnDrop(Arc::clone(&calls));
            calls.began.notify_one();
            future::pending().await
        }
        path => Status::unimplemented(path).into_http(),
    }
}

/// A server, the proxy before it, and a client of the proxy.
struct Scene {
    calls: Arc<Calls>,
    client: client::Grpc<Channel>,
    site: Site,
}

impl Scene {
    async fn set() -> Self {
        Self::with(Server::builder(), |address| {
            Site::to(&format!("h2c://{address}"))
        })
        .await
    }

    /// The server speaks TLS and is trusted by name.
    async fn with_tls() -> Self {
        let certificate = Certificate::of_loopback();
        let identity = Identity::from_pem(&certificate.pem, &certificate.key_pem);
        let tls = ServerTlsConfig::new().identity(identity);
        let server = Server::builder().tls_config(tls).unwrap();
        Self::with(server, |address| certificate.site(address)).await
    }

    async fn with(server: Server, site: impl FnOnce(SocketAddr) -> Site) -> Self {
        let calls = Arc::<Calls>::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::clone(&calls);
        let service = service_fn(move |request| {
            let calls = Arc::clone(&shared);
            async { Ok::<_, Infallible>(answer(calls, request).await) }
        });
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        tokio::spawn(server.serve_with_incoming(service, incoming));
        let site = site(address);
        let uri = format!("http://{}", site.proxy.address("web"));
        let channel = Endpoint::from_shared(uri).unwrap().connect().await.unwrap();
        Self {
            calls,
            client: client::Grpc::new(channel).max_decoding_message_size(LARGE),
            site,
        }
    }

    /// Ready for one more call.
    async fn client(&self) -> client::Grpc<Channel> {
        let mut client = self.client.clone();
        client.ready().await.unwrap();
        client
    }

    async fn unary(
        &self,
        method: &'static str,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, Status> {
        let path = PathAndQuery::from_static(method);
        let mut client = self.client().await;
        in_time(client.unary(request, path, Raw)).await
    }

    async fn server_streaming(
        &self,
        method: &'static str,
        text: &'static str,
    ) -> Result<Streaming<Bytes>, Status> {
        let path = PathAndQuery::from_static(method);
        let request = Request::new(Bytes::from_static(text.as_bytes()));
        let mut client = self.client().await;
        let response = in_time(client.server_streaming(request, path, Raw)).await?;
        Ok(response.into_inner())
    }

    async fn talk(&self, words: impl Stream<Item = Bytes> + Send + 'static) -> Streaming<Bytes> {
        let path = PathAndQuery::from_static("/test/Talk");
        let mut client = self.client().await;
        let response = in_time(client.streaming(Request::new(words), path, Raw)).await;
        response.unwrap().into_inner()
    }
}

/// What should happen soon, happens.
async fn in_time<T>(future: impl Future<Output = T>) -> T {
    let future: Pin<Box<dyn Future<Output = T>>> = Box::pin(future);
    timeout(DEADLINE, future).await.expect("it took too long")
}

fn text(text: &'static str) -> Request<Bytes> {
    Request::new(Bytes::from_static(text.as_bytes()))
}

#[tokio::test]
async fn a_call_is_answered_with_metadata() {
    let scene = Scene::set().await;
    let mut request = text("hello");
    request
        .metadata_mut()
        .insert("asked", MetadataValue::from_static("this"));
    request
        .metadata_mut()
        .insert_bin("key-bin", MetadataValue::from_bytes(b"\0\xff"));
    let response = scene.unary("/test/SayBack", request).await.unwrap();
    assert_eq!(response.metadata().get("answered").unwrap(), "this");
    let binary = response.metadata().get_bin("key-bin").unwrap();
    assert_eq!(binary.to_bytes().unwrap(), &b"\0\xff"[..]);
    assert_eq!(response.into_inner(), "hello");
}

#[tokio::test]
async fn a_server_may_want_tls() {
    let scene = Scene::with_tls().await;
    let response = scene.unary("/test/SayBack", text("hello")).await;
    assert_eq!(response.unwrap().into_inner(), "hello");
    assert_refused(&scene.unary("/test/Refuse", text("")).await.unwrap_err());

    let (say, words) = mpsc::channel(1);
    let mut echo = scene.talk(ReceiverStream::new(words)).await;
    say.send(Bytes::from_static(b"one")).await.unwrap();
    assert_eq!(in_time(echo.message()).await.unwrap().unwrap(), "one");
    drop(say);
    assert_eq!(in_time(echo.message()).await.unwrap(), None);
}

#[tokio::test]
async fn streams_go_up_down_and_both_ways() {
    let scene = Scene::set().await;
    let words = stream::iter(["a", "b", "c"]).map(|word| Bytes::from_static(word.as_bytes()));
    let path = PathAndQuery::from_static("/test/Join");
    let mut client = scene.client().await;
    let joined = in_time(client.client_streaming(Request::new(words), path, Raw)).await;
    assert_eq!(joined.unwrap().into_inner(), "abc");

    let mut letters = scene.server_streaming("/test/Split", "xyz").await.unwrap();
    for letter in ["x", "y", "z"] {
        assert_eq!(in_time(letters.message()).await.unwrap().unwrap(), letter);
    }
    assert_eq!(in_time(letters.message()).await.unwrap(), None);
    let trailers = in_time(letters.trailers()).await.unwrap().unwrap();
    assert_eq!(trailers.get("grpc-status").unwrap(), "0");

    // Each word is said only when the one before has come back.
    let (say, words) = mpsc::channel(1);
    let mut echo = scene.talk(ReceiverStream::new(words)).await;
    for word in ["one", "two", "three"] {
        say.send(Bytes::from_static(word.as_bytes())).await.unwrap();
        assert_eq!(in_time(echo.message()).await.unwrap().unwrap(), word);
    }
    drop(say);
    assert_eq!(in_time(echo.message()).await.unwrap(), None);
}

#[track_caller]
fn assert_refused(status: &Status) {
    assert_eq!(status.code(), Code::NotFound, "{status:?}");
    assert_eq!(status.message(), "no Öl: 100%");
    assert_eq!(status.details(), b"\0why");
    assert_eq!(status.metadata().get("more").unwrap(), "said");
}

#[tokio::test]
async fn a_refusal_arrives_whole_with_and_without_messages_before_it() {
    let scene = Scene::set().await;
    // Nothing but trailers, in the place of the head.
    assert_refused(&scene.unary("/test/Refuse", text("")).await.unwrap_err());

    let mut messages = scene.server_streaming("/test/GiveUp", "").await.unwrap();
    assert_eq!(in_time(messages.message()).await.unwrap().unwrap(), "one");
    assert_refused(&in_time(messages.message()).await.unwrap_err());

    let unknown = scene.unary("/test/Unknown", text("")).await.unwrap_err();
    assert_eq!(unknown.code(), Code::Unimplemented);
}

#[tokio::test]
async fn a_deadline_reaches_the_server_and_ends_the_call() {
    let scene = Scene::set().await;
    let mut request = text("");
    request.set_timeout(Duration::from_secs(100));
    let response = scene.unary("/test/SayBack", request).await.unwrap();
    assert_eq!(response.metadata().get("deadline").unwrap(), "100000m");

    let mut request = text("");
    request.set_timeout(Duration::from_millis(50));
    let late = scene.unary("/test/Wait", request).await.unwrap_err();
    assert!(
        matches!(late.code(), Code::Cancelled | Code::DeadlineExceeded),
        "{late:?}"
    );
    in_time(scene.calls.cancelled.notified()).await;
}

#[tokio::test]
async fn a_call_that_the_client_gives_up_ends_at_the_server() {
    let scene = Scene::set().await;
    let path = PathAndQuery::from_static("/test/Wait");
    let mut client = scene.client().await;
    tokio::select! {
        answered = client.unary(text(""), path, Raw) => panic!("{answered:?}"),
        () = in_time(scene.calls.began.notified()) => {}
    }
    in_time(scene.calls.cancelled.notified()).await;
}

#[tokio::test]
async fn large_messages_go_both_ways() {
    let scene = Scene::set().await;
    // No pattern that a lost or doubled frame would keep.
    let message: Bytes = (0..251).cycle().take(LARGE).collect();
    let response = scene
        .unary("/test/SayBack", Request::new(message.clone()))
        .await
        .unwrap();
    assert!(response.into_inner() == message, "the message has changed");
}

#[tokio::test]
async fn a_hundred_megabytes_go_no_faster_than_they_are_read() {
    const PIECE: usize = 1 << 20;
    let scene = Scene::set().await;
    let idle = scene.site.proxy.resident_bytes();
    let n_sent = Arc::<AtomicUsize>::default();
    let counter = Arc::clone(&n_sent);
    let piece = Bytes::from(vec![b'x'; PIECE]);
    let pieces = stream::iter(0..100).map(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
        piece.clone()
    });
    let path = PathAndQuery::from_static("/test/Count");
    let mut client = scene.client().await;
    let counting = client.client_streaming(Request::new(pieces), path, Raw);
    let calls = Arc::clone(&scene.calls);
    let watching = tokio::task::spawn_blocking(move || {
        let n_stuck = await_rest(&n_sent);
        calls.go_on.notify_one();
        n_stuck
    });
    let (counted, n_stuck) = in_time(future::join(counting, watching)).await;
    assert_eq!(counted.unwrap().into_inner(), (100 * PIECE).to_string());
    let n_stuck = n_stuck.unwrap();
    assert!(n_stuck < 50, "{n_stuck} MiB are gone");
    let grown = scene.site.proxy.peak_bytes().saturating_sub(idle);
    println!("stuck after {n_stuck} MiB, {grown} bytes");
    assert!(grown < 8 << 20, "{grown}");
}

#[tokio::test]
async fn a_hundred_streams_at_once() {
    let scene = Scene::set().await;
    let mut streams = Vec::new();
    for n in 0..100_u8 {
        let (say, words) = mpsc::channel(1);
        streams.push((n, say, scene.talk(ReceiverStream::new(words)).await));
    }
    for round in 0..3 {
        for (n, say, _) in &mut streams {
            say.send(Bytes::from(vec![*n, round])).await.unwrap();
        }
        for (n, _, echo) in &mut streams {
            let word = in_time(echo.message()).await.unwrap().unwrap();
            assert_eq!(&word[..], [*n, round]);
        }
    }
    for (_, say, mut echo) in streams {
        drop(say);
        assert_eq!(in_time(echo.message()).await.unwrap(), None);
    }
}
