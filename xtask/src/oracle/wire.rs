//! HTTP/1 as it stands on the wire, read without opinion, for both ends around a proxy under test.

use std::fmt;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

/// What one line of a head may hold, far beyond what either proxy lets through.
const LINE_LIMIT: usize = 4 << 20;
const BODY_LIMIT: usize = 64 << 20;

/// Name and value, as sent, without the white space around the value.
pub(super) type Field = (Vec<u8>, Vec<u8>);

/// One connection, with what was read from it but not yet taken.
#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    unread: Vec<u8>,
}

/// Why nothing more comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    Closed,
    Reset,
    /// Open, yet nothing came for as long as the reader waits.
    Silent,
    /// What came is no HTTP/1.
    Nonsense,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Head {
    pub(super) line: Vec<u8>,
    pub(super) fields: Vec<Field>,
}

/// How the end of a body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    None,
    Length(usize),
    Chunked,
    ToEnd,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Body {
    pub(super) bytes: Vec<u8>,
    pub(super) trailers: Vec<Field>,
    /// Why it is incomplete, if it is.
    pub(super) cut: Option<Stop>,
}

impl Wire {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            unread: Vec::new(),
        }
    }

    pub(super) fn wait_at_most(&self, patience: Option<Duration>) -> std::io::Result<()> {
        self.stream.set_read_timeout(patience)
    }

    /// Awaits that something comes.
    pub(super) fn hear(&mut self) -> std::io::Result<()> {
        let mut bytes = [0; 4096];
        let count = self.stream.read(&mut bytes)?;
        self.unread.extend_from_slice(&bytes[..count]);
        Ok(())
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes)
    }

    pub(super) fn close(&self) {
        // The peer may have closed it first.
        drop(self.stream.shutdown(Shutdown::Both));
    }

    /// Lets the peer see a reset instead of an orderly end.
    pub(super) fn reset(self) {
        let socket = socket2::Socket::from(self.stream);
        // Without it the peer sees an orderly end; nothing else depends on it.
        drop(socket.set_linger(Some(Duration::ZERO)));
    }

    /// What came but was not taken.
    pub(super) fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.unread)
    }

    pub(super) fn head(&mut self) -> Result<Head, Stop> {
        Ok(Head {
            line: self.line()?,
            fields: self.fields()?,
        })
    }

    pub(super) fn body(&mut self, framing: Framing) -> Body {
        let mut body = Body::default();
        let outcome = match framing {
            Framing::None => Ok(()),
            Framing::Length(length) => self.exactly(length, &mut body.bytes),
            Framing::Chunked => self.chunks(&mut body),
            Framing::ToEnd => match self.exactly(BODY_LIMIT, &mut body.bytes) {
                Ok(()) => Err(Stop::Nonsense),
                Err(Stop::Closed) => Ok(()),
                Err(stop) => Err(stop),
            },
        };
        body.cut = outcome.err();
        body
    }

    fn chunks(&mut self, body: &mut Body) -> Result<(), Stop> {
        loop {
            let line = self.line()?;
            let size = line
                .split(|&byte| byte == b';')
                .next()
                .unwrap_or_default()
                .trim_ascii();
            let size = std::str::from_utf8(size)
                .ok()
                .and_then(|size| usize::from_str_radix(size, 16).ok())
                .filter(|&size| size < BODY_LIMIT)
                .ok_or(Stop::Nonsense)?;
            if size == 0 {
                body.trailers = self.fields()?;
                return Ok(());
            }
            self.exactly(size, &mut body.bytes)?;
            if !self.line()?.is_empty() {
                return Err(Stop::Nonsense);
            }
        }
    }

    fn fields(&mut self) -> Result<Vec<Field>, Stop> {
        let mut fields = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(fields);
            }
            let colon = line.iter().position(|&byte| byte == b':');
            let (name, value) = line.split_at(colon.unwrap_or(line.len()));
            let value = value.strip_prefix(b":").unwrap_or(value).trim_ascii();
            fields.push((name.to_vec(), value.to_vec()));
        }
    }

    /// The bytes up to the next line feed, without the line's end.
    fn line(&mut self) -> Result<Vec<u8>, Stop> {
        let mut searched = 0;
        loop {
            if let Some(found) = self.unread[searched..]
                .iter()
                .position(|&byte| byte == b'\n')
            {
                let mut line: Vec<u8> = self.unread.drain(..=searched + found).collect();
                line.pop();
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(line);
            }
            searched = self.unread.len();
            if searched > LINE_LIMIT {
                return Err(Stop::Nonsense);
            }
            self.fill()?;
        }
    }

    fn exactly(&mut self, length: usize, into: &mut Vec<u8>) -> Result<(), Stop> {
        let mut missing = length;
        loop {
            let take = missing.min(self.unread.len());
            into.extend(self.unread.drain(..take));
            missing -= take;
            if missing == 0 {
                return Ok(());
            }
            self.fill()?;
        }
    }

    fn fill(&mut self) -> Result<(), Stop> {
        let mut buffer = [0; 16 << 10];
        match self.stream.read(&mut buffer) {
            Ok(0) => Err(Stop::Closed),
            Ok(read) => {
                self.unread.extend_from_slice(&buffer[..read]);
                Ok(())
            }
            Err(error) => Err(match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut => Stop::Silent,
                _ => Stop::Reset,
            }),
        }
    }
}

impl Head {
    /// All values of a field, as text where they are text.
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.fields
            .iter()
            .filter(move |(given, _)| given.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value.as_slice())
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.values(name)
            .next()
            .and_then(|value| std::str::from_utf8(value).ok())
    }

    /// The framing that the fields tell, if they tell one.
    pub(super) fn framing(&self) -> Option<Framing> {
        if self
            .text("transfer-encoding")
            .is_some_and(|coding| coding.contains("chunked"))
        {
            return Some(Framing::Chunked);
        }
        self.text("content-length")?
            .parse()
            .ok()
            .map(Framing::Length)
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "closed",
            Self::Reset => "reset",
            Self::Silent => "silent",
            Self::Nonsense => "nonsense",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// A wire on which `bytes` came, then the end.
    fn wire(bytes: &[u8]) -> Wire {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client.write_all(bytes).unwrap();
        Wire::new(listener.accept().unwrap().0)
    }

    #[test]
    fn a_chunked_body_ends_with_its_trailers() {
        let mut wire = wire(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: v\r\n\r\nnext");
        let head = wire.head().unwrap();
        let body = wire.body(head.framing().unwrap());
        assert_eq!(head.line, b"POST / HTTP/1.1");
        assert_eq!(body.bytes, b"abc");
        assert_eq!(body.trailers, [(b"T".to_vec(), b"v".to_vec())]);
        assert_eq!(body.cut, None);
        assert_eq!(wire.body(Framing::ToEnd).bytes, b"next");
    }

    #[test]
    fn a_body_that_ends_early_says_so() {
        let mut wire = wire(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab");
        let head = wire.head().unwrap();
        let body = wire.body(head.framing().unwrap());
        assert_eq!(
            (body.bytes.as_slice(), body.cut),
            (b"ab".as_slice(), Some(Stop::Closed))
        );
    }

    #[test]
    fn a_chunk_without_a_size_is_nonsense() {
        assert_eq!(
            wire(b"xyz\r\n").body(Framing::Chunked).cut,
            Some(Stop::Nonsense)
        );
    }
}
