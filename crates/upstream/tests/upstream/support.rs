use std::{
    cell::{Cell, RefCell},
    net::SocketAddr,
    rc::Rc,
};

use bytes::Bytes;
use http::{HeaderMap, Method, response::Parts};
use http_body::Body;
use http_body_util::{BodyExt, Empty};
use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::{spawn_local, yield_now},
};
use traefikrs_upstream::{
    Answer, BoxError, Error, Host, Limits, Outgoing, Peer, Scheme, Target, UpstreamBody, Upstreams,
};

/// What a server does with one connection, one step after the other; at the end it closes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Reads until an empty line.
    Head,
    /// Reads so many bytes.
    Read(usize),
    /// Writes.
    Say(Vec<u8>),
    /// Writes one byte at a time.
    Trickle(Vec<u8>),
    /// Says no more, without closing.
    Hush,
    /// Closes in a way that the client sees as an error.
    Reset,
    /// Waits for the client to close.
    Hold,
}

pub(crate) fn say(text: impl AsRef<[u8]>) -> Step {
    Step::Say(text.as_ref().to_vec())
}

/// A server that plays a script for each connection, and refuses more.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    heard: Rc<RefCell<Vec<Vec<u8>>>>,
    closed: Rc<Cell<usize>>,
}

impl Server {
    pub(crate) async fn start(scripts: impl IntoIterator<Item = Vec<Step>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Rc::new(RefCell::new(Vec::new()));
        let closed = Rc::new(Cell::new(0));
        let server = Self {
            address,
            heard: Rc::clone(&heard),
            closed: Rc::clone(&closed),
        };
        let scripts: Vec<_> = scripts.into_iter().collect();
        spawn_local(async move {
            for (number, script) in scripts.into_iter().enumerate() {
                let (stream, _) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                heard.borrow_mut().push(Vec::new());
                let (heard, closed) = (Rc::clone(&heard), Rc::clone(&closed));
                spawn_local(async move {
                    play(stream, script, |bytes| {
                        heard.borrow_mut()[number].extend_from_slice(bytes);
                    })
                    .await;
                    closed.set(closed.get() + 1);
                });
            }
        });
        server
    }

    /// Everything a connection has received.
    pub(crate) fn heard(&self, connection: usize) -> String {
        String::from_utf8_lossy(
            self.heard
                .borrow()
                .get(connection)
                .map_or(&[], Vec::as_slice),
        )
        .into_owned()
    }

    pub(crate) fn n_connections(&self) -> usize {
        self.heard.borrow().len()
    }

    /// Returns when so many scripts are over and the client's runtime has had a chance to see it.
    pub(crate) async fn until_closed(&self, n: usize) {
        while self.closed.get() < n {
            yield_now().await;
        }
        settle().await;
    }

    pub(crate) fn peer(&self) -> Peer<'static> {
        Peer {
            pool: 1,
            scheme: Scheme::Http,
            host: Host::Ip(self.address.ip()),
            port: self.address.port(),
        }
    }
}

/// Lets everything happen that can happen without waiting.
pub(crate) async fn settle() {
    for _ in 0..20 {
        yield_now().await;
    }
}

async fn play(mut stream: TcpStream, script: Vec<Step>, mut hear: impl FnMut(&[u8])) {
    let mut unread = Vec::new();
    for step in script {
        match step {
            Step::Head => {
                let end = loop {
                    if let Some(at) = unread.windows(4).position(|window| window == b"\r\n\r\n") {
                        break at + 4;
                    }
                    if fill(&mut stream, &mut unread, &mut hear).await == 0 {
                        return;
                    }
                };
                unread.drain(..end);
            }
            Step::Read(n) => {
                while unread.len() < n {
                    if fill(&mut stream, &mut unread, &mut hear).await == 0 {
                        return;
                    }
                }
                unread.drain(..n);
            }
            Step::Say(text) => {
                if stream.write_all(&text).await.is_err() {
                    return;
                }
            }
            Step::Trickle(text) => {
                for byte in text {
                    if stream.write_all(&[byte]).await.is_err() {
                        return;
                    }
                    yield_now().await;
                }
            }
            Step::Hush => stream.shutdown().await.unwrap_or_default(),
            Step::Reset => {
                return SockRef::from(&stream)
                    .set_linger(Some(std::time::Duration::ZERO))
                    .unwrap();
            }
            Step::Hold => while fill(&mut stream, &mut unread, &mut hear).await > 0 {},
        }
    }
}

async fn fill(stream: &mut TcpStream, unread: &mut Vec<u8>, hear: &mut impl FnMut(&[u8])) -> usize {
    let before = unread.len();
    let n = stream.read_buf(unread).await.unwrap_or(0);
    hear(&unread[before..]);
    n
}

pub(crate) type NoBody = Empty<Bytes>;

pub(crate) fn request(method: Method) -> Outgoing<NoBody> {
    Outgoing::new(method, Target::try_from("/").unwrap(), Empty::new())
}

pub(crate) fn get() -> Outgoing<NoBody> {
    request(Method::GET)
}

pub(crate) fn with_body<B>(method: Method, body: B) -> Outgoing<B> {
    Outgoing::new(method, Target::try_from("/").unwrap(), body)
}

/// What came of a request that nobody will send again.
pub(crate) async fn send<B>(
    upstreams: &Upstreams,
    peer: &Peer<'_>,
    limits: &Limits,
    mut request: Outgoing<B>,
) -> Result<Answer<B>, Error>
where
    B: Body<Data = Bytes> + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    let sending = upstreams.send(peer, limits, &mut request);
    sending.await.map_err(|no_answer| no_answer.error)
}

/// The head and the body of an answer that must be a response.
pub(crate) async fn ask<B>(
    upstreams: &Upstreams,
    peer: &Peer<'_>,
    request: Outgoing<B>,
) -> Result<(Parts, UpstreamBody<B>), Error>
where
    B: Body<Data = Bytes> + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    match send(upstreams, peer, &Limits::default(), request).await? {
        Answer::Response { head, body } => Ok((head, body)),
        Answer::Upgraded { .. } => panic!("nobody asked for an upgrade"),
    }
}

/// Everything a server has to say, read to the end.
pub(crate) struct Read {
    pub(crate) head: Parts,
    pub(crate) data: Bytes,
    pub(crate) trailers: Option<HeaderMap>,
}

pub(crate) async fn read<B>(
    upstreams: &Upstreams,
    peer: &Peer<'_>,
    request: Outgoing<B>,
) -> Result<Read, Error>
where
    B: Body<Data = Bytes> + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    let (head, body) = ask(upstreams, peer, request).await?;
    let collected = body.collect().await?;
    let trailers = collected.trailers().cloned();
    Ok(Read {
        head,
        data: collected.to_bytes(),
        trailers,
    })
}

/// The name of the variant, for tables.
pub(crate) fn kind(error: &Error) -> String {
    let debug = format!("{error:?}");
    debug
        .split(['(', ' '])
        .next()
        .unwrap_or_default()
        .to_owned()
}
