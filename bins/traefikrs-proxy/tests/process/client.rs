//! A client that says what it is told to, byte for byte.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use crate::proxy::DEADLINE;

/// One connection.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    read: Vec<u8>,
}

/// What came back, as far as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
    /// Whether the body came to its end.
    pub(crate) is_whole: bool,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::new(TcpStream::connect(address).unwrap())
    }

    pub(crate) fn new(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            read: Vec::new(),
        }
    }

    /// Says it; whether anybody listens is seen by what comes back.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        drop(self.stream.write_all(bytes.as_ref()));
    }

    /// Says no more.
    pub(crate) fn half_close(&self) {
        // The other side may have closed already.
        drop(self.stream.shutdown(Shutdown::Write));
    }

    /// The next answer that is not an interim one; `None` when there is no more.
    pub(crate) fn answer(&mut self) -> Option<Answer> {
        loop {
            let head = self.head()?;
            let status = head.split(' ').nth(1)?.parse().ok()?;
            if (100..200).contains(&status) && status != 101 {
                continue;
            }
            let (body, is_whole) = self.body(status, &head);
            return Some(Answer {
                status,
                head,
                body,
                is_whole,
            });
        }
    }

    /// A head with its empty line.
    pub(crate) fn head(&mut self) -> Option<String> {
        loop {
            if let Some(at) = find(&self.read, b"\r\n\r\n") {
                return Some(self.take(at + 4));
            }
            if !self.read_more() {
                return None;
            }
        }
    }

    fn body(&mut self, status: u16, head: &str) -> (String, bool) {
        if matches!(status, 101 | 204 | 304) {
            return (String::new(), true);
        }
        match (
            field(head, "content-length"),
            field(head, "transfer-encoding"),
        ) {
            (Some(length), _) => {
                let body = self.up_to(length.parse().unwrap());
                let is_whole = body.len().to_string() == length;
                (body, is_whole)
            }
            (None, Some(_)) => self.chunks(),
            (None, None) => (self.rest(), true),
        }
    }

    fn chunks(&mut self) -> (String, bool) {
        let mut body = String::new();
        loop {
            let Some(size) = self.line() else {
                return (body, false);
            };
            let size = usize::from_str_radix(size.trim_end(), 16).unwrap();
            let chunk = self.up_to(size);
            let is_whole = chunk.len() == size;
            body += &chunk;
            // Trailers are lines until an empty one.
            while let Some(line) = self.line().filter(|_| is_whole) {
                if line == "\r\n" && size == 0 {
                    return (body, true);
                }
                if size > 0 {
                    break;
                }
            }
            if !is_whole {
                return (body, false);
            }
        }
    }

    fn line(&mut self) -> Option<String> {
        loop {
            if let Some(at) = find(&self.read, b"\r\n") {
                return Some(self.take(at + 2));
            }
            if !self.read_more() {
                return None;
            }
        }
    }

    /// So many bytes, or fewer at the end.
    pub(crate) fn up_to(&mut self, len: usize) -> String {
        while self.read.len() < len && self.read_more() {}
        self.take(len.min(self.read.len()))
    }

    /// What has come already and was not asked for.
    pub(crate) fn read_ahead(&mut self) -> String {
        self.take(self.read.len())
    }

    /// What comes before the end of the connection.
    pub(crate) fn rest(&mut self) -> String {
        while self.read_more() {}
        self.take(self.read.len())
    }

    /// Waits a moment for the end of the connection.
    pub(crate) fn ends_within(&mut self, moment: Duration) -> bool {
        self.stream.set_read_timeout(Some(moment)).unwrap();
        let mut buffer = [0; 4096];
        let ended = match self.stream.read(&mut buffer) {
            Ok(0) => true,
            Ok(len) => {
                self.read.extend(&buffer[..len]);
                false
            }
            Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        };
        self.stream.set_read_timeout(Some(DEADLINE)).unwrap();
        ended
    }

    fn take(&mut self, len: usize) -> String {
        self.read.drain(..len).map(char::from).collect()
    }

    /// Whether more came; a reset is an end.
    fn read_more(&mut self) -> bool {
        let mut buffer = [0; 65536];
        match self.stream.read(&mut buffer) {
            Ok(0) => false,
            Ok(len) => {
                self.read.extend(&buffer[..len]);
                true
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                panic!(
                    "nothing came after {:?}",
                    String::from_utf8_lossy(&self.read)
                )
            }
            Err(_) => false,
        }
    }
}

/// The value of a field of a head.
pub(crate) fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}
