//! Keeps what connections a thread has to one server.

use std::{
    cell::{Cell, RefCell},
    fmt, io,
    net::IpAddr,
    pin::pin,
    rc::Rc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use tokio::{io::AsyncReadExt, time::Instant};
use traefikrs_http1::Buffers;
use traefikrs_tls::{ClientTls, ServerName};

use crate::{
    http2,
    peer::{Host, Https, Limits, Peer, Scheme},
    stream::Stream,
    upstreams::Stats,
};

/// What all pools of a thread share.
#[derive(Debug, Default)]
pub(crate) struct Local {
    pub(crate) buffers: Buffers,
    pub(crate) stats: Cell<Stats>,
}

impl Local {
    /// Reads what is there, into at least `room` bytes. Nothing means that the server has closed.
    pub(crate) fn poll_read(
        &self,
        stream: &mut Stream,
        room: usize,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Bytes>> {
        ready!(stream.poll_read_ready(cx))?;
        self.buffers
            .poll_read(room, |block| pin!(stream.read_buf(block)).poll(cx))
    }

    pub(crate) fn count(&self, change: impl FnOnce(&mut Stats)) {
        let mut stats = self.stats.get();
        change(&mut stats);
        self.stats.set(stats);
    }
}

/// A [`Peer`] that can be kept.
#[derive(Debug)]
pub(crate) struct Server {
    pool: u64,
    scheme: OwnedScheme,
    host: OwnedHost,
    port: u16,
}

#[derive(Debug)]
enum OwnedScheme {
    Http,
    H2c,
    Https {
        tls: ClientTls,
        server_name: ServerName<'static>,
    },
}

#[derive(Debug)]
enum OwnedHost {
    Ip(IpAddr),
    Name(Box<str>),
    Nowhere,
}

impl Server {
    fn new(peer: &Peer<'_>) -> Self {
        let scheme = match peer.scheme {
            Scheme::Http => OwnedScheme::Http,
            Scheme::H2c => OwnedScheme::H2c,
            Scheme::Https(Https { tls, server_name }) => OwnedScheme::Https {
                tls: tls.clone(),
                server_name: server_name.clone(),
            },
        };
        let host = match peer.host {
            Host::Ip(address) => OwnedHost::Ip(address),
            Host::Name(name) => OwnedHost::Name(name.into()),
            Host::Nowhere => OwnedHost::Nowhere,
        };
        Self {
            pool: peer.pool,
            scheme,
            host,
            port: peer.port,
        }
    }

    pub(crate) fn as_peer(&self) -> Peer<'_> {
        let scheme = match &self.scheme {
            OwnedScheme::Http => Scheme::Http,
            OwnedScheme::H2c => Scheme::H2c,
            OwnedScheme::Https { tls, server_name } => Scheme::Https(Https { tls, server_name }),
        };
        let host = match &self.host {
            OwnedHost::Ip(address) => Host::Ip(*address),
            OwnedHost::Name(name) => Host::Name(name),
            OwnedHost::Nowhere => Host::Nowhere,
        };
        Peer {
            pool: self.pool,
            scheme,
            host,
            port: self.port,
        }
    }
}

/// The connections to one server.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) local: Rc<Local>,
    pub(crate) server: Server,
    pub(crate) http2: http2::Shared,
    /// Whether a server with TLS could have had HTTP/2 and did not want it.
    pub(crate) prefers_http1: Cell<bool>,
    idle: RefCell<Vec<Idle>>,
}

/// What may be kept, and for how long?
#[derive(Debug, Clone, Copy)]
pub(crate) struct Retention {
    max_idle: usize,
    timeout: Option<Duration>,
}

impl From<&Limits> for Retention {
    fn from(limits: &Limits) -> Self {
        Self {
            max_idle: limits.max_idle_conns,
            timeout: limits.idle_conn_timeout,
        }
    }
}

impl Retention {
    /// Until when what falls idle now may be used again.
    pub(crate) fn deadline(self) -> Option<Instant> {
        self.timeout.map(|timeout| Instant::now() + timeout)
    }
}

struct Idle {
    stream: Stream,
    until: Option<Instant>,
}

impl fmt::Debug for Idle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Idle")
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

impl Pool {
    pub(crate) fn new(local: Rc<Local>, peer: &Peer<'_>) -> Self {
        Self {
            local,
            server: Server::new(peer),
            http2: http2::Shared::default(),
            prefers_http1: Cell::new(false),
            idle: RefCell::default(),
        }
    }

    /// The connection that was used last, if it is still good: the others get their chance to grow old.
    pub(crate) fn take(&self, now: impl FnOnce() -> Instant) -> Option<Stream> {
        let mut idle = self.idle.borrow_mut();
        if idle.is_empty() {
            return None;
        }
        let now = now();
        while let Some(mut candidate) = idle.pop() {
            if candidate.is_over(now) {
                // The last to come is the last to go.
                idle.clear();
                break;
            }
            if candidate.stream.is_quiet() {
                self.local.count(|stats| stats.reused += 1);
                return Some(candidate.stream);
            }
            self.local.count(|stats| stats.stale += 1);
        }
        None
    }

    /// Keeps a connection on which the last exchange is over, or closes it when there are enough.
    pub(crate) fn release(&self, stream: Stream, retention: Retention) {
        let mut idle = self.idle.borrow_mut();
        if idle.len() < retention.max_idle {
            idle.push(Idle {
                stream,
                until: retention.deadline(),
            });
        }
    }

    /// Closes connections that nobody could use.
    pub(crate) fn sweep(&self, now: Instant) {
        self.idle
            .borrow_mut()
            .retain_mut(|idle| !idle.is_over(now) && idle.stream.is_quiet());
        self.http2.sweep(now);
    }

    pub(crate) fn close_idle(&self) {
        self.idle.borrow_mut().clear();
        self.http2.clear();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.idle.borrow().is_empty() && self.http2.is_empty()
    }

    pub(crate) fn n_idle(&self) -> usize {
        self.idle.borrow().len()
    }
}

impl Idle {
    fn is_over(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}
