//! Holds a conversation over HTTP/2. Its requests are written as those of HTTP/1 are.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::Poll;

use bytes::Bytes;
use h2::client::{self, ResponseFuture, SendRequest};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, Method, Request, Response, Uri};
use tokio::time::timeout;

use super::{block_on, body, field, fields, stop, stream};
use crate::oracle::client::{Answer, End, Heard, PATIENCE, PROBE_ANSWER, connect};
use crate::oracle::generate::Conversation;
use crate::oracle::wire::{Head, Stop};

/// What HTTP/1 says of a connection and HTTP/2 otherwise, or not at all.
const OF_A_CONNECTION: [&[u8]; 2] = [b"host", b"transfer-encoding"];

/// A conversation that cannot be said in HTTP/2 is not held.
pub(in crate::oracle) fn converse(proxy: SocketAddr, conversation: &Conversation) -> Heard {
    let mut heard = Heard {
        answers: Vec::new(),
        end: End::Open,
    };
    let messages = conversation
        .exchanges
        .iter()
        .map(|exchange| Message::read(&exchange.raw));
    let Some(messages) = messages.collect::<Option<Vec<_>>>() else {
        return heard;
    };
    let stopped = match connect(proxy, conversation.client) {
        Ok(stream) => {
            let mut stopped = Err(Stop::Closed);
            block_on(async {
                let stream = self::stream(stream)?;
                stopped = speak(stream, messages, conversation.pipelined, &mut heard.answers).await;
                Ok(())
            });
            stopped
        }
        Err(stop) => Err(stop),
    };
    if let Err(stop) = stopped {
        heard.end = End::Stopped(stop);
    }
    heard
}

/// Sends the requests and collects an answer to each, and shows that the connection still serves.
async fn speak(
    stream: tokio::net::TcpStream,
    messages: Vec<Message>,
    at_once: bool,
    answers: &mut Vec<Answer>,
) -> Result<(), Stop> {
    let (mut sender, connection) = client::handshake(stream)
        .await
        .map_err(|error| stop(&error))?;
    tokio::spawn(async move { drop(connection.await) });
    let mut pending = Vec::new();
    for message in messages {
        let response = message.send(&mut sender).await?;
        if at_once {
            pending.push(response);
        } else {
            answers.push(listen(response).await?);
        }
    }
    for response in pending {
        answers.push(listen(response).await?);
    }
    let probe = listen(Message::probe().send(&mut sender).await?).await?;
    if probe.body.bytes == PROBE_ANSWER {
        Ok(())
    } else {
        Err(Stop::Nonsense)
    }
}

/// The answer, which may be that the stream is reset.
async fn listen(response: ResponseFuture) -> Result<Answer, Stop> {
    timeout(PATIENCE, hear(response))
        .await
        .unwrap_or(Err(Stop::Silent))
}

async fn hear(mut response: ResponseFuture) -> Result<Answer, Stop> {
    let mut answer = Answer {
        keeps: true,
        ..Answer::default()
    };
    let response = poll_fn(|cx| {
        while let Poll::Ready(Some(Ok(interim))) = response.poll_informational(cx) {
            answer.interim.push(head(&interim));
        }
        Pin::new(&mut response).poll(cx)
    });
    match response.await {
        Ok(response) => {
            answer.head = head(&response);
            answer.body = body(response.into_body()).await;
        }
        Err(error) => match error.reason() {
            Some(reason) if !error.is_go_away() => {
                answer.head.line = format!("HTTP/2.0 reset {reason:?}").into_bytes();
            }
            _ => return Err(stop(&error)),
        },
    }
    Ok(answer)
}

/// A head in the form of HTTP/1.
fn head<T>(response: &Response<T>) -> Head {
    Head {
        line: format!("HTTP/2.0 {}", response.status().as_str()).into_bytes(),
        fields: fields(response.headers()).collect(),
    }
}

/// A request that HTTP/2 can say.
#[derive(Debug)]
struct Message {
    request: Request<()>,
    body: Bytes,
    trailers: Option<HeaderMap>,
}

impl Message {
    fn probe() -> Self {
        Self::read(b"GET / HTTP/1.1\r\nHost: ready.oracle\r\n\r\n")
            .expect("a plain request can be said")
    }

    /// From the bytes of HTTP/1.
    fn read(raw: &[u8]) -> Option<Self> {
        let mut rest = raw;
        let head = head_in(&mut rest)?;
        let mut words = head.line.split(|&byte| byte == b' ');
        let (method, target) = (words.next()?, words.next()?);
        let uri = Uri::builder()
            .scheme(Scheme::HTTP)
            .authority(Authority::try_from(head.values("host").next()?).ok()?)
            .path_and_query(PathAndQuery::try_from(target).ok()?)
            .build()
            .ok()?;
        let mut request = Request::builder()
            .method(Method::from_bytes(method).ok()?)
            .uri(uri)
            .body(())
            .ok()?;
        *request.headers_mut() = map(&head)?;
        let (body, trailers) = match head.text("transfer-encoding") {
            None => (rest.to_vec(), None),
            Some("chunked") => unchunked(rest)?,
            Some(_) => return None,
        };
        if let Some(length) = head.text("content-length")
            && length != body.len().to_string()
        {
            return None;
        }
        Some(Self {
            request,
            body: body.into(),
            trailers,
        })
    }

    async fn send(self, sender: &mut SendRequest<Bytes>) -> Result<ResponseFuture, Stop> {
        let Self {
            request,
            body,
            trailers,
        } = self;
        poll_fn(|cx| sender.poll_ready(cx))
            .await
            .map_err(|error| stop(&error))?;
        let bare = body.is_empty() && trailers.is_none();
        let (response, mut sending) = sender
            .send_request(request, bare)
            .map_err(|error| stop(&error))?;
        // A server that wants no body says so in its answer.
        if !body.is_empty() {
            drop(sending.send_data(body, trailers.is_none()));
        }
        if let Some(trailers) = trailers {
            drop(sending.send_trailers(trailers));
        }
        Ok(response)
    }
}

/// Takes the lines up to an empty one.
fn head_in(rest: &mut &[u8]) -> Option<Head> {
    let mut head = Head {
        line: line_in(rest)?.to_vec(),
        fields: Vec::new(),
    };
    head.fields = fields_in(rest)?;
    Some(head)
}

fn fields_in(rest: &mut &[u8]) -> Option<Vec<crate::oracle::wire::Field>> {
    let mut fields = Vec::new();
    loop {
        let line = line_in(rest)?;
        if line.is_empty() {
            return Some(fields);
        }
        let colon = line.iter().position(|&byte| byte == b':')?;
        fields.push((
            line[..colon].to_vec(),
            line[colon + 1..].trim_ascii().to_vec(),
        ));
    }
}

fn line_in<'r>(rest: &mut &'r [u8]) -> Option<&'r [u8]> {
    let end = rest.windows(2).position(|part| part == b"\r\n")?;
    let line = &rest[..end];
    *rest = &rest[end + 2..];
    Some(line)
}

/// Fields in the spelling of HTTP/2, unless one cannot be said.
fn map(head: &Head) -> Option<HeaderMap> {
    let mut map = HeaderMap::new();
    for (name, value) in &head.fields {
        let name = name.to_ascii_lowercase();
        if !OF_A_CONNECTION.contains(&name.as_slice()) {
            let (name, value) = field(&name, value)?;
            map.append(name, value);
        }
    }
    Some(map)
}

/// A whole chunked body, and its trailers.
fn unchunked(mut rest: &[u8]) -> Option<(Vec<u8>, Option<HeaderMap>)> {
    let mut body = Vec::new();
    loop {
        let size = std::str::from_utf8(line_in(&mut rest)?).ok()?;
        let size = usize::from_str_radix(size, 16).ok()?;
        if size == 0 {
            break;
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size..)?.strip_prefix(b"\r\n")?;
    }
    let trailers = Head {
        line: Vec::new(),
        fields: fields_in(&mut rest)?,
    };
    let trailers = map(&trailers)?;
    Some((body, (!trailers.is_empty()).then_some(trailers)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_said_in_other_words() {
        let raw = b"POST /x?y HTTP/1.1\r\nHost: a.test\r\nX-A: 1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: v\r\n\r\n";
        let message = Message::read(raw).expect("it can be said");
        assert_eq!(message.request.uri(), "http://a.test/x?y");
        assert_eq!(message.request.headers()["x-a"], "1");
        assert_eq!(message.request.headers().len(), 1);
        assert_eq!(message.body, "abc");
        assert_eq!(message.trailers.expect("trailers")["t"], "v");
    }

    #[test]
    fn what_cannot_be_said_is_not() {
        for raw in [
            "GET / HTTP/1.1\r\n\r\n",
            "GET /a b HTTP/1.1\r\nHost: a\r\nX Y: 1\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabc",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabc\r\n0\r\n\r\n",
        ] {
            assert!(Message::read(raw.as_bytes()).is_none(), "{raw}");
        }
    }
}
