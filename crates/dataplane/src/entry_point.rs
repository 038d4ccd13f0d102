//! One listening address on one worker: accepting, and no longer accepting.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout_at};

use crate::clock::Clock;
use crate::connection;
use crate::http2;
use crate::options::EntryPointOptions;
use crate::worker::Worker;

/// Pauses after failing to accept, doubled from the first to the last: out of file descriptors, mostly.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// An entry point as one worker sees it.
pub(crate) struct EntryPoint {
    pub(crate) options: Arc<EntryPointOptions>,
    pub(crate) worker: Rc<Worker>,
    pub(crate) http2: h2::server::Builder,
    stage: Cell<Stage>,
    open: Cell<usize>,
    closed: Notify,
}

/// How far shutdown has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It has not begun.
    Serving,
    /// Idle connections end; requests under way go on.
    Draining,
    /// Everything ends.
    Cut,
}

impl EntryPoint {
    pub(crate) fn new(options: Arc<EntryPointOptions>, worker: Rc<Worker>) -> Rc<Self> {
        Rc::new(Self {
            http2: http2::settings(&options),
            options,
            worker,
            stage: Cell::new(Stage::Serving),
            open: Cell::new(0),
            closed: Notify::new(),
        })
    }

    pub(crate) fn clock(&self) -> &Rc<Clock> {
        &self.worker.clock
    }

    pub(crate) fn stage(&self) -> Stage {
        self.stage.get()
    }

    /// Counts a connection for as long as the result lives.
    pub(crate) fn opened(self: &Rc<Self>) -> Open {
        self.open.set(self.open.get() + 1);
        Open(Rc::clone(self))
    }

    /// Accepts and serves until `stop` resolves; then lets what is under way come to an end, or ends it.
    ///
    /// Returns the time until which what no client waits for may go on.
    pub(crate) async fn run(
        self: Rc<Self>,
        listener: TcpListener,
        stop: impl Future<Output = ()>,
    ) -> Instant {
        let life_cycle = self.options.life_cycle;
        tokio::select! {
            () = self.accept(&listener) => {}
            () = async {
                stop.await;
                sleep(life_cycle.request_accept_grace).await;
            } => {}
        }
        self.accept_the_rest(&listener);
        drop(listener);
        self.enter(Stage::Draining);
        let until = Instant::now() + life_cycle.grace;
        // Whether they end by themselves or are ended, none is left.
        if timeout_at(until, self.all_closed()).await.is_err() {
            self.enter(Stage::Cut);
            self.all_closed().await;
        }
        until
    }

    async fn accept(self: &Rc<Self>, listener: &TcpListener) {
        let mut pause = FIRST_PAUSE;
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    pause = FIRST_PAUSE;
                    self.serve(stream, peer);
                }
                // What is wrong with one connection is no reason to wait with the next.
                Err(error) if is_about_the_connection(&error) => {
                    tracing::debug!(%error, entry_point = self.options.name, "connection lost");
                }
                Err(error) => {
                    tracing::warn!(%error, entry_point = self.options.name, ?pause, "cannot accept");
                    sleep(pause).await;
                    pause = LONGEST_PAUSE.min(pause * 2);
                }
            }
        }
    }

    /// Takes connections that the kernel has established already; closing the listener would reset them.
    fn accept_the_rest(self: &Rc<Self>, listener: &TcpListener) {
        use futures_util::FutureExt;
        while let Some(Ok((stream, peer))) = listener.accept().now_or_never() {
            self.serve(stream, peer);
        }
    }

    fn serve(self: &Rc<Self>, stream: TcpStream, peer: SocketAddr) {
        // A panic ends this task and with it the connection, nothing else.
        tokio::task::spawn_local(connection::run(stream, peer, Rc::clone(self)));
    }

    fn enter(&self, stage: Stage) {
        self.stage.set(stage);
        self.clock().wake_all();
    }

    async fn all_closed(&self) {
        while self.open.get() > 0 {
            self.closed.notified().await;
        }
    }
}

impl std::fmt::Debug for EntryPoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EntryPoint")
            .field("options", &self.options)
            .field("stage", &self.stage)
            .field("open", &self.open)
            .finish_non_exhaustive()
    }
}

/// An open connection.
pub(crate) struct Open(Rc<EntryPoint>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.set(self.0.open.get() - 1);
        self.0.closed.notify_one();
    }
}

fn is_about_the_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}
