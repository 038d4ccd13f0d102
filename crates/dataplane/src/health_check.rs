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
use traefikrs_compile::compiled::{Asked, CheckedServer, HealthCheck, Probe};
use traefikrs_compile::{Compiled, Generation as Published};
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
    under_way: HashMap<*const HealthCheck, Vec<AbortHandle>>,
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
    /// Begins the checks that are new and ends those that are gone; the others go on.
    fn follow(&mut self, compiled: &Arc<Compiled>) {
        if Arc::ptr_eq(&self.followed, compiled) {
            return;
        }
        self.followed = Arc::clone(compiled);
        // The tasks of a check hold it, so that its address is of no other while it is here.
        let mut before = std::mem::take(&mut self.under_way);
        for check in &*compiled.health_checks {
            let key = Arc::as_ptr(check);
            let tasks = before.remove(&key).unwrap_or_else(|| self.begin(check));
            self.under_way.insert(key, tasks);
        }
        before.into_values().flatten().for_each(|task| task.abort());
    }

    fn begin(&self, check: &Arc<HealthCheck>) -> Vec<AbortHandle> {
        let servers = 0..check.servers.len();
        servers
            .map(|index| {
                let task = watch_server(Rc::clone(&self.asker), Arc::clone(check), index);
                spawn_local(task).abort_handle()
            })
            .collect()
    }
}

/// Asks one server again and again.
async fn watch_server(asker: Rc<Asker>, check: Arc<HealthCheck>, index: usize) {
    let server = &check.servers[index];
    loop {
        let asked_at = Instant::now();
        let outcome = ask(&asker, &check, server).await;
        let is_well = outcome.is_ok();
        note(&check, server, outcome);
        let pause = if is_well {
            check.interval
        } else {
            check.unhealthy_interval
        };
        sleep(pause.saturating_sub(asked_at.elapsed())).await;
    }
}

async fn ask(asker: &Asker, check: &HealthCheck, server: &CheckedServer) -> Result<(), Unwell> {
    let asked = server
        .asked
        .as_ref()
        .map_err(|why| Unwell::Unaskable(why.clone()))?;
    let _permit = asker.permits.acquire().await;
    let answer = question(asker, check, asked);
    timeout(check.timeout, answer)
        .await
        .unwrap_or(Err(Unwell::Late))
}

async fn question(asker: &Asker, check: &HealthCheck, asked: &Asked) -> Result<(), Unwell> {
    match &asked.probe {
        Probe::Http(probe) => http::ask(&asker.upstreams, &check.transport, asked, probe).await,
        Probe::Grpc => grpc::ask(&asker.upstreams, &check.transport, asked).await,
    }
}

fn note(check: &HealthCheck, server: &CheckedServer, outcome: Result<(), Unwell>) {
    let (service, url) = (&check.service, &server.name);
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
    #[error("more than {} redirects", http::MOST_REDIRECTS)]
    Redirects,
    #[error("it redirects to {0}, which is no URL of a server")]
    Location(String),
    #[error("gRPC status {0}")]
    Grpc(tonic::Code),
    #[error("it says that it is {0}")]
    NotServing(&'static str),
}
