//! The control thread: from what the providers say to what is published.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::watch;
use tokio::time::sleep;
use traefikrs_compile::{Compiled, Generation, Options, compile};
use traefikrs_config::diagnostic::{Diagnostic, Severity};
use traefikrs_config::merge::{MergeOptions, merge};
use traefikrs_provider::Snapshot;

/// What is published: the routes for the workers, and the report for the API.
#[derive(Clone, Default)]
pub(crate) struct Published {
    pub(crate) compiled: Arc<ArcSwap<Compiled>>,
    pub(crate) generation: Arc<ArcSwap<Generation>>,
}

/// Merges, compiles and publishes whenever a provider says something new.
pub(crate) struct Control {
    pub(crate) merge: MergeOptions,
    pub(crate) compile: Options,
    /// What was found in the static configuration: it stays.
    pub(crate) findings: Vec<Diagnostic>,
    pub(crate) published: Published,
}

/// How often it is looked whether workers have let go of what is no longer published.
const TIDY: Duration = Duration::from_secs(1);

impl Control {
    pub(crate) async fn run(self, mut latest: watch::Receiver<Arc<Snapshot>>) {
        // Those are in the log already.
        let mut shown = self.findings.clone();
        let mut retired: Vec<Arc<Compiled>> = Vec::new();
        loop {
            tokio::select! {
                changed = latest.changed() => match changed {
                    Ok(()) => {}
                    Err(_ended) => return,
                },
                () = sleep(TIDY), if !retired.is_empty() => {
                    retired.retain(|compiled| Arc::strong_count(compiled) > 1);
                    continue;
                }
            }
            let snapshot = Arc::clone(&latest.borrow_and_update());
            let generation = self.generation(&snapshot);
            log_changes(&mut shown, &generation.report.diagnostics);
            // Taking a large table apart takes milliseconds: the last to hold it must be this thread.
            retired.push(
                self.published
                    .compiled
                    .swap(Arc::clone(&generation.compiled)),
            );
            self.published.generation.store(Arc::new(generation));
        }
    }

    fn generation(&self, snapshot: &Snapshot) -> Generation {
        let (merged, conflicts) = merge(&snapshot.configurations, &self.merge);
        let previous = self.published.generation.load();
        let mut generation = compile(&merged, &self.compile, Some(&previous));
        let found = snapshot.all_diagnostics().cloned();
        let earlier = self.findings.iter().cloned().chain(found).chain(conflicts);
        generation.report.after(earlier.collect());
        generation
    }
}

/// Logs what was not found before, and what is mended.
fn log_changes(shown: &mut Vec<Diagnostic>, now: &[Diagnostic]) {
    for new in now.iter().filter(|diagnostic| !shown.contains(diagnostic)) {
        log(new);
    }
    for gone in shown.iter().filter(|diagnostic| !now.contains(diagnostic)) {
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
