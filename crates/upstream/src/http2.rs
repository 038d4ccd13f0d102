//! HTTP/2 over connections that all requests of a thread to one server share.

mod body;
mod connection;
mod upload;

use std::{
    cell::{Cell, RefCell},
    fmt,
    pin::Pin,
    rc::{Rc, Weak},
};

use bytes::Bytes;
use futures_util::future::{FutureExt, Shared as SharedFuture, WeakShared};
use http::{
    HeaderValue, Request, Uri, Version, header,
    response::Parts,
    uri::{Authority, Scheme},
};
use http_body::Body as HttpBody;
use hyper::body::Incoming;
use tokio::time::{Instant, sleep};

pub(crate) use self::body::Body;
use self::{
    connection::{Connection, Ticket},
    upload::{BoxBody, Upload},
};
use crate::{
    answer::{Answer, UpstreamBody},
    dial::{Offer, dial},
    error::{BoxError, Error},
    peer::{Limits, Scheme as PeerScheme},
    pool::{Pool, Retention},
    request::Outgoing,
    stream::Stream,
};

/// The HTTP/2 connections of a pool: one, as long as it has streams to give.
#[derive(Default)]
pub(crate) struct Shared {
    connections: RefCell<Vec<Rc<Connection>>>,
    dialing: RefCell<Option<WeakShared<Dialing>>>,
}

/// Requests that come while a connection is made wait for it instead of making their own.
type Dialing = Pin<Box<dyn Future<Output = Result<Dialed, Rc<Error>>>>>;

/// What came of it.
#[derive(Clone)]
enum Dialed {
    Http2(Rc<Connection>),
    /// A server with TLS wanted HTTP/1.1: the connection is for the first to come.
    Http1(Rc<Cell<Option<Stream>>>),
}

/// What to ask on.
pub(crate) enum Agreed {
    /// A stream of a shared connection.
    Http2(Ticket),
    /// A connection of one's own, unless somebody else has it.
    Http1(Option<Stream>),
}

impl Shared {
    pub(crate) fn sweep(&self, now: Instant) {
        self.connections
            .borrow_mut()
            .retain(|connection| connection.is_worth_keeping(now));
    }

    /// Lets the connections go; requests on them end first.
    pub(crate) fn clear(&self) {
        self.connections.borrow_mut().clear();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.connections.borrow().is_empty()
    }

    fn take(&self) -> Option<Ticket> {
        let mut connections = self.connections.borrow_mut();
        connections.retain(|connection| !connection.is_closed());
        connections.iter().find_map(Connection::ticket)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Shared")
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}

/// Asks on a shared connection, and once more on another when the first refuses the request unseen.
pub(crate) async fn send<B>(
    pool: Rc<Pool>,
    limits: &Limits,
    request: Outgoing<B>,
) -> Result<Answer<B>, Error>
where
    B: HttpBody<Data = Bytes> + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    match agree(&pool, limits).await? {
        Agreed::Http2(ticket) => send_on(ticket, pool, limits, request).await,
        Agreed::Http1(_) => Err(Error::Closed),
    }
}

/// A stream of a connection that is there, or of one in the making.
pub(crate) async fn agree(pool: &Rc<Pool>, limits: &Limits) -> Result<Agreed, Error> {
    match pool.http2.take() {
        Some(ticket) => {
            pool.local.count(|stats| stats.reused += 1);
            Ok(Agreed::Http2(ticket))
        }
        None => connect(pool, limits).await,
    }
}

/// Asks on this stream, and once more on another when it is refused unseen.
pub(crate) async fn send_on<B>(
    ticket: Ticket,
    pool: Rc<Pool>,
    limits: &Limits,
    request: Outgoing<B>,
) -> Result<Answer<B>, Error>
where
    B: HttpBody<Data = Bytes> + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    let (request, upload) = translate(&pool, request)?;
    // RFC 9113 §8.7: a refused stream was not processed. Only what needs no body can be said again.
    let copy = request.body().is_end_stream().then(|| copy(&request));
    let (head, body, ticket) = match exchange(ticket, limits, request, &upload).await {
        Err(Failure {
            error,
            returned: Some(request),
        }) => again(&pool, limits, request, &upload, error).await?,
        Err(Failure { error, .. }) if is_refused(&error) => match copy {
            Some(request) => again(&pool, limits, request, &upload, error).await?,
            None => return Err(error),
        },
        result => result.map_err(|failure| failure.error)?,
    };
    Ok(Answer::Response {
        head,
        body: UpstreamBody::http2(Body::new(body, upload, ticket)),
    })
}

async fn again<B>(
    pool: &Rc<Pool>,
    limits: &Limits,
    request: Request<BoxBody>,
    upload: &Upload<B>,
    error: Error,
) -> Result<Begun, Error> {
    pool.local.count(|stats| stats.retried += 1);
    let Agreed::Http2(ticket) = connect(pool, limits).await? else {
        return Err(error);
    };
    exchange(ticket, limits, request, upload)
        .await
        .map_err(|failure| failure.error)
}

/// The head of an answer, its body, and the right to the stream.
type Begun = (Parts, Incoming, Ticket);

struct Failure {
    error: Error,
    /// The request, when the connection never saw it.
    returned: Option<Request<BoxBody>>,
}

async fn exchange<B>(
    ticket: Ticket,
    limits: &Limits,
    request: Request<BoxBody>,
    upload: &Upload<B>,
) -> Result<Begun, Failure> {
    let response = ticket.sender().try_send_request(request);
    let timed_out = async {
        match limits.response_header_timeout {
            Some(timeout) => {
                upload.finished().await;
                sleep(timeout).await;
            }
            None => std::future::pending().await,
        }
    };
    let response = tokio::select! {
        biased;
        response = response => response,
        () = timed_out => return Err(Failure { error: Error::ResponseHeaderTimeout, returned: None }),
    };
    match response {
        Ok(response) => {
            let (head, body) = response.into_parts();
            Ok((head, body, ticket))
        }
        Err(mut error) => {
            let returned = error.take_message();
            let error = upload
                .take_error()
                .map_or_else(|| Error::Http2(error.into_error()), Error::RequestBody);
            Err(Failure { error, returned })
        }
    }
}

/// Waits for the connection in the making, or makes one.
async fn connect(pool: &Rc<Pool>, limits: &Limits) -> Result<Agreed, Error> {
    let dialing = join_or_dial(pool, limits);
    let dialed = dialing
        .await
        .map_err(|error| Rc::try_unwrap(error).unwrap_or_else(|error| error.of_a_connection()))?;
    Ok(match dialed {
        // A crowd may have waited for it. One stream too many waits inside the connection.
        Dialed::Http2(connection) => Agreed::Http2(
            Connection::ticket(&connection)
                .unwrap_or_else(|| Connection::ticket_at_any_load(&connection)),
        ),
        Dialed::Http1(stream) => Agreed::Http1(stream.take()),
    })
}

fn join_or_dial(pool: &Rc<Pool>, limits: &Limits) -> SharedFuture<Dialing> {
    let mut slot = pool.http2.dialing.borrow_mut();
    if let Some(dialing) = slot
        .as_ref()
        .and_then(WeakShared::upgrade)
        .filter(|dialing| dialing.peek().is_none())
    {
        return dialing;
    }
    let (pool, limits) = (Rc::downgrade(pool), *limits);
    let dialing: Dialing =
        Box::pin(async move { dial_either(&pool, &limits).await.map_err(Rc::new) });
    let dialing = dialing.shared();
    *slot = dialing.downgrade();
    dialing
}

async fn dial_either(pool: &Weak<Pool>, limits: &Limits) -> Result<Dialed, Error> {
    let pool = pool.upgrade().ok_or(Error::Closed)?;
    let stream = dial(&pool, limits, Offer::Either).await?;
    if stream.prefers_http1() {
        pool.prefers_http1.set(true);
        return Ok(Dialed::Http1(Rc::new(Cell::new(Some(stream)))));
    }
    let connection = Rc::new(Connection::handshake(stream, limits, Retention::from(limits)).await?);
    pool.http2
        .connections
        .borrow_mut()
        .push(Rc::clone(&connection));
    Ok(Dialed::Http2(connection))
}

fn translate<B>(pool: &Pool, request: Outgoing<B>) -> Result<(Request<BoxBody>, Upload<B>), Error>
where
    B: HttpBody<Data = Bytes> + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    let Outgoing {
        method,
        target,
        host,
        mut headers,
        body,
        ..
    } = request;
    if method == http::Method::CONNECT {
        return Err(Error::InvalidRequest("CONNECT needs a tunnel"));
    }
    headers.remove(header::HOST);
    // The framing layer knows the length better than a header that was written for another body.
    headers.remove(header::CONTENT_LENGTH);
    let path = target
        .into_path_and_query()
        .ok_or(Error::InvalidRequest("target has no form in HTTP/2"))?;
    let scheme = match pool.server.as_peer().scheme {
        PeerScheme::Http | PeerScheme::H2c => Scheme::HTTP,
        PeerScheme::Https(_) => Scheme::HTTPS,
    };
    let uri = Uri::builder()
        .scheme(scheme)
        .authority(authority(pool, host)?)
        .path_and_query(path)
        .build();
    let (upload, body) = Upload::new(body);
    let mut outgoing = Request::new(body);
    *outgoing.method_mut() = method;
    *outgoing.uri_mut() = uri.map_err(|_| Error::InvalidRequest("target has no form in HTTP/2"))?;
    *outgoing.version_mut() = Version::HTTP_2;
    *outgoing.headers_mut() = headers;
    Ok((outgoing, upload))
}

fn authority(pool: &Pool, host: Option<HeaderValue>) -> Result<Authority, Error> {
    match host.filter(|host| !host.is_empty()) {
        Some(host) => Authority::try_from(host.as_bytes()),
        None => Authority::try_from(pool.server.as_peer().to_string()),
    }
    .map_err(|_| Error::InvalidRequest("host is no authority"))
}

fn copy(request: &Request<BoxBody>) -> Request<BoxBody> {
    let mut copy = Request::new(upload::empty());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.version_mut() = request.version();
    *copy.headers_mut() = request.headers().clone();
    copy
}

/// Whether the server says that it has not looked at the request.
fn is_refused(error: &Error) -> bool {
    let Error::Http2(error) = error else {
        return false;
    };
    let cause =
        std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<h2::Error>());
    cause.is_some_and(|cause| match cause.reason() {
        Some(h2::Reason::REFUSED_STREAM) => true,
        // RFC 9113 §6.8: a stream that ends by a GOAWAY is one that the server will not process.
        Some(h2::Reason::NO_ERROR) => cause.is_go_away() && cause.is_remote(),
        _ => false,
    })
}
