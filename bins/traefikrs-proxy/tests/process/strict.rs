//! A server that takes nothing on trust: what reaches it is read by the letter of RFC 9112, and written down.
//!
//! The reader is independent of the proxy's. It knows none of the liberties that the grammar allows a recipient to take:
//! where two servers could read the same bytes differently, it finds a fault.

use std::fmt;
use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use tokio::time::Instant;

use crate::proxy::{DEADLINE, PAUSE, await_true};

pub(crate) struct Strict {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    requests: Vec<Request>,
    /// Requests that are being read.
    under_way: usize,
}

/// What came, as far as it came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) line: String,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: String,
    pub(crate) trailers: Vec<(String, String)>,
    /// Why it is no request.
    pub(crate) fault: Option<Fault>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection ended in the middle: no server acts on that.
    BrokenOff,
    /// It is not what the grammar says, or another server could read it in another way.
    Malformed(String),
}

impl Strict {
    pub(crate) fn start() -> Self {
        Self::answering("ok")
    }

    pub(crate) fn answering(body: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::<Mutex<Seen>>::default();
        let shared = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let seen = Arc::clone(&shared);
                thread::spawn(move || serve(stream.unwrap(), body, &seen));
            }
        });
        Self { address, seen }
    }

    /// Forgets what came so far, once nothing is under way any more and so many came to their end, and tells it; if they
    /// do not come, tells what did.
    pub(crate) fn take(&self, at_least: usize) -> Vec<Request> {
        let start = Instant::now();
        loop {
            let mut seen = self.seen.lock().unwrap();
            let is_over = |request: &&Request| request.fault != Some(Fault::BrokenOff);
            let n_over = seen.requests.iter().filter(is_over).count();
            if seen.under_way == 0 && n_over >= at_least || start.elapsed() > DEADLINE {
                return std::mem::take(&mut seen.requests);
            }
            drop(seen);
            thread::sleep(PAUSE);
        }
    }
}

fn serve(stream: TcpStream, body: &str, seen: &Mutex<Seen>) {
    let length = body.len();
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}");
    let mut answers = stream.try_clone().unwrap();
    let mut reader = Reader(BufReader::new(stream));
    loop {
        let Ok(first) = reader.byte() else { return };
        seen.lock().unwrap().under_way += 1;
        let mut request = Request::default();
        request.fault = reader.read(first, &mut request).err();
        let is_whole = request.fault.is_none();
        {
            let mut seen = seen.lock().unwrap();
            seen.under_way -= 1;
            seen.requests.push(request);
        }
        if !is_whole || answers.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

struct Reader(BufReader<TcpStream>);

type Reading<T> = Result<T, Fault>;

impl Reader {
    fn byte(&mut self) -> Reading<u8> {
        let mut byte = [0];
        self.0.read_exact(&mut byte).map_err(|_| Fault::BrokenOff)?;
        Ok(byte[0])
    }

    /// A line that ends in CR LF and holds no other CR or LF, nor a NUL.
    fn line(&mut self, first: Option<u8>) -> Reading<Vec<u8>> {
        let mut line = Vec::from_iter(first);
        loop {
            match self.byte()? {
                b'\r' if self.byte()? == b'\n' => break,
                b'\r' => return malformed("bare CR"),
                b'\n' => return malformed("bare LF"),
                0 => return malformed("NUL"),
                byte => line.push(byte),
            }
        }
        Ok(line)
    }

    fn read(&mut self, first: u8, request: &mut Request) -> Reading<()> {
        let line = self.line(Some(first))?;
        request.line = text(&line).trim_end_matches(" HTTP/1.1").to_owned();
        check_request_line(&line)?;
        request.fields = self.fields()?;
        match framing(&request.fields)? {
            Framing::None => Ok(()),
            Framing::Length(length) => self.exactly(length, &mut request.body),
            Framing::Chunks => {
                self.chunks(&mut request.body)?;
                request.trailers = self.fields()?;
                check_trailers(&request.trailers)
            }
        }
    }

    /// Fields up to the empty line.
    fn fields(&mut self) -> Reading<Vec<(String, String)>> {
        let mut fields = Vec::new();
        loop {
            let line = self.line(None)?;
            if line.is_empty() {
                return Ok(fields);
            }
            let Some(colon) = line.iter().position(|&byte| byte == b':') else {
                return malformed(format!("field without colon: {}", text(&line)));
            };
            let (name, value) = (&line[..colon], &line[colon + 1..]);
            if name.is_empty() || !name.iter().all(|&byte| is_token(byte)) {
                return malformed(format!("field name {:?}", text(name)));
            }
            if value
                .iter()
                .any(|&byte| byte < b' ' && byte != b'\t' || byte == 0x7f)
            {
                return malformed(format!("field value {:?}", text(value)));
            }
            fields.push((text(name).to_ascii_lowercase(), text(value.trim_ascii())));
        }
    }

    fn chunks(&mut self, body: &mut String) -> Reading<()> {
        loop {
            let size = self.line(None)?;
            // Sixteen digits are more than any body needs, and fewer than overflow.
            if size.is_empty() || size.len() > 15 || !size.iter().all(u8::is_ascii_hexdigit) {
                return malformed(format!("chunk size {:?}", text(&size)));
            }
            let size = u64::from_str_radix(&text(&size), 16).unwrap();
            if size == 0 {
                return Ok(());
            }
            self.exactly(size, body)?;
            if !self.line(None)?.is_empty() {
                return malformed("chunk longer than its size");
            }
        }
    }

    fn exactly(&mut self, length: u64, body: &mut String) -> Reading<()> {
        for _ in 0..length {
            body.push(char::from(self.byte()?));
        }
        Ok(())
    }
}

enum Framing {
    None,
    Length(u64),
    Chunks,
}

fn check_request_line(line: &[u8]) -> Reading<()> {
    let words: Vec<&[u8]> = line.split(|&byte| byte == b' ').collect();
    let [method, target, b"HTTP/1.1"] = words[..] else {
        return malformed(format!("request line {:?}", text(line)));
    };
    let is_method = !method.is_empty() && method.iter().all(|&byte| is_token(byte));
    let is_target = (target.starts_with(b"/") || target == b"*")
        && target.iter().all(u8::is_ascii_graphic)
        && !target.contains(&b'#');
    if is_method && is_target {
        Ok(())
    } else {
        malformed(format!("request line {:?}", text(line)))
    }
}

fn framing(fields: &[(String, String)]) -> Reading<Framing> {
    let all = |wanted: &str| -> Vec<&str> {
        let found = fields.iter().filter(|(name, _)| name == wanted);
        found.map(|(_, value)| value.as_str()).collect()
    };
    if all("host").len() != 1 {
        return malformed(format!("{} times Host", all("host").len()));
    }
    // Servers that take `_` for `-` would see another framing.
    if let Some((alias, _)) = fields
        .iter()
        .find(|(name, _)| matches!(name.as_str(), "content_length" | "transfer_encoding"))
    {
        return malformed(format!("alias {alias}"));
    }
    match (&all("content-length")[..], &all("transfer-encoding")[..]) {
        ([], []) => Ok(Framing::None),
        ([length], []) if is_number(length) => Ok(Framing::Length(length.parse().unwrap())),
        ([], ["chunked"]) => Ok(Framing::Chunks),
        both => malformed(format!("framed by {both:?}")),
    }
}

/// RFC 9110 §6.5.1.
fn check_trailers(trailers: &[(String, String)]) -> Reading<()> {
    let forbidden = [
        "content-length",
        "transfer-encoding",
        "host",
        "connection",
        "trailer",
        "te",
        "upgrade",
        "expect",
        "authorization",
        "cookie",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-real-ip",
        "forwarded",
    ];
    match trailers
        .iter()
        .find(|(name, _)| forbidden.contains(&name.as_str()))
    {
        Some((name, _)) => malformed(format!("trailer {name}")),
        None => Ok(()),
    }
}

fn is_number(text: &str) -> bool {
    (1..19).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn malformed<T>(what: impl Into<String>) -> Reading<T> {
    Err(Fault::Malformed(what.into()))
}

/// Each byte is a character.
fn text(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// `POST /path @host [body] {name: value}`, without what is usual or empty, and with `…` where it was broken off.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, body, .. } = self;
        write!(f, "{line}")?;
        let host = self.fields.iter().find(|(name, _)| name == "host");
        if let Some((_, host)) = host.filter(|(_, host)| host != "x") {
            write!(f, " @{host}")?;
        }
        if !body.is_empty() {
            write!(f, " [{}]", body.escape_debug())?;
        }
        for (name, value) in &self.trailers {
            write!(f, " {{{name}: {value}}}")?;
        }
        match &self.fault {
            None => Ok(()),
            Some(Fault::BrokenOff) => write!(f, " …"),
            Some(Fault::Malformed(what)) => write!(f, " MALFORMED: {what}"),
        }
    }
}

#[test]
fn the_strict_reader_finds_faults() {
    let check = |bytes: &str, expected: &str| {
        let server = Strict::start();
        let mut client = TcpStream::connect(server.address).unwrap();
        client.write_all(bytes.as_bytes()).unwrap();
        client.shutdown(std::net::Shutdown::Write).unwrap();
        let mut requests = Vec::new();
        await_true("the request", || {
            requests.extend(server.take(0).iter().map(Request::to_string));
            !requests.is_empty()
        });
        assert_eq!(requests, [expected], "{bytes:?}");
    };
    let h = "Host: x\r\n";
    check(&format!("GET / HTTP/1.1\r\n{h}\r\n"), "GET /");
    check(
        &format!("POST / HTTP/1.1\r\n{h}Content-Length: 2\r\n\r\nab"),
        "POST / [ab]",
    );
    check(
        &format!("POST / HTTP/1.1\r\n{h}Content-Length: 3\r\n\r\nab"),
        "POST / [ab] …",
    );
    check(
        &format!("POST / HTTP/1.1\r\n{h}Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"),
        "POST / [a]",
    );
    for (head, body, fault) in [
        (
            "Content-Length: 1\r\nContent-Length: 1\r\n",
            "a",
            "framed by",
        ),
        ("Content-Length: +1\r\n", "a", "framed by"),
        (
            "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
            "0\r\n\r\n",
            "framed by",
        ),
        ("Transfer-Encoding: xchunked\r\n", "", "framed by"),
        ("Transfer-Encoding : chunked\r\n", "", "field name"),
        ("Content_Length: 1\r\n", "", "alias"),
        ("X: a\0b\r\n", "", "NUL"),
        ("X: a\rb\r\n", "", "bare CR"),
        ("X: a\nY: b\r\n", "", "bare LF"),
        (" X: a\r\n", "", "field name"),
        ("Host: y\r\n", "", "2 times Host"),
        (
            "Transfer-Encoding: chunked\r\n",
            "1;a\r\na\r\n0\r\n\r\n",
            "chunk size",
        ),
        (
            "Transfer-Encoding: chunked\r\n",
            "1\r\nab\r\n0\r\n\r\n",
            "chunk longer",
        ),
        (
            "Transfer-Encoding: chunked\r\n",
            "0\r\nHost: y\r\n\r\n",
            "trailer host",
        ),
    ] {
        let server = Strict::start();
        let mut client = TcpStream::connect(server.address).unwrap();
        write!(client, "POST / HTTP/1.1\r\n{h}{head}\r\n{body}").unwrap();
        client.shutdown(std::net::Shutdown::Write).unwrap();
        match &server.take(1)[0].fault {
            Some(Fault::Malformed(found)) => assert!(found.starts_with(fault), "{head:?}: {found}"),
            other => panic!("{head:?}: {other:?}"),
        }
    }
}
