//! The server behind the proxies: two system calls per request and little else.

use std::collections::HashMap;
use std::io;

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The argument that makes this program a backend.
pub(super) const TASK: &str = "backend";
/// Answered with 100 KB.
pub(super) const LARGE: &str = "/app/large";
/// Answered with the request's head as it came in.
pub(super) const HEAD: &str = "/app/head";

const LARGE_BYTES: usize = 100 * 1000;
const MAX_HEAD_BYTES: usize = 64 * 1024;

pub(super) fn serve(address: &str) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await.context("cannot listen")?;
        tokio::task::LocalSet::new()
            .run_until(async {
                let small = &*answer(&[b'a'; 64]).leak();
                let large = &*answer(&vec![b'a'; LARGE_BYTES]).leak();
                loop {
                    let (stream, _) = listener.accept().await.context("cannot accept")?;
                    tokio::task::spawn_local(async move { converse(stream, small, large).await });
                }
            })
            .await
    })
}

async fn converse(mut stream: TcpStream, small: &[u8], large: &[u8]) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; MAX_HEAD_BYTES];
    let mut filled = 0;
    loop {
        let Some(head) = Head::parse(&buffer[..filled])? else {
            if filled == buffer.len() {
                return Err(io::ErrorKind::InvalidData.into());
            }
            match stream.read(&mut buffer[filled..]).await? {
                0 => return Ok(()),
                count => filled += count,
            }
            continue;
        };
        let kind = head.kind;
        let seen = (kind == Kind::Head).then(|| answer(&buffer[..head.bytes]));
        let mut body = head.body_bytes;
        let arrived = body.min(filled - head.bytes);
        buffer.copy_within(head.bytes + arrived..filled, 0);
        filled -= head.bytes + arrived;
        body -= arrived;
        while body > 0 {
            let most = body.min(buffer.len());
            match stream.read(&mut buffer[..most]).await? {
                0 => return Ok(()),
                count => body -= count,
            }
        }
        stream
            .write_all(match (&seen, kind) {
                (Some(seen), _) => seen,
                (None, Kind::Large) => large,
                (None, _) => small,
            })
            .await?;
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Small,
    Large,
    Head,
}

#[derive(Debug, PartialEq, Eq)]
struct Head {
    bytes: usize,
    body_bytes: usize,
    kind: Kind,
}

impl Head {
    fn parse(bytes: &[u8]) -> io::Result<Option<Self>> {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut request = httparse::Request::new(&mut headers);
        let Ok(status) = request.parse(bytes) else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        let httparse::Status::Complete(bytes) = status else {
            return Ok(None);
        };
        let kind = match request.path {
            Some(LARGE) => Kind::Large,
            Some(HEAD) => Kind::Head,
            _ => Kind::Small,
        };
        let length = request
            .headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case("content-length"))
            .map(|header| String::from_utf8_lossy(header.value).parse());
        let Ok(body_bytes) = length.unwrap_or(Ok(0)) else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        Ok(Some(Self {
            bytes,
            body_bytes,
            kind,
        }))
    }
}

fn answer(body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nServer: backend\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n\
         Content-Type: text/plain\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// The headers of a request as the backend saw it, names in lower case.
pub(super) fn headers_seen(head: &str) -> HashMap<String, String> {
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_to_its_end_and_no_further() {
        let text = b"POST /app/large HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET";
        let head = Head::parse(text).unwrap();
        assert_eq!(
            head,
            Some(Head {
                bytes: text.len() - 6,
                body_bytes: 3,
                kind: Kind::Large
            })
        );
        assert_eq!(Head::parse(&text[..20]).unwrap(), None);
        assert!(Head::parse(b"\0\0").is_err());
    }
}
