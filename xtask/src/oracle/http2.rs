//! HTTP/2 around a proxy under test, told in the words of HTTP/1 so that it compares alike.

mod answers;
mod backend;
mod client;

use std::io;
use std::net::TcpStream;

use bytes::Bytes;
use h2::RecvStream;
use http::{HeaderMap, HeaderName, HeaderValue};

pub(super) use self::answers::Plans;
pub(super) use self::backend::{serve, serve_on};
pub(super) use self::client::converse;
use super::wire::{Body, Field, Stop};

/// Runs one connection on this thread; what ends it early shows where it is missed.
pub(super) fn block_on(connection: impl Future<Output = io::Result<()>>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    if let Ok(runtime) = runtime {
        drop(runtime.block_on(connection));
    }
}

/// A connection for the runtime of this thread.
pub(super) fn stream(stream: TcpStream) -> io::Result<tokio::net::TcpStream> {
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    tokio::net::TcpStream::from_std(stream)
}

/// Reads a message to its end.
async fn body(mut stream: RecvStream) -> Body {
    let mut body = Body::default();
    body.cut = read(&mut stream, &mut body).await.err().as_ref().map(stop);
    body
}

async fn read(stream: &mut RecvStream, body: &mut Body) -> Result<(), h2::Error> {
    while let Some(data) = stream.data().await {
        let data: Bytes = data?;
        stream.flow_control().release_capacity(data.len())?;
        body.bytes.extend_from_slice(&data);
    }
    if let Some(trailers) = stream.trailers().await? {
        body.trailers = fields(&trailers).collect();
    }
    Ok(())
}

fn stop(error: &h2::Error) -> Stop {
    if error.is_io() || error.is_go_away() {
        Stop::Closed
    } else {
        Stop::Reset
    }
}

fn fields(headers: &HeaderMap) -> impl Iterator<Item = Field> {
    headers
        .iter()
        .map(|(name, value)| (name.as_str().as_bytes().to_vec(), value.as_bytes().to_vec()))
}

/// `None` if HTTP/2 knows no such field.
fn field(name: &[u8], value: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let name = HeaderName::from_bytes(name).ok()?;
    Some((name, HeaderValue::from_bytes(value).ok()?))
}
