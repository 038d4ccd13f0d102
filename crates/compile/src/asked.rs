//! What was an element built from?
//!
//! While something is built, everything that it asks for is written down, be it there or not. An
//! element whose own configuration is the same and none of whose answers can have changed is what
//! it was.

use std::collections::BTreeMap;
use std::sync::Arc;

use traefikrs_config::QualifiedName;

use crate::compiled::PoolId;
use crate::error::BuildError;
use crate::outcome::{Outcome, OutcomeByName, Stale};
use crate::report::Verdict;

/// Something that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Ask {
    Service(QualifiedName),
    Middleware(QualifiedName),
    Transport(QualifiedName),
    /// A server, by its URL, and its connections: what they are never changes.
    Server(Arc<str>, PoolId),
}

/// What is being asked for by whatever is being built, which may ask for things that are built in turn.
#[derive(Debug, Default)]
pub(crate) struct Log(Vec<Ask>);

/// Where the part of a log begins that is about one element.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark(usize);

impl Log {
    pub(crate) fn push(&mut self, ask: Ask) {
        self.0.push(ask);
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark(self.0.len())
    }

    /// Takes out what was asked for since the mark.
    pub(crate) fn since(&mut self, mark: Mark) -> impl Iterator<Item = Ask> {
        self.0.drain(mark.0..)
    }
}

/// The highest outcome that is the same whoever asks for it first: what is nested deeper may meet the
/// limit of depth on one way and not on another.
const HIGHEST_REUSED: usize = 32;

/// Elements of one kind while they are built, on demand and once: those that are known already and
/// those that were added.
#[derive(Debug)]
pub(crate) struct Building<'c, T> {
    ask_for: fn(QualifiedName) -> Ask,
    base: &'c OutcomeByName<T>,
    stale: &'c Stale,
    added: BTreeMap<QualifiedName, Outcome<T>>,
    pub(crate) log: Log,
    /// Whether something came out as it did because of who asked for it first.
    pub(crate) depends_on_order: bool,
}

/// What was built.
pub(crate) struct Added<T> {
    pub(crate) outcomes: BTreeMap<QualifiedName, Outcome<T>>,
    /// Whether something came out as it did because of who asked for it first.
    pub(crate) depends_on_order: bool,
}

impl<'c, T: Clone> Building<'c, T> {
    pub(crate) fn new(
        ask_for: fn(QualifiedName) -> Ask,
        base: &'c OutcomeByName<T>,
        stale: &'c Stale,
    ) -> Self {
        Self {
            ask_for,
            base,
            stale,
            added: BTreeMap::new(),
            log: Log::default(),
            depends_on_order: false,
        }
    }

    /// Asks for an element; returns what became of it if that is known.
    pub(crate) fn ask(&mut self, name: &QualifiedName) -> Option<Result<T, BuildError>> {
        let ask = (self.ask_for)(name.clone());
        let known = self.known(&ask, name).map(|known| known.result.clone());
        self.log.push(ask);
        known
    }

    /// Keeps what became of an element, which asked for these.
    pub(crate) fn add(
        &mut self,
        name: &QualifiedName,
        result: Result<T, BuildError>,
        asked: Box<[Ask]>,
    ) {
        let below = asked.iter().filter_map(|ask| match ask {
            Ask::Service(name) | Ask::Middleware(name) => self.known(ask, name),
            Ask::Transport(_) | Ask::Server(..) => None,
        });
        let height = 1 + below.map(|below| below.height).max().unwrap_or_default();
        self.depends_on_order |= height > HIGHEST_REUSED;
        let outcome = Outcome {
            result,
            verdict: Verdict::default(),
            asked,
            height,
        };
        self.added.insert(name.clone(), outcome);
    }

    fn known(&self, ask: &Ask, name: &QualifiedName) -> Option<&Outcome<T>> {
        if *ask != (self.ask_for)(name.clone()) {
            return None;
        }
        self.added.get(name).or_else(|| {
            let known = self.base.get(name.as_str()).map(|known| &**known);
            known.filter(|_| !self.stale.contains(ask))
        })
    }

    /// What was built, and what was found about it.
    pub(crate) fn finish(self, mut verdicts: BTreeMap<QualifiedName, Verdict>) -> Added<T> {
        let mut outcomes = self.added;
        for (name, outcome) in &mut outcomes {
            outcome.verdict = verdicts.remove(name).unwrap_or_default();
        }
        Added {
            outcomes,
            depends_on_order: self.depends_on_order,
        }
    }
}
