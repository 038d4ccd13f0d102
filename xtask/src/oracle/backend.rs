//! Servers that write down what reaches them and answer as asked.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Context as _;

use super::answers::{self, Plan, Plans, Then, When};
use super::generate::token_in;
use super::http2;
use super::ledger::{Ledger, Seen};
use super::tls::{self, Authority};
use super::wire::{Framing, Head, Wire};

/// How long a server waits for the rest of a body.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);
/// What health checks ask for; nobody writes it down.
const HEALTH: &[u8] = b"/oracle-health";
/// More connections than an unwilling listener takes.
const CROWD: usize = 8;

/// A server's character; what a request asks for comes second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Temper {
    Obliging,
    /// Accepts connections and closes them.
    Closing,
    /// Reads requests and never answers.
    Silent,
    /// Answers that it is there, and writes nothing down.
    Ready,
    /// Obliging, but unwell by its own account.
    Sick,
    /// Takes no connections.
    Deaf,
    /// Says this as soon as it hears anything, and ends.
    Curt(&'static [u8], Then),
}

/// One server, as a configuration names it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backend {
    pub(super) name: &'static str,
    pub(super) temper: Temper,
    pub(super) protocol: Protocol,
}

/// How a server is spoken with.
#[derive(Clone, Copy, Debug)]
pub(super) enum Protocol {
    Http1,
    /// HTTP/2 without TLS.
    H2c,
    /// TLS, with the protocols that it offers.
    Tls(&'static [&'static str]),
}

/// What all servers share.
#[derive(Debug)]
pub(super) struct Means {
    pub(super) plans: Plans,
    pub(super) http2_plans: http2::Plans,
    pub(super) authority: Authority,
}

impl Backend {
    pub(super) const fn http1(name: &'static str, temper: Temper) -> Self {
        Self {
            name,
            temper,
            protocol: Protocol::Http1,
        }
    }

    pub(super) const fn obliging(name: &'static str, protocol: Protocol) -> Self {
        Self {
            name,
            temper: Temper::Obliging,
            protocol,
        }
    }

    /// Starts it; it ends with the process.
    pub(super) fn start(
        self,
        listener: TcpListener,
        ledger: &Arc<Ledger>,
        means: &Arc<Means>,
    ) -> anyhow::Result<()> {
        if self.temper == Temper::Deaf {
            return deafen(listener);
        }
        let tls = match self.protocol {
            Protocol::Tls(offers) => Some(means.authority.server(offers)?),
            Protocol::Http1 | Protocol::H2c => None,
        };
        let server = Arc::new(Server {
            backend: self,
            ledger: Arc::clone(ledger),
            means: Arc::clone(means),
        });
        thread::Builder::new()
            .spawn(move || {
                for stream in listener.incoming().flatten() {
                    if self.temper == Temper::Closing {
                        continue;
                    }
                    let (server, tls) = (Arc::clone(&server), tls.clone());
                    thread::spawn(move || match (self.protocol, tls) {
                        (Protocol::H2c, _) => http2::serve(server, stream),
                        (_, Some(tls)) => tls::serve(server, stream, tls),
                        (_, None) => server.serve(stream),
                    });
                }
            })
            .context("cannot start a backend's thread")?;
        Ok(())
    }
}

/// Fills a listener's queue, so that whoever comes after waits for ever.
fn deafen(listener: TcpListener) -> anyhow::Result<()> {
    socket2::SockRef::from(&listener).listen(0)?;
    let address = listener.local_addr()?;
    let patience = Duration::from_millis(50);
    let crowd: Vec<TcpStream> = (0..CROWD)
        .map_while(|_| TcpStream::connect_timeout(&address, patience).ok())
        .collect();
    thread::Builder::new()
        .spawn(move || {
            let _held = (listener, crowd);
            loop {
                thread::park();
            }
        })
        .context("cannot start a backend's thread")?;
    Ok(())
}

/// Listeners on one free port of both addresses.
pub(super) fn twins(addresses: [Ipv4Addr; 2]) -> anyhow::Result<[TcpListener; 2]> {
    for _ in 0..64 {
        let first = TcpListener::bind((addresses[0], 0))
            .with_context(|| format!("cannot listen on {}", addresses[0]))?;
        let port = first.local_addr()?.port();
        if let Ok(second) = TcpListener::bind((addresses[1], port)) {
            return Ok([first, second]);
        }
    }
    anyhow::bail!(
        "no port is free on both {} and {}",
        addresses[0],
        addresses[1]
    )
}

/// A server at work.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) backend: Backend,
    pub(super) ledger: Arc<Ledger>,
    pub(super) means: Arc<Means>,
}

impl Server {
    /// Speaks HTTP/1 on this connection to its end.
    pub(super) fn serve(&self, stream: TcpStream) {
        // Small answers must not wait for acknowledgements; without it the run is merely slower.
        drop(stream.set_nodelay(true));
        let mut wire = Wire::new(stream);
        if let Temper::Curt(words, then) = self.backend.temper {
            // A failure shows at the proxy.
            drop(wire.hear().and_then(|()| wire.write(words)));
            if then == Then::Reset {
                wire.reset();
            }
            return;
        }
        loop {
            let unlimited = wire.wait_at_most(None);
            let Ok(head) = wire.head() else { return };
            let then = match self.backend.temper {
                Temper::Ready => say(&mut wire, "200 OK", "ready"),
                Temper::Sick if is_check(&head) => say(&mut wire, "503 Sick", ""),
                _ if is_check(&head) => say(&mut wire, "200 OK", ""),
                _ => self.exchange(&mut wire, head),
            };
            if unlimited.is_err() {
                return;
            }
            match then {
                Then::Keep => {}
                Then::Close => return,
                Then::Reset => return wire.reset(),
            }
        }
    }

    fn exchange(&self, wire: &mut Wire, head: Head) -> Then {
        let token = token_in(&head);
        let plan = self.means.plans.named(head.text(answers::FIELD)).clone();
        let framing = head.framing().unwrap_or(Framing::None);
        let with_body = !head.line.starts_with(b"HEAD ");
        let expects = head
            .text("expect")
            .is_some_and(|value| value.eq_ignore_ascii_case("100-continue"));
        let entry = self.ledger.open(
            &token,
            Seen {
                backend: self.backend.name,
                head,
                body: None,
            },
        );
        if wire.wait_at_most(Some(PATIENCE)).is_err() {
            return Then::Close;
        }
        if self.backend.temper == Temper::Silent {
            let body = wire.body(framing);
            self.ledger.close(&token, entry, Some(body));
            thread::sleep(PATIENCE);
            return Then::Close;
        }
        match plan.when {
            When::BeforeBody => {
                self.ledger.close(&token, entry, None);
                let then = self.answer(wire, &plan, with_body);
                // Until the body was read, closing would reset the connection under the answer.
                if then == Then::Close || wire.body(framing).cut.is_none() {
                    then
                } else {
                    Then::Close
                }
            }
            When::AfterBody => {
                if expects && wire.write(b"HTTP/1.1 100 Continue\r\n\r\n").is_err() {
                    return Then::Close;
                }
                let body = wire.body(framing);
                let complete = body.cut.is_none();
                self.ledger.close(&token, entry, Some(body));
                if complete {
                    self.answer(wire, &plan, with_body)
                } else {
                    Then::Close
                }
            }
        }
    }

    fn answer(&self, wire: &mut Wire, plan: &Plan, with_body: bool) -> Then {
        thread::sleep(Duration::from_millis(plan.wait_ms));
        let mut bytes = plan.head(self.backend.name);
        if plan.pause_ms > 0 {
            if wire.write(&bytes).is_err() {
                return Then::Close;
            }
            bytes.clear();
            thread::sleep(Duration::from_millis(plan.pause_ms));
        }
        if with_body {
            bytes.extend(plan.body());
        }
        match wire.write(&bytes) {
            Ok(()) => plan.then,
            Err(_) => Then::Close,
        }
    }
}

fn is_check(head: &Head) -> bool {
    head.line.split(|&byte| byte == b' ').nth(1) == Some(HEALTH)
}

fn say(wire: &mut Wire, status: &str, body: &str) -> Then {
    let length = body.len();
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}");
    match wire.write(answer.as_bytes()) {
        Ok(()) => Then::Keep,
        Err(_) => Then::Close,
    }
}
