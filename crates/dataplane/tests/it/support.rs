use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use arc_swap::ArcSwap;
use serde_json::{Value, json};
use traefikrs_compile::{Generation, Options as CompileOptions, compile};
use traefikrs_dataplane::{Api, Dataplane, EntryPointOptions, Options, PingOptions, Running};

/// Longer than anything that is waited for should take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A data plane with one entry point, `web`.
pub(crate) struct Proxy {
    pub(crate) running: Running,
    published: Arc<ArcSwap<Generation>>,
    pub(crate) address: SocketAddr,
}

impl Proxy {
    /// Everything goes to one server.
    pub(crate) fn to(server: SocketAddr) -> Self {
        Self::with(&to(server), |_| {})
    }

    pub(crate) fn with(http: &Value, change: impl FnOnce(&mut EntryPointOptions)) -> Self {
        Self::start(1, http, change, None)
    }

    pub(crate) fn with_api(http: &Value, api: Api) -> Self {
        Self::start(1, http, |_| {}, Some(api))
    }

    pub(crate) fn with_workers(workers: usize, http: &Value) -> Self {
        Self::start(workers, http, |_| {}, None)
    }

    fn start(
        workers: usize,
        http: &Value,
        change: impl FnOnce(&mut EntryPointOptions),
        api: Option<Api>,
    ) -> Self {
        let mut web = EntryPointOptions::new("web", "127.0.0.1:0".parse().unwrap());
        change(&mut web);
        let published = Arc::new(ArcSwap::from_pointee(compiled(http, None)));
        let options = Options {
            workers,
            entry_points: vec![web],
            ping: PingOptions::default(),
            server_name: Some("here".to_owned()),
        };
        let running = Dataplane::start(options, Arc::clone(&published), api).unwrap();
        let address = running.address("web").unwrap();
        Self {
            running,
            published,
            address,
        }
    }

    /// Serves until the tests end.
    pub(crate) fn leak(self) -> SocketAddr {
        let address = self.address;
        Box::leak(Box::new(self));
        address
    }

    pub(crate) fn publish(&self, http: &Value) {
        let generation = compiled(http, Some(&self.published.load()));
        self.published.store(Arc::new(generation));
    }

    pub(crate) fn connect(&self) -> Client {
        Client::connect(self.address)
    }

    /// One request on a connection of its own.
    pub(crate) fn ask(&self, request: &str) -> Response {
        self.ask_bytes(request.as_bytes())
    }

    pub(crate) fn ask_bytes(&self, request: &[u8]) -> Response {
        let mut client = self.connect();
        client.send(request);
        client.response()
    }
}

/// A configuration in which everything goes to one server.
pub(crate) fn to(server: SocketAddr) -> Value {
    to_url(&format!("http://{server}"))
}

pub(crate) fn to_url(url: &str) -> Value {
    json!({
        "routers": { "all": { "rule": "PathPrefix(`/`) || PathRegexp(`.*`)", "service": "server" } },
        "services": { "server": { "loadBalancer": { "servers": [{ "url": url }] } } },
    })
}

fn compiled(http: &Value, previous: Option<&Generation>) -> Generation {
    let mut http = http.clone();
    for kind in ["routers", "services", "middlewares"] {
        let Some(objects) = http.get_mut(kind).and_then(Value::as_object_mut) else {
            continue;
        };
        *objects = std::mem::take(objects)
            .into_iter()
            .map(|(name, mut object)| {
                if kind == "routers" && object.get("parentRefs").is_none() {
                    object["entryPoints"] = json!(["web"]);
                }
                let name = if name.contains('@') {
                    name
                } else {
                    format!("{name}@file")
                };
                (name, object)
            })
            .collect();
    }
    let configuration = serde_json::from_value(json!({ "http": http })).unwrap();
    let options = CompileOptions {
        entry_points: [("web".to_owned(), Default::default())].into(),
        ..CompileOptions::default()
    };
    let generation = compile(&configuration, &options, previous);
    assert!(
        generation.report.diagnostics.is_empty(),
        "{:?}",
        generation.report.diagnostics
    );
    generation
}

/// A client's end of a connection.
pub(crate) struct Client {
    stream: TcpStream,
    read: Vec<u8>,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Response {
    /// The head, without its last empty line.
    pub(crate) head: String,
    /// The body, chunks joined.
    pub(crate) body: String,
    /// What followed the last chunk.
    pub(crate) trailers: String,
}

impl Response {
    pub(crate) fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    /// The head, its date taken out.
    pub(crate) fn undated_head(&self) -> String {
        let lines: Vec<_> = self
            .head
            .lines()
            .filter(|line| !line.starts_with("Date: "))
            .collect();
        lines.join("\n")
    }
}

/// The only value of a header.
pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut values = head.lines().skip(1).filter_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then_some(value.trim())
    });
    let value = values.next();
    assert_eq!(values.next(), None, "{name} comes twice in {head}");
    value
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::new(TcpStream::connect(address).unwrap())
    }

    pub(crate) fn new(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            read: Vec::new(),
        }
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    /// Whether all of it is taken before a second has passed without anything being taken.
    pub(crate) fn try_send(&mut self, bytes: &[u8]) -> bool {
        self.stream
            .set_write_timeout(Some(Duration::from_secs(1)))
            .unwrap();
        self.stream.write_all(bytes).is_ok()
    }

    /// Another end of the same connection, with nothing read.
    pub(crate) fn twin(&self) -> Self {
        Self::new(self.stream.try_clone().unwrap())
    }

    pub(crate) fn half_close(&self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// Reads a response, by its framing.
    pub(crate) fn response(&mut self) -> Response {
        let head = self.head();
        let (body, trailers) = match (
            header(&head, "content-length"),
            header(&head, "transfer-encoding"),
        ) {
            _ if head.contains(" 304 ") || head.contains(" 101 ") => Default::default(),
            (Some(length), None) => (self.exactly(length.parse().unwrap()), String::new()),
            (None, Some("chunked")) => self.chunks(),
            (None, None) => (self.rest(), String::new()),
            both => panic!("framed twice: {both:?}"),
        };
        Response {
            head,
            body,
            trailers,
        }
    }

    /// Reads a head, without its last empty line.
    pub(crate) fn head(&mut self) -> String {
        let mut head = self.until("\r\n\r\n");
        head.truncate(head.len() - 4);
        head
    }

    pub(crate) fn chunks(&mut self) -> (String, String) {
        let mut body = String::new();
        loop {
            let size = self.until("\r\n");
            let size = usize::from_str_radix(size.trim_end(), 16).unwrap();
            if size == 0 {
                break;
            }
            body += &self.exactly(size);
            assert_eq!(self.exactly(2), "\r\n");
        }
        let mut trailers = String::new();
        loop {
            let line = self.until("\r\n");
            if line == "\r\n" {
                return (body, trailers);
            }
            trailers += &line;
        }
    }

    pub(crate) fn until(&mut self, end: &str) -> String {
        loop {
            let found = self
                .read
                .windows(end.len())
                .position(|window| window == end.as_bytes());
            if let Some(at) = found {
                return self.take(at + end.len());
            }
            assert_ne!(
                self.read_some(),
                0,
                "ended after {:?}",
                String::from_utf8_lossy(&self.read)
            );
        }
    }

    pub(crate) fn exactly(&mut self, len: usize) -> String {
        while self.read.len() < len {
            assert_ne!(
                self.read_some(),
                0,
                "ended after {:?}",
                String::from_utf8_lossy(&self.read)
            );
        }
        self.take(len)
    }

    /// What comes before the end of the stream.
    pub(crate) fn rest(&mut self) -> String {
        while self.read_some() > 0 {}
        self.take(self.read.len())
    }

    fn take(&mut self, len: usize) -> String {
        let bytes: Vec<u8> = self.read.drain(..len).collect();
        bytes.into_iter().map(char::from).collect()
    }

    fn read_some(&mut self) -> usize {
        let mut buffer = [0; 65536];
        match self.stream.read(&mut buffer) {
            Ok(len) => {
                self.read.extend(&buffer[..len]);
                len
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => 0,
            Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(&self.read)),
        }
    }
}

/// Starts a server that hands each connection to `serve`, on a thread of its own.
pub(crate) fn server(serve: impl Fn(Client) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let serve = Arc::clone(&serve);
            thread::spawn(move || serve(Client::new(stream.unwrap())));
        }
    });
    address
}

/// A server that answers each request with the request as it came, headers sorted.
pub(crate) fn echo() -> SocketAddr {
    server(|mut client| {
        while client.has_more() {
            let head = client.head();
            let body = match header(&head, "content-length") {
                Some(length) => client.exactly(length.parse().unwrap()),
                None if head.contains("chunked") => {
                    let (body, trailers) = client.chunks();
                    body + &trailers
                }
                None => String::new(),
            };
            let (line, headers) = head.split_once("\r\n").unwrap_or((&head, ""));
            let mut headers: Vec<_> = headers.split("\r\n").collect();
            headers.sort_unstable();
            let text = format!("{line}\n{}\n\n{body}", headers.join("\n"));
            let text: Vec<u8> = text
                .chars()
                .map(|char| u8::try_from(u32::from(char)).unwrap())
                .collect();
            client.send(format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
                text.len()
            ));
            client.send(text);
        }
    })
}

/// A server that answers each request, which has no body, with the same bytes.
pub(crate) fn answers(answer: impl Into<Vec<u8>>) -> SocketAddr {
    let answer = answer.into();
    server(move |mut client| {
        while client.has_more() {
            client.head();
            client.send(&answer);
        }
    })
}

/// A request as a server saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Seen {
    /// The target.
    pub(crate) fn target(&self) -> &str {
        self.head.split(' ').nth(1).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }
}

/// What a server has seen, in order.
pub(crate) struct Record(Receiver<Seen>);

impl Record {
    /// The next request, which is on its way.
    pub(crate) fn next(&self) -> Seen {
        self.0.recv_timeout(PATIENCE).unwrap()
    }

    /// Whether nothing has come so far.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.try_recv().is_err()
    }
}

/// A server that writes down each request and hands it to `answer`.
pub(crate) fn recorder(
    answer: impl Fn(&Seen, &mut Client) + Send + Sync + 'static,
) -> (SocketAddr, Record) {
    let (sender, receiver) = channel();
    let address = server(move |mut client| {
        while client.has_more() {
            let head = client.head();
            let body = match header(&head, "content-length") {
                Some(length) => client.exactly(length.parse().unwrap()),
                None if head.contains("chunked") => {
                    let (body, trailers) = client.chunks();
                    body + &trailers
                }
                None => String::new(),
            };
            let seen = Seen { head, body };
            // Not every record is read.
            drop(sender.send(seen.clone()));
            answer(&seen, &mut client);
        }
    });
    (address, Record(receiver))
}

/// A server that writes down each request and answers it with the same bytes.
pub(crate) fn recording(answer: &'static str) -> (SocketAddr, Record) {
    recorder(move |_, client| client.send(answer))
}

/// A service with this one server.
pub(crate) fn service(server: SocketAddr) -> Value {
    json!({ "loadBalancer": { "servers": [{ "url": format!("http://{server}") }] } })
}

impl Client {
    /// Waits for more, or for the end.
    pub(crate) fn has_more(&mut self) -> bool {
        !self.read.is_empty() || self.read_some() > 0
    }
}
