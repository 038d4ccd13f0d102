//! Are the servers well? A thread of its own asks them.
//!
//! Each server is asked apart from the others, so that a slow one delays none. What they answer is noted in the state
//! that balancers look at, and which outlives generations of configuration.
//!
//! Traefik: `pkg/healthcheck`, which asks the servers of a service one after the other, and for the first time when an
//! interval is over.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::runtime::LocalOptions;
use tokio::sync::{Semaphore, watch};
use tokio::task::{AbortHandle, spawn_local};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use traefikrs_compile::compiled::{Asked, CheckedServer, Probe};
use traefikrs_compile::{Compiled, Generation as Published};
use traefikrs_lb::ServerState;
use traefikrs_upstream::Upstreams;

use crate::clock::TICK;

mod grpc;
mod http;

/// So many servers are asked at the same time.
const AT_ONCE: usize = 128;

/// Follows what is published, and asks the servers of it, until shutdown begins.
pub(crate) fn run(
    published: &ArcSwap<Published>,
    mut shutdown: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())?;
    runtime.block_on(async {
        tokio::select! {
            () = follow(published) => {}
            _ = shutdown.wait_for(|&begun| begun) => {}
        }
    });
    Ok(())
}

async fn follow(published: &ArcSwap<Published>) {
    let mut checks = Checks::default();
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let now = ticks.tick().await;
        checks.follow(&published.load().compiled);
        checks.asker.upstreams.sweep(now);
    }
}

/// The checks under way.
#[derive(Default)]
struct Checks {
    asker: Rc<Asker>,
    followed: Arc<Compiled>,
    /// By the state that answers are noted in, which those who watch hold: its address is of no other while they do.
    under_way: HashMap<*const ServerState, Watched>,
}

/// A server that is being asked.
struct Watched {
    server: Arc<CheckedServer>,
    task: AbortHandle,
}

/// What all checks share.
struct Asker {
    upstreams: Upstreams,
    permits: Semaphore,
}

impl Default for Asker {
    fn default() -> Self {
        Self {
            upstreams: Upstreams::new(),
            permits: Semaphore::new(AT_ONCE),
        }
    }
}

impl Checks {
    /// Begins to ask servers that are new, or are to be asked something else, and leaves those alone that are gone.
    ///
    /// The others go on, whatever else of their service has changed: a question to a server that does not answer must
    /// come to its end, however fast changes follow each other.
    fn follow(&mut self, compiled: &Arc<Compiled>) {
        if Arc::ptr_eq(&self.followed, compiled) {
            return;
        }
        self.followed = Arc::clone(compiled);
        let mut before = std::mem::take(&mut self.under_way);
        let checks = compiled.health_checks.iter();
        for server in checks.flat_map(|check| &check.servers) {
            let key = Arc::as_ptr(&server.state);
            let known = before.remove(&key);
            let known = known.filter(|known| known.server.is_asked_as(server));
            // A server that is listed twice is asked once.
            self.under_way
                .entry(key)
                .or_insert_with(|| known.unwrap_or_else(|| self.asker.begin(server)));
        }
    }
}

impl Asker {
    fn begin(self: &Rc<Self>, server: &Arc<CheckedServer>) -> Watched {
        let task = spawn_local(keep_asking(Rc::clone(self), Arc::clone(server)));
        Watched {
            server: Arc::clone(server),
            task: task.abort_handle(),
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn keep_asking(asker: Rc<Asker>, server: Arc<CheckedServer>) {
    loop {
        let asked_at = Instant::now();
        let outcome = ask(&asker, &server).await;
        let is_well = outcome.is_ok();
        note(&server, outcome);
        let pause = if is_well {
            server.pace.interval
        } else {
            server.pace.unhealthy_interval
        };
        sleep(pause.saturating_sub(asked_at.elapsed())).await;
    }
}

async fn ask(asker: &Asker, server: &CheckedServer) -> Result<(), Unwell> {
    let asked = server
        .asked
        .as_ref()
        .map_err(|why| Unwell::Unaskable(why.clone()))?;
    let _permit = asker.permits.acquire().await;
    let answer = question(asker, server, asked);
    timeout(server.pace.timeout, answer)
        .await
        .unwrap_or(Err(Unwell::Late))
}

async fn question(asker: &Asker, server: &CheckedServer, asked: &Asked) -> Result<(), Unwell> {
    match &asked.probe {
        Probe::Http(probe) => http::ask(&asker.upstreams, &server.transport, asked, probe).await,
        Probe::Grpc => grpc::ask(&asker.upstreams, &server.transport, asked).await,
    }
}

fn note(server: &CheckedServer, outcome: Result<(), Unwell>) {
    let (service, url) = (&server.service, &server.name);
    match outcome {
        Ok(()) => {
            if server.state.set_up(true) {
                tracing::info!(%service, %url, "server is up");
            }
        }
        Err(why) => {
            if server.state.set_up(false) {
                tracing::warn!(%service, %url, %why, "health check failed: server is down");
            }
        }
    }
}

/// Why a server is not well.
#[derive(Debug, thiserror::Error)]
enum Unwell {
    #[error("{0}")]
    Unaskable(String),
    #[error("no answer in time")]
    Late,
    #[error(transparent)]
    Unanswered(#[from] traefikrs_upstream::Error),
    #[error("it answered with status {0}")]
    Status(::http::StatusCode),
    #[error("it redirects without end")]
    Redirects,
    #[error("it redirects to {0}, which is no URL of a server")]
    Location(String),
    #[error("gRPC status {0}")]
    Grpc(tonic::Code),
    #[error("it says that it is {0}")]
    NotServing(&'static str),
}
