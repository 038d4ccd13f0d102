//! Holds a conversation with a proxy and writes down every answer.

use std::borrow::Cow;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use super::generate::Conversation;
use super::sticky;
use super::wire::{Body, Framing, Head, Stop, Wire};

/// How long an answer may take before the proxy counts as silent: longer than any plan and timeout in use.
pub(super) const PATIENCE: Duration = Duration::from_millis(700);
const CONNECT_PATIENCE: Duration = Duration::from_secs(2);
/// Between the parts of a request that is sent in parts.
const PAUSE: Duration = Duration::from_millis(2);
/// More answers than a conversation can rightly have.
const ANSWERS_LIMIT: usize = 16;

/// Shows whether a connection still serves. It carries no token, and its server writes nothing down.
const PROBE: &[u8] = b"GET / HTTP/1.1\r\nHost: ready.oracle\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n";
pub(super) const PROBE_ANSWER: &[u8] = b"ready";

/// A final answer and the interim ones before it.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    pub(super) interim: Vec<Head>,
    pub(super) head: Head,
    pub(super) body: Body,
    /// Whether another may follow, by what it says.
    pub(super) keeps: bool,
}

/// All that a proxy said.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) answers: Vec<Answer>,
    pub(super) end: End,
}

/// The state in which the last answer left the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    Open,
    Stopped(Stop),
}

pub(super) fn converse(proxy: SocketAddr, conversation: &Conversation) -> Heard {
    let mut heard = Heard {
        answers: Vec::new(),
        end: End::Open,
    };
    let stream = match connect(proxy, conversation.client) {
        Ok(stream) => stream,
        Err(stop) => {
            heard.end = End::Stopped(stop);
            return heard;
        }
    };
    let mut wire = Wire::new(stream);
    heard.end = match speak(&mut wire, conversation, &mut heard.answers) {
        Ok(()) => probe(&mut wire, &mut heard.answers),
        Err(stop) => ended(&mut wire, stop),
    };
    wire.close();
    heard
}

/// Whether the proxy serves its configuration.
pub(super) fn is_ready(proxy: SocketAddr) -> bool {
    let Ok(stream) = connect(proxy, None) else {
        return false;
    };
    probe(&mut Wire::new(stream), &mut Vec::new()) == End::Open
}

pub(super) fn connect(proxy: SocketAddr, client: Option<Ipv4Addr>) -> Result<TcpStream, Stop> {
    let stream = match client {
        None => TcpStream::connect_timeout(&proxy, CONNECT_PATIENCE),
        Some(client) => connect_from(client, proxy),
    };
    let stream = stream.map_err(|_| Stop::Reset)?;
    let configured = stream
        .set_read_timeout(Some(PATIENCE))
        .and_then(|()| stream.set_nodelay(true));
    configured.map(|()| stream).map_err(|_| Stop::Reset)
}

fn connect_from(client: Ipv4Addr, proxy: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((client, 0)).into())?;
    socket.connect_timeout(&proxy.into(), CONNECT_PATIENCE)?;
    Ok(socket.into())
}

/// Sends the requests and collects an answer to each, as long as the connection lives.
fn speak(
    wire: &mut Wire,
    conversation: &Conversation,
    answers: &mut Vec<Answer>,
) -> Result<(), Stop> {
    if conversation.pipelined {
        let all: Vec<u8> = conversation
            .exchanges
            .iter()
            .flat_map(|exchange| exchange.raw.clone())
            .collect();
        send(wire, &all, conversation.in_parts);
    }
    for exchange in &conversation.exchanges {
        if !conversation.pipelined {
            let raw = with_issued_cookies(&exchange.raw, answers);
            send(wire, &raw, conversation.in_parts);
        }
        if !listen(wire, exchange.is_head(), answers)? {
            return Err(wire.body(Framing::ToEnd).cut.unwrap_or(Stop::Closed));
        }
    }
    Ok(())
}

fn with_issued_cookies<'r>(raw: &'r [u8], answers: &[Answer]) -> Cow<'r, [u8]> {
    if !sticky::says_issued(raw) {
        return Cow::Borrowed(raw);
    }
    let set = answers
        .iter()
        .flat_map(|answer| answer.head.values("set-cookie"))
        .filter_map(|value| std::str::from_utf8(value).ok());
    Cow::Owned(sticky::with_issued(raw, set))
}

/// A failure to send shows in what is heard.
fn send(wire: &mut Wire, bytes: &[u8], in_parts: bool) {
    if !in_parts {
        drop(wire.write(bytes));
        return;
    }
    for part in bytes.chunks((bytes.len() / 3).max(1)) {
        drop(wire.write(part));
        thread::sleep(PAUSE);
    }
}

/// Adds one final answer and tells whether the connection outlives it.
fn listen(wire: &mut Wire, to_head: bool, answers: &mut Vec<Answer>) -> Result<bool, Stop> {
    let mut answer = Answer::default();
    loop {
        answer.head = wire.head()?;
        if !answer.head.line.starts_with(b"HTTP/1.") {
            return Err(Stop::Nonsense);
        }
        let status = status(&answer.head);
        let framing = match status {
            101 => Framing::ToEnd,
            100..200 => {
                answer.interim.push(std::mem::take(&mut answer.head));
                continue;
            }
            204 | 304 => Framing::None,
            _ if to_head => Framing::None,
            _ => answer.head.framing().unwrap_or(Framing::ToEnd),
        };
        answer.body = wire.body(framing);
        answer.keeps = framing != Framing::ToEnd && keeps_alive(&answer.head);
        let lives = answer.keeps && answer.body.cut.is_none();
        answers.push(answer);
        return Ok(lives);
    }
}

fn probe(wire: &mut Wire, answers: &mut Vec<Answer>) -> End {
    send(wire, PROBE, false);
    for _ in 0..ANSWERS_LIMIT {
        match listen(wire, false, answers) {
            Ok(lives) => {
                let probed = answers
                    .pop_if(|answer| answer.body.bytes == PROBE_ANSWER)
                    .is_some();
                if probed {
                    return End::Open;
                }
                if !lives {
                    return ended(wire, Stop::Closed);
                }
            }
            Err(stop) => return ended(wire, stop),
        }
    }
    End::Stopped(Stop::Nonsense)
}

fn ended(wire: &mut Wire, stop: Stop) -> End {
    // How much has come of what is no answer is chance.
    let is_rubble = !wire.rest().is_empty();
    End::Stopped(if is_rubble { Stop::Nonsense } else { stop })
}

fn status(head: &Head) -> u16 {
    let code = head
        .line
        .split(|&byte| byte == b' ')
        .nth(1)
        .unwrap_or_default();
    std::str::from_utf8(code)
        .ok()
        .and_then(|code| code.parse().ok())
        .unwrap_or(0)
}

fn keeps_alive(head: &Head) -> bool {
    let says = |token: &str| {
        head.values("connection").any(|value| {
            value
                .to_ascii_lowercase()
                .windows(token.len())
                .any(|part| part == token.as_bytes())
        })
    };
    !says("close") && (says("keep-alive") || !head.line.starts_with(b"HTTP/1.0"))
}
