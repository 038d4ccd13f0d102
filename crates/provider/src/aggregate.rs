//! All sources together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use traefikrs_config::Diagnostic;
use traefikrs_config::dynamic::Configuration;
use traefikrs_config::merge::Configurations;

use crate::provider::{Provider, Update, Updates};
use crate::throttle;

/// What all sources ask for now.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    /// The latest configuration of each provider that has sent one. A configuration that did not
    /// change is the same `Arc`.
    pub configurations: Configurations,
    /// What does not work, by provider.
    pub diagnostics: BTreeMap<String, Vec<Diagnostic>>,
    /// Providers that have not sent anything yet.
    pub awaited: BTreeSet<String>,
}

impl Snapshot {
    /// Whether every provider has sent something.
    pub fn is_complete(&self) -> bool {
        self.awaited.is_empty()
    }

    /// What does not work, provider by provider.
    pub fn all_diagnostics(&self) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics.values().flatten()
    }

    /// What an update says, shared with what is known wherever it is equal; nothing if it says
    /// nothing new.
    fn news(&self, provider: &str, update: Update) -> Option<Update> {
        let known = self.configurations.get(provider);
        let configuration = match known {
            None => update.configuration,
            Some(known) if Arc::ptr_eq(known, &update.configuration) => update.configuration,
            Some(known) => {
                let shared = update.configuration.shared_with(known);
                if shared == **known {
                    Arc::clone(known)
                } else {
                    Arc::new(shared)
                }
            }
        };
        let is_known = known.is_some_and(|known| Arc::ptr_eq(known, &configuration))
            && self.diagnostics.get(provider) == Some(&update.diagnostics)
            && !self.awaited.contains(provider);
        (!is_known).then_some(Update {
            configuration,
            ..update
        })
    }

    fn take(&mut self, provider: &str, update: Update) {
        self.awaited.remove(provider);
        self.configurations
            .insert(provider.to_owned(), update.configuration);
        self.diagnostics
            .insert(provider.to_owned(), update.diagnostics);
    }
}

/// Runs providers and keeps the latest configuration of each.
#[derive(Default)]
#[expect(
    missing_debug_implementations,
    reason = "providers need not be printable"
)]
pub struct Aggregator {
    throttle: Option<Duration>,
    providers: Vec<Box<dyn Provider>>,
    snapshot: Snapshot,
}

impl Aggregator {
    /// Providers whose changes follow each other not faster than the given time, if any.
    pub fn new(throttle: Option<Duration>) -> Self {
        Self {
            throttle,
            ..Self::default()
        }
    }

    /// Adds what is known and never changes, such as the internal configuration.
    pub fn add_fixed(&mut self, name: &str, configuration: Configuration) {
        self.snapshot.take(name, configuration.into());
    }

    /// Adds a provider. Two of one name would overwrite each other.
    pub fn add(&mut self, provider: impl Provider) {
        self.snapshot.awaited.insert(provider.name().to_owned());
        self.providers.push(Box::new(provider));
    }

    /// Starts all providers on the runtime of the caller.
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime.
    pub fn start(self) -> Running {
        let (snapshots, _) = watch::channel(Arc::new(self.snapshot));
        let mut tasks = JoinSet::new();
        let mut asked = Vec::new();
        for provider in self.providers {
            let name = provider.name().to_owned();
            let (latest, receiver) = watch::channel(None);
            let updates = Updates {
                latest,
                asked: Arc::default(),
            };
            asked.push(Arc::clone(&updates.asked));
            tasks.spawn(provider.run(updates));
            let snapshots = snapshots.clone();
            tasks.spawn(throttle::forward(receiver, self.throttle, move |update| {
                snapshots.send_if_modified(|snapshot| {
                    let Some(news) = snapshot.news(&name, update) else {
                        return false;
                    };
                    tracing::debug!(provider = name, "configuration received");
                    Arc::make_mut(snapshot).take(&name, news);
                    true
                });
            }));
        }
        Running {
            snapshots,
            asked,
            _tasks: tasks,
        }
    }
}

/// Providers at work; dropping it ends them.
#[derive(Debug)]
#[must_use]
pub struct Running {
    snapshots: watch::Sender<Arc<Snapshot>>,
    asked: Vec<Arc<Notify>>,
    _tasks: JoinSet<()>,
}

impl Running {
    /// The snapshot to watch: the current one counts as seen only when it was looked at.
    pub fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        let mut receiver = self.snapshots.subscribe();
        receiver.mark_changed();
        receiver
    }

    /// Asks every provider to look at its source again, changed or not.
    pub fn ask_again(&self) {
        self.asked.iter().for_each(|asked| asked.notify_one());
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::sync::{mpsc, watch};
    use tokio::time::timeout;
    use traefikrs_config::Format;
    use traefikrs_config::dynamic::{Configuration, Origin, decode_text};

    use super::{Aggregator, Snapshot};
    use crate::provider::{Provider, Update, Updates};

    /// Sends what the test gives it.
    struct Scripted {
        name: &'static str,
        script: mpsc::UnboundedReceiver<Update>,
    }

    impl Provider for Scripted {
        fn name(&self) -> &str {
            self.name
        }

        fn run(mut self: Box<Self>, updates: Updates) -> Pin<Box<dyn Future<Output = ()> + Send>> {
            Box::pin(async move {
                while let Some(update) = self.script.recv().await {
                    updates.send(update);
                }
            })
        }
    }

    fn scripted(aggregator: &mut Aggregator, name: &'static str) -> mpsc::UnboundedSender<Update> {
        let (sender, script) = mpsc::unbounded_channel();
        aggregator.add(Scripted { name, script });
        sender
    }

    fn with_router(name: &str) -> Configuration {
        let text = format!("http: {{routers: {{{name}: {{rule: x}}}}}}");
        let origin = Origin {
            provider: "",
            file: "",
        };
        decode_text(&text, Format::Yaml, origin).unwrap().0
    }

    async fn next(snapshots: &mut watch::Receiver<Arc<Snapshot>>) -> Arc<Snapshot> {
        let changed = timeout(Duration::from_secs(60), snapshots.changed()).await;
        changed.expect("nothing changed").unwrap();
        snapshots.borrow_and_update().clone()
    }

    async fn is_quiet(snapshots: &mut watch::Receiver<Arc<Snapshot>>) -> bool {
        timeout(Duration::from_secs(60), snapshots.changed())
            .await
            .is_err()
    }

    #[tokio::test(start_paused = true)]
    async fn the_latest_of_each_provider_is_kept() {
        let mut aggregator = Aggregator::new(None);
        aggregator.add_fixed("internal", with_router("i"));
        let (a, b) = (
            scripted(&mut aggregator, "a"),
            scripted(&mut aggregator, "b"),
        );
        let running = aggregator.start();
        let mut snapshots = running.snapshots();

        let first = next(&mut snapshots).await;
        assert_eq!(
            first.configurations.keys().collect::<Vec<_>>(),
            ["internal"]
        );
        assert_eq!(first.awaited.iter().collect::<Vec<_>>(), ["a", "b"]);

        a.send(with_router("x").into()).unwrap();
        assert!(!next(&mut snapshots).await.is_complete());
        b.send(Update::default()).unwrap();
        let complete = next(&mut snapshots).await;
        assert!(complete.is_complete());
        assert_eq!(*complete.configurations["b"], Configuration::default());

        a.send(Update::default()).unwrap();
        let emptied = next(&mut snapshots).await;
        assert_eq!(*emptied.configurations["a"], Configuration::default());
        assert!(Arc::ptr_eq(
            &emptied.configurations["b"],
            &complete.configurations["b"]
        ));
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_differ_is_not_passed_on() {
        let mut aggregator = Aggregator::new(None);
        let a = scripted(&mut aggregator, "a");
        let running = aggregator.start();
        let mut snapshots = running.snapshots();
        next(&mut snapshots).await;
        a.send(with_router("x").into()).unwrap();
        let before = next(&mut snapshots).await;

        a.send(with_router("x").into()).unwrap();
        assert!(is_quiet(&mut snapshots).await);

        let subject = traefikrs_config::diagnostic::Subject::named("file", "f");
        let reason = traefikrs_config::reason::IGNORED;
        let mut update = Update::from(with_router("x"));
        update
            .diagnostics
            .push(traefikrs_config::Diagnostic::warning(subject, reason, ""));
        a.send(update).unwrap();
        let after = next(&mut snapshots).await;
        assert_eq!(after.all_diagnostics().count(), 1);
        assert!(Arc::ptr_eq(
            &after.configurations["a"],
            &before.configurations["a"]
        ));
    }

    #[tokio::test(start_paused = true)]
    async fn a_throttled_provider_does_not_hold_up_others() {
        let mut aggregator = Aggregator::new(Some(Duration::from_secs(2)));
        let (a, b) = (
            scripted(&mut aggregator, "a"),
            scripted(&mut aggregator, "b"),
        );
        let running = aggregator.start();
        let mut snapshots = running.snapshots();
        next(&mut snapshots).await;
        let start = tokio::time::Instant::now();
        a.send(with_router("x").into()).unwrap();
        next(&mut snapshots).await;
        a.send(with_router("y").into()).unwrap();
        b.send(with_router("z").into()).unwrap();
        assert!(next(&mut snapshots).await.configurations.contains_key("b"));
        assert_eq!(start.elapsed(), Duration::ZERO);
        assert_eq!(
            *next(&mut snapshots).await.configurations["a"],
            with_router("y")
        );
        assert_eq!(start.elapsed(), Duration::from_secs(2));
    }
}
