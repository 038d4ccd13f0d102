//! The control thread: from what the providers say to what is published.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::watch;
use tokio::time::sleep;
use traefikrs_compile::{Generation, Options, compile};
use traefikrs_config::diagnostic::{Diagnostic, Severity};
use traefikrs_config::merge::{MergeOptions, Merged};
use traefikrs_provider::Snapshot;

/// Merges, compiles and publishes whenever a provider says something new.
pub(crate) struct Control {
    pub(crate) merge: MergeOptions,
    pub(crate) compile: Options,
    /// What was found in the static configuration: it stays.
    pub(crate) findings: Vec<Diagnostic>,
    pub(crate) merged: Merged,
    /// The routes for the workers and the report for the API, as one.
    pub(crate) published: Arc<ArcSwap<Generation>>,
}

/// How often it is looked whether workers have let go of what is no longer published.
const TIDY: Duration = Duration::from_secs(1);

impl Control {
    pub(crate) async fn run(mut self, mut latest: watch::Receiver<Arc<Snapshot>>) {
        // Those are in the log already.
        let mut shown = self.findings.clone();
        let mut retired: Vec<Arc<Generation>> = Vec::new();
        loop {
            tokio::select! {
                changed = latest.changed() => match changed {
                    Ok(()) => {}
                    Err(_ended) => return,
                },
                () = sleep(TIDY), if !retired.is_empty() => {
                    tidy(&mut retired);
                    continue;
                }
            }
            tidy(&mut retired);
            let snapshot = Arc::clone(&latest.borrow_and_update());
            let generation = self.generation(&snapshot);
            log_changes(&mut shown, &generation.report.diagnostics);
            // Taking a large table apart takes milliseconds: the last to hold it must be this thread.
            retired.push(self.published.swap(Arc::new(generation)));
        }
    }

    fn generation(&mut self, snapshot: &Snapshot) -> Generation {
        self.merged = self.merged.next(&snapshot.configurations, &self.merge);
        let Merged {
            configuration,
            diagnostics: conflicts,
            ..
        } = &self.merged;
        let previous = self.published.load();
        let mut generation = compile(configuration, &self.compile, Some(&previous));
        let found = snapshot.all_diagnostics().chain(conflicts);
        let earlier = self.findings.iter().chain(found);
        generation.report.after(earlier.cloned().collect());
        generation
    }
}

/// Drops what no worker holds any more, also while one change follows the other.
fn tidy(retired: &mut Vec<Arc<Generation>>) {
    retired.retain(|generation| Arc::strong_count(generation) > 1);
}

/// Logs what was not found before, and what is mended.
fn log_changes(shown: &mut Vec<Diagnostic>, now: &[Diagnostic]) {
    if shown == now {
        return;
    }
    let known: HashSet<_> = shown.iter().collect();
    for new in now.iter().filter(|diagnostic| !known.contains(diagnostic)) {
        log(new);
    }
    let remaining: HashSet<_> = now.iter().collect();
    for gone in shown
        .iter()
        .filter(|diagnostic| !remaining.contains(diagnostic))
    {
        tracing::info!(reason = %gone.reason, subject = %gone.subject, "mended: {}", gone.message);
    }
    *shown = now.to_vec();
}

pub(crate) fn log(diagnostic: &Diagnostic) {
    match diagnostic.severity {
        Severity::Error => tracing::error!("{diagnostic}"),
        Severity::Warning => tracing::warn!("{diagnostic}"),
    }
}
