//! One thread that serves: its runtime, its clock, its connections to servers.

use std::cell::{Cell, RefCell};
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::SystemTime;

use arc_swap::{ArcSwap, Cache};
use bytes::Bytes;
use futures_util::future::join_all;
use http::HeaderValue;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::runtime::LocalOptions;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};
use traefikrs_compile::{Compiled, Generation as Published};
use traefikrs_http1::Buffers;
use traefikrs_upstream::Upstreams;

use crate::background::Background;
use crate::clock::{Clock, TICK};
use crate::dataplane::Api;
use crate::entry_point::EntryPoint;
use crate::options::{EntryPointOptions, PingOptions};
use crate::replay::Room;
use crate::stream::Stream;

/// What all workers share.
pub(crate) struct Shared {
    pub(crate) published: Arc<ArcSwap<Published>>,
    pub(crate) api: Option<Api>,
    pub(crate) ping: PingOptions,
    pub(crate) server_name: HeaderValue,
    pub(crate) n_workers: usize,
    /// Set as soon as shutdown begins.
    pub(crate) is_terminating: AtomicBool,
    pub(crate) shutdown: watch::Sender<bool>,
}

/// What the connections of a thread share.
pub(crate) struct Worker {
    pub(crate) clock: Rc<Clock>,
    pub(crate) upstreams: Upstreams,
    pub(crate) server_name: HeaderValue,
    pub(crate) shared: Arc<Shared>,
    /// Room for what clients send and for the heads of their answers.
    pub(crate) buffers: Buffers,
    /// What `Date` says.
    pub(crate) date: RefCell<String>,
    /// Room for bodies that are sent more than once.
    pub(crate) room: Rc<Room>,
    pub(crate) background: Background,
    /// Requests that should have been mirrored.
    pub(crate) dropped_copies: Cell<u64>,
    /// Chance for balancers; who foresees it gains nothing.
    pub(crate) rng: RefCell<SmallRng>,
    current: RefCell<Current>,
    /// The last number of a pool that no two clients share.
    unshared: Cell<u64>,
}

/// One configuration. Requests of a thread share it by a count of the thread's own: one that all threads write to would
/// travel between their cores with each request.
pub(crate) struct Generation {
    pub(crate) compiled: Arc<Compiled>,
    pub(crate) published: Arc<Published>,
}

impl Generation {
    fn of(published: &Arc<Published>) -> Rc<Self> {
        Rc::new(Self {
            compiled: Arc::clone(&published.compiled),
            published: Arc::clone(published),
        })
    }
}

/// Pools that clients share are counted from zero to here.
const LAST_SHARED_POOL: u64 = u64::MAX >> 1;

/// The configuration in force.
struct Current {
    published: Cache<Arc<ArcSwap<Published>>, Arc<Published>>,
    generation: Rc<Generation>,
}

impl Worker {
    fn new(shared: Arc<Shared>, background: Background) -> Rc<Self> {
        let mut published = Cache::new(Arc::clone(&shared.published));
        let generation = Generation::of(published.load());
        Rc::new(Self {
            clock: Clock::new(Instant::now()),
            upstreams: Upstreams::new(),
            server_name: shared.server_name.clone(),
            buffers: Buffers::default(),
            date: RefCell::new(date_now()),
            room: Room::new(),
            background,
            dropped_copies: Cell::new(0),
            rng: RefCell::new(SmallRng::from_rng(&mut rand::rng())),
            current: RefCell::new(Current {
                published,
                generation,
            }),
            unshared: Cell::new(LAST_SHARED_POOL),
            shared,
        })
    }

    /// The configuration to use for one request, from its beginning to its end.
    pub(crate) fn generation(&self) -> Rc<Generation> {
        let mut current = self.current.borrow_mut();
        let Current {
            published,
            generation,
        } = &mut *current;
        let latest = published.load();
        if !Arc::ptr_eq(latest, &generation.published) {
            *generation = Generation::of(latest);
        }
        Rc::clone(generation)
    }

    /// The number of a pool that nobody has used yet.
    pub(crate) fn unshared_pool(&self) -> u64 {
        self.unshared.update(|last| last.wrapping_add(1));
        self.unshared.get()
    }

    /// Reads what is there, into at least `room` bytes. Nothing means the end.
    pub(crate) fn poll_read(
        &self,
        stream: &mut Stream,
        room: usize,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Bytes>> {
        self.buffers
            .poll_read(room, |block| pin!(stream.read_buf(block)).poll(cx))
    }

    pub(crate) fn is_terminating(&self) -> bool {
        self.shared.is_terminating.load(Ordering::Relaxed)
    }

    async fn tick(self: Rc<Self>) {
        const SWEEP_EVERY: u32 = 4;
        let mut interval = interval(TICK);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut ticks: u32 = 0;
        loop {
            let now = interval.tick().await;
            self.clock.tick(now);
            self.date.replace(date_now());
            // A thread without requests must not keep an old configuration.
            let generation = self.generation();
            ticks = ticks.wrapping_add(1);
            if ticks.is_multiple_of(SWEEP_EVERY) {
                // Each time, because a request of an older configuration may have brought a connection back.
                let pools = &generation.compiled.pools;
                self.upstreams
                    .retain(|pool| pool > LAST_SHARED_POOL || pools.contains(&pool.into()));
                self.upstreams.sweep(now);
            }
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "answers say what time it is; nothing is decided by it"
)]
fn date_now() -> String {
    httpdate::fmt_http_date(SystemTime::now())
}

/// Serves on this thread until shutdown is complete.
pub(crate) fn run(
    shared: &Arc<Shared>,
    listeners: Vec<(Arc<EntryPointOptions>, std::net::TcpListener)>,
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())?;
    runtime.block_on(async {
        let (background, queue) = Background::new();
        let worker = Worker::new(Arc::clone(shared), background);
        let ticking = tokio::task::spawn_local(Rc::clone(&worker).tick());
        let working = tokio::task::spawn_local(queue.run());
        let mut entry_points = Vec::new();
        for (options, listener) in listeners {
            let listener = TcpListener::from_std(listener)?;
            let mut shutdown = shared.shutdown.subscribe();
            let stop = async move {
                // No sender left means that there is nobody left to serve for.
                drop(shutdown.wait_for(|&begun| begun).await);
            };
            entry_points.push(EntryPoint::new(options, Rc::clone(&worker)).run(listener, stop));
        }
        let until = join_all(entry_points).await.into_iter().max();
        if let Some(until) = until {
            // What is left of the time for requests under way is that of copies, too.
            drop(timeout_at(until, worker.background.all_done()).await);
        }
        ticking.abort();
        working.abort();
        Ok(())
    })
}
