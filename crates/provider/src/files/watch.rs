//! When do files change?

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::{Files, Reading};

/// A change counts when nothing more happened for so long …
const QUIET: Duration = Duration::from_millis(25);
/// … or when it is so old: a change is to be live within 300 milliseconds.
const LONGEST_WAIT: Duration = Duration::from_millis(150);
/// Where the system cannot tell, files are looked at so often.
const POLL: Duration = Duration::from_secs(1);

/// Tells when files may have changed.
///
/// Directories are watched, not files: editors replace files, and Kubernetes swaps a link in the
/// directory of a ConfigMap's files.
#[derive(Debug)]
pub(super) struct Changes {
    files: Files,
    happened: Arc<Notify>,
    /// None where the system offers none.
    watcher: Option<RecommendedWatcher>,
    watched: BTreeSet<PathBuf>,
    problem: Option<String>,
    /// The last reading failed in a way that may pass.
    looks_again: bool,
}

impl Changes {
    /// Begins to watch.
    pub(super) fn new(files: Files) -> Self {
        let happened = Arc::new(Notify::new());
        let tell = happened.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if event.map_or(true, |event| is_change(event.kind)) {
                tell.notify_one();
            }
        });
        let (watcher, problem) = match watcher {
            Ok(watcher) => (Some(watcher), None),
            Err(error) => (None, Some(error.to_string())),
        };
        Self {
            files,
            happened,
            watcher,
            watched: BTreeSet::new(),
            problem,
            looks_again: false,
        }
    }

    /// Reads all files, and from then on watches wherever a change would change the reading.
    pub(super) fn read(&mut self) -> Reading {
        // What changes between reading and watching is found by reading again.
        const MOST_READINGS: usize = 4;
        let mut reading = self.files.read();
        for _ in 1..MOST_READINGS {
            if !self.watch(&reading.directories) {
                break;
            }
            reading = self.files.read();
        }
        self.looks_again = reading.is_worth_another();
        reading
    }

    /// Why the system cannot tell of changes; files are looked at every second then.
    pub(super) fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// Waits until files may have changed and then stay as they are for a moment.
    pub(super) async fn changed(&self) {
        if self.problem.is_some() || self.looks_again {
            let poll = Instant::now() + POLL;
            // Whatever still is told counts before the next look.
            drop(timeout_at(poll, self.happened.notified()).await);
        } else {
            self.happened.notified().await;
        }
        let latest = Instant::now() + LONGEST_WAIT;
        loop {
            let quiet = (Instant::now() + QUIET).min(latest);
            if timeout_at(quiet, self.happened.notified()).await.is_err() {
                break;
            }
            if Instant::now() >= latest {
                sleep_until(latest).await;
                break;
            }
        }
    }

    /// Watches exactly these directories; says whether one is new.
    fn watch(&mut self, directories: &[PathBuf]) -> bool {
        let Some(watcher) = &mut self.watcher else {
            return false;
        };
        let wanted: BTreeSet<PathBuf> = directories.iter().cloned().collect();
        for gone in self.watched.difference(&wanted) {
            // It may be gone from the system already.
            drop(watcher.unwatch(gone));
        }
        let mut problem = None;
        let mut is_new = false;
        for directory in &wanted {
            // A directory that was replaced is watched anew by its name.
            let is_known = self.watched.contains(directory);
            match watcher.watch(directory, RecursiveMode::NonRecursive) {
                Ok(()) => is_new |= !is_known,
                Err(error) => problem = Some(error.to_string()),
            }
        }
        self.problem = problem;
        self.watched = wanted;
        is_new
    }
}

/// Reading files is told too, and is none.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(access) => access == AccessKind::Close(AccessMode::Write),
        EventKind::Any
        | EventKind::Create(_)
        | EventKind::Modify(_)
        | EventKind::Remove(_)
        | EventKind::Other => true,
    }
}
