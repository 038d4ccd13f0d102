//! Both ends of HTTP/2 in clear.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::thread;

use bytes::Bytes;
use h2::RecvStream;
use h2::client::{ResponseFuture, SendRequest};
use h2::server::SendResponse;
use http::{HeaderMap, Request, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{LocalSet, spawn_local};

/// Runs a client, or all of a server.
pub(crate) fn run<F: Future>(work: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    LocalSet::new().block_on(&runtime, work)
}

/// A client's end of a connection.
pub(crate) async fn connect(address: SocketAddr) -> SendRequest<Bytes> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    spawn_local(connection);
    client.ready().await.unwrap()
}

/// Starts a server that plays each stream, on a thread of its own.
pub(crate) fn server<F>(
    play: impl Fn(Request<RecvStream>, SendResponse<Bytes>) -> F + Clone + Send + 'static,
) -> SocketAddr
where
    F: Future<Output = ()> + 'static,
{
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    thread::spawn(move || {
        run(async move {
            let listener = TcpListener::from_std(listener).unwrap();
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
    });
    address
}

/// What is said before the answer: the next of it, if it comes before the answer does.
pub(crate) async fn hint(answer: &mut ResponseFuture) -> Option<Response<()>> {
    let hint = poll_fn(|cx| answer.poll_informational(cx)).await;
    hint.map(Result::unwrap)
}

/// What comes behind a head, to its end.
pub(crate) async fn read(
    stream: &mut RecvStream,
) -> Result<(String, Option<HeaderMap>), h2::Error> {
    let mut body = Vec::new();
    while let Some(data) = stream.data().await {
        let data = data?;
        stream.flow_control().release_capacity(data.len())?;
        body.extend(data);
    }
    let trailers = stream.trailers().await?;
    Ok((String::from_utf8(body).unwrap(), trailers))
}

/// Says something before the answer.
pub(crate) fn interim(respond: &mut SendResponse<Bytes>, status: u16, link: &str) {
    let interim = Response::builder().status(status).header("link", link);
    respond
        .send_informational(interim.body(()).unwrap())
        .unwrap();
}

/// Answers.
pub(crate) fn answer(respond: &mut SendResponse<Bytes>, status: u16, body: &'static str) {
    let head = Response::builder().status(status).body(()).unwrap();
    let mut send = respond.send_response(head, body.is_empty()).unwrap();
    if !body.is_empty() {
        send.send_data(Bytes::from_static(body.as_bytes()), true)
            .unwrap();
    }
}
