//! One source of configuration.

use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::{Notify, watch};
use traefikrs_config::Diagnostic;
use traefikrs_config::dynamic::Configuration;

/// What a source asks for now, and what of it does not work.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Update {
    /// All that the source asks for; names are not qualified yet.
    pub configuration: Arc<Configuration>,
    /// One entry for each thing that does not work or is likely not meant.
    pub diagnostics: Vec<Diagnostic>,
}

impl From<Configuration> for Update {
    fn from(configuration: Configuration) -> Self {
        Self {
            configuration: Arc::new(configuration),
            diagnostics: Vec::new(),
        }
    }
}

/// A source of configuration.
///
/// Implementers send an [`Update`] as soon as they know what the source asks for, even when that is
/// nothing, and again whenever it may have changed; an update like the one before costs nothing.
/// They report what does not work as diagnostics and go on: nothing that a source says ends them.
pub trait Provider: Send + 'static {
    /// The name behind the `@` of the source's elements.
    fn name(&self) -> &str;

    /// Watches the source for as long as it is polled. Ends early only when nothing can change.
    fn run(self: Box<Self>, updates: Updates) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// Where a provider sends its updates. Only the latest counts.
#[derive(Debug)]
pub struct Updates {
    pub(crate) latest: watch::Sender<Option<Update>>,
    pub(crate) asked: Arc<Notify>,
}

impl Updates {
    /// Replaces what the source asks for.
    pub fn send(&self, update: Update) {
        self.latest.send_replace(Some(update));
    }

    /// Waits until someone asks to look at the source again, changed or not.
    pub async fn asked(&self) {
        self.asked.notified().await;
    }
}
