//! One question and its answer.

use std::io::{self, Read};
use std::sync::Arc;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http::header::{CONTENT_ENCODING, LOCATION};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use traefikrs_tls::{ClientTls, ServerName};

use super::endpoint::Failure;
use super::url::Url;

pub(super) enum Answer {
    Text(String),
    /// To be had where this link leads.
    Elsewhere(String),
}

/// Asks on a connection of its own.
pub(super) async fn ask(
    url: &Url,
    tls: &ClientTls,
    request: Request<Empty<Bytes>>,
    largest: usize,
) -> Result<Answer, Failure> {
    let failure = |error| Failure::Connect(url.authority().to_owned(), error);
    let stream = TcpStream::connect((&*url.host, url.port)).await;
    let stream = stream.map_err(failure)?;
    if !url.is_https {
        return exchange(stream, request, largest).await;
    }
    let name = ServerName::try_from(url.host.clone());
    let name = name.map_err(|error| failure(io::Error::other(error)))?;
    let connector = TlsConnector::from(Arc::clone(tls.http1()));
    let stream = connector.connect(name, stream).await.map_err(failure)?;
    exchange(stream, request, largest).await
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Empty<Bytes>>,
    largest: usize,
) -> Result<Answer, Failure> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the question, however that ends.
    let mut connections = JoinSet::new();
    connections.spawn(connection);
    let response = sender.send_request(request).await?;
    let headers = response.headers();
    let link = headers.get(LOCATION).and_then(|link| link.to_str().ok());
    match (response.status(), link) {
        (StatusCode::OK, _) => {}
        (status, Some(link)) if matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) => {
            return Ok(Answer::Elsewhere(link.to_owned()));
        }
        (status, _) => return Err(Failure::Status(status)),
    }
    let coding = headers.get(CONTENT_ENCODING);
    let is_gzip = coding.is_some_and(|coding| coding.as_bytes().eq_ignore_ascii_case(b"gzip"));
    let mut body = read(response.into_body(), largest).await?;
    if is_gzip {
        body = unzip(&body, largest)?;
    }
    let text = String::from_utf8(body).map_err(|_| Failure::NotText)?;
    Ok(Answer::Text(text))
}

async fn read(body: Incoming, largest: usize) -> Result<Vec<u8>, Failure> {
    match Limited::new(body, largest).collect().await {
        Ok(body) => Ok(body.to_bytes().into()),
        Err(error) => match error.downcast::<hyper::Error>() {
            Ok(error) => Err(Failure::Exchange(*error)),
            Err(_limit) => Err(Failure::TooLarge(largest)),
        },
    }
}

fn unzip(body: &[u8], largest: usize) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    let most = u64::try_from(largest).unwrap_or(u64::MAX).saturating_add(1);
    let read = MultiGzDecoder::new(body).take(most).read_to_end(&mut text);
    match read.map_err(Failure::Gzip)? {
        len if len > largest => Err(Failure::TooLarge(largest)),
        _ => Ok(text),
    }
}
