//! Servers that write down what reaches them and answer as asked.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;

use super::answers::{self, Plan, Plans, Then, When};
use super::generate::token_in;
use super::wire::{Body, Framing, Head, Stop, Wire};

/// How long a server waits for the rest of a body.
const PATIENCE: Duration = Duration::from_secs(1);

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
}

/// A request as a server saw it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) backend: &'static str,
    pub(super) head: Head,
    /// Unknown when the answer does not await it: how much of it arrives is chance.
    pub(super) body: Option<Body>,
}

/// What reached the servers of one side, by the request's token.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    entries: Mutex<Entries>,
    closed: Condvar,
}

#[derive(Debug, Default)]
struct Entries {
    /// Each with whether it is complete.
    by_token: BTreeMap<String, Vec<(bool, Seen)>>,
    by_backend: BTreeMap<&'static str, usize>,
}

impl Ledger {
    /// Everything under the tokens, once it is complete or `patience` has run out.
    pub(super) fn take(&self, tokens: &[&str], patience: Duration) -> Vec<Vec<Seen>> {
        let open = |entries: &mut Entries| {
            tokens.iter().any(|token| {
                entries
                    .by_token
                    .get(*token)
                    .is_some_and(|seen| seen.iter().any(|(complete, _)| !complete))
            })
        };
        let (mut entries, _) = self
            .closed
            .wait_timeout_while(self.lock(), patience, open)
            .unwrap_or_else(PoisonError::into_inner);
        tokens
            .iter()
            .map(|token| {
                let seen = entries.by_token.remove(*token).unwrap_or_default();
                seen.into_iter().map(|(_, seen)| seen).collect()
            })
            .collect()
    }

    /// What carries no token. Entries with one that are left came too late to be judged.
    pub(super) fn take_strays(&self) -> Vec<Seen> {
        let mut entries = std::mem::take(&mut self.lock().by_token);
        entries
            .remove("")
            .unwrap_or_default()
            .into_iter()
            .map(|(_, seen)| seen)
            .collect()
    }

    /// How many requests each server got since this was last asked.
    pub(super) fn take_counts(&self) -> BTreeMap<&'static str, usize> {
        std::mem::take(&mut self.lock().by_backend)
    }

    fn open(&self, token: &str, seen: Seen) -> usize {
        let mut entries = self.lock();
        let list = entries.by_token.entry(token.to_owned()).or_default();
        let backend = seen.backend;
        list.push((false, seen));
        let index = list.len() - 1;
        // Asking the same server again takes no turn of the balancer's.
        if index == 0 {
            *entries.by_backend.entry(backend).or_default() += 1;
        }
        index
    }

    fn close(&self, token: &str, index: usize, body: Option<Body>) {
        let mut entries = self.lock();
        // The reader may have lost its patience and taken the entry.
        if let Some((complete, seen)) = entries
            .by_token
            .get_mut(token)
            .and_then(|list| list.get_mut(index))
        {
            *complete = true;
            seen.body = body;
        }
        self.closed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts a server; it ends with the process.
pub(super) fn start(
    name: &'static str,
    temper: Temper,
    listener: TcpListener,
    ledger: &Arc<Ledger>,
    plans: &Arc<Plans>,
) -> anyhow::Result<()> {
    let (ledger, plans) = (Arc::clone(ledger), Arc::clone(plans));
    thread::Builder::new()
        .spawn(move || {
            for stream in listener.incoming().flatten() {
                if temper == Temper::Closing {
                    continue;
                }
                let server = Server {
                    name,
                    temper,
                    ledger: Arc::clone(&ledger),
                    plans: Arc::clone(&plans),
                };
                thread::spawn(move || server.serve(stream));
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

struct Server {
    name: &'static str,
    temper: Temper,
    ledger: Arc<Ledger>,
    plans: Arc<Plans>,
}

impl Server {
    fn serve(&self, stream: TcpStream) {
        // Small answers must not wait for acknowledgements; without it the run is merely slower.
        drop(stream.set_nodelay(true));
        let mut wire = Wire::new(stream);
        loop {
            let unlimited = wire.wait_at_most(None);
            let Ok(head) = wire.head() else { return };
            let then = match self.temper {
                Temper::Ready => self.ready(&mut wire),
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

    fn ready(&self, wire: &mut Wire) -> Then {
        let sent = wire.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nready");
        if sent.is_ok() {
            Then::Keep
        } else {
            Then::Close
        }
    }

    fn exchange(&self, wire: &mut Wire, head: Head) -> Then {
        let token = token_in(&head);
        let plan = self.plans.named(head.text(answers::FIELD)).clone();
        let framing = head.framing().unwrap_or(Framing::None);
        let with_body = !head.line.starts_with(b"HEAD ");
        let expects = head
            .text("expect")
            .is_some_and(|value| value.eq_ignore_ascii_case("100-continue"));
        let entry = self.ledger.open(
            &token,
            Seen {
                backend: self.name,
                head,
                body: None,
            },
        );
        if wire.wait_at_most(Some(PATIENCE)).is_err() {
            return Then::Close;
        }
        if self.temper == Temper::Silent {
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
        let mut bytes = plan.head(self.name);
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

impl Seen {
    /// Whether the proxy broke off.
    pub(super) fn end(&self) -> String {
        match self.body.as_ref().map(|body| body.cut) {
            None => "not awaited".to_owned(),
            Some(None) => "complete".to_owned(),
            // A broken-off request ends by a close or a reset as the kernel sees fit.
            Some(Some(Stop::Closed | Stop::Reset)) => "broken off".to_owned(),
            Some(Some(stop)) => stop.to_string(),
        }
    }
}
