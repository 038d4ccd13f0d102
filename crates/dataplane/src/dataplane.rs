use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{HeaderValue, Response};
use tokio::sync::watch;
use traefikrs_compile::{Generation, Report};

use crate::health_check;
use crate::listen;
use crate::options::Options;
use crate::worker::{self, Shared};

/// What answers for `api@internal`, from the report of the generation that serves the request.
pub type Api = Arc<dyn Fn(&http::request::Parts, &Report) -> Response<Bytes> + Send + Sync>;

/// Starts serving.
#[derive(Debug)]
pub struct Dataplane;

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address} for entry point {entry_point}")]
    Listen {
        /// The entry point.
        entry_point: String,
        /// Its address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// A thread cannot be started.
    #[error("cannot start a worker thread")]
    Thread(#[source] io::Error),
    /// The name of this machine is not known, or no name.
    #[error("cannot tell the name of this machine for X-Forwarded-Server")]
    ServerName,
}

impl Dataplane {
    /// Listens on every entry point and serves what is published, now and later.
    ///
    /// # Errors
    /// When an address is taken or a thread cannot be had; then nothing listens.
    pub fn start(
        options: Options,
        published: Arc<ArcSwap<Generation>>,
        api: Option<Api>,
    ) -> Result<Running, StartError> {
        let n_workers = options.workers.max(1);
        let server_name = options
            .server_name
            .or_else(machine_name)
            .unwrap_or_default();
        let shared = Arc::new(Shared {
            published,
            api,
            ping: options.ping,
            server_name: HeaderValue::try_from(server_name).map_err(|_| StartError::ServerName)?,
            n_workers,
            is_terminating: AtomicBool::new(false),
            shutdown: watch::Sender::new(false),
        });
        let mut addresses = Vec::new();
        let mut per_worker: Vec<Vec<_>> = (0..n_workers).map(|_| Vec::new()).collect();
        for entry_point in options.entry_points {
            let refused = |source| StartError::Listen {
                entry_point: entry_point.name.clone(),
                address: entry_point.address,
                source,
            };
            let listeners = listen::bind(&entry_point, n_workers).map_err(refused)?;
            let address = listeners[0].local_addr().map_err(refused)?;
            addresses.push((entry_point.name.clone(), address));
            let entry_point = Arc::new(entry_point);
            for (listeners_of_worker, listener) in per_worker.iter_mut().zip(listeners) {
                listeners_of_worker.push((Arc::clone(&entry_point), listener));
            }
        }
        let mut running = Running {
            addresses,
            shared,
            threads: Vec::new(),
        };
        for (index, listeners) in per_worker.into_iter().enumerate() {
            let shared = Arc::clone(&running.shared);
            let thread = thread::Builder::new()
                .name(format!("worker-{index}"))
                .spawn(move || worker::run(&shared, listeners))
                .map_err(StartError::Thread)?;
            running.threads.push(thread);
        }
        let shared = Arc::clone(&running.shared);
        let checks = thread::Builder::new()
            .name("health-checks".to_owned())
            .spawn(move || health_check::run(&shared.published, shared.shutdown.subscribe()))
            .map_err(StartError::Thread)?;
        running.threads.push(checks);
        Ok(running)
    }
}

/// Worker threads that serve. Dropping it begins shutdown.
pub struct Running {
    addresses: Vec<(String, SocketAddr)>,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<io::Result<()>>>,
}

impl Running {
    /// Each entry point and where it listens, which tells the port that port 0 became.
    pub fn addresses(&self) -> impl Iterator<Item = (&str, SocketAddr)> {
        self.addresses
            .iter()
            .map(|(name, address)| (name.as_str(), *address))
    }

    /// Where the entry point of this name listens.
    pub fn address(&self, entry_point: &str) -> Option<SocketAddr> {
        self.addresses()
            .find(|&(name, _)| name == entry_point)
            .map(|(_, address)| address)
    }

    /// Begins shutdown and returns at once.
    ///
    /// `ping@internal` answers its terminating status from now on. Each entry point goes on accepting for its
    /// `request_accept_grace`; then it stops listening, tells idle clients to go, and gives requests under way its
    /// `grace` to end before they are cut.
    pub fn shutdown(&self) {
        self.shared.is_terminating.store(true, Ordering::Relaxed);
        self.shared.shutdown.send_replace(true);
    }

    /// Blocks until shutdown is complete.
    ///
    /// # Errors
    /// When a worker could not serve at all, or panicked outside a connection.
    pub fn wait(mut self) -> io::Result<()> {
        let mut outcome = Ok(());
        for thread in self.threads.drain(..) {
            let ended = thread
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("a worker thread panicked")));
            outcome = outcome.and(ended);
        }
        outcome
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown();
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running")
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

/// What the kernel calls this machine.
fn machine_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim().to_owned())
}
