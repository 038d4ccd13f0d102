//! What reached the servers of one side.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::wire::{Body, Head, Stop};

/// A request as a server saw it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) backend: &'static str,
    pub(super) head: Head,
    /// Unknown when the answer does not await it: how much of it arrives is chance.
    pub(super) body: Option<Body>,
}

/// What reached the servers of one side, by the request's token.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    entries: Mutex<Entries>,
    closed: Condvar,
}

#[derive(Debug, Default)]
struct Entries {
    /// Each with whether it is complete.
    by_token: BTreeMap<String, Vec<(bool, Seen)>>,
    by_backend: BTreeMap<&'static str, usize>,
}

impl Ledger {
    /// Everything under the tokens, once it is complete or `patience` has run out.
    pub(super) fn take(&self, tokens: &[&str], patience: Duration) -> Vec<Vec<Seen>> {
        let open = |entries: &mut Entries| {
            tokens.iter().any(|token| {
                entries
                    .by_token
                    .get(*token)
                    .is_some_and(|seen| seen.iter().any(|(complete, _)| !complete))
            })
        };
        let (mut entries, _) = self
            .closed
            .wait_timeout_while(self.lock(), patience, open)
            .unwrap_or_else(PoisonError::into_inner);
        tokens
            .iter()
            .map(|token| {
                let seen = entries.by_token.remove(*token).unwrap_or_default();
                seen.into_iter().map(|(_, seen)| seen).collect()
            })
            .collect()
    }

    /// What carries no token. Entries with one that are left came too late to be judged.
    pub(super) fn take_strays(&self) -> Vec<Seen> {
        let mut entries = std::mem::take(&mut self.lock().by_token);
        entries
            .remove("")
            .unwrap_or_default()
            .into_iter()
            .map(|(_, seen)| seen)
            .collect()
    }

    /// How many requests each server got since this was last asked.
    pub(super) fn take_counts(&self) -> BTreeMap<&'static str, usize> {
        std::mem::take(&mut self.lock().by_backend)
    }

    /// Begins an entry; its index ends it.
    pub(super) fn open(&self, token: &str, seen: Seen) -> usize {
        let mut entries = self.lock();
        let list = entries.by_token.entry(token.to_owned()).or_default();
        let backend = seen.backend;
        list.push((false, seen));
        let index = list.len() - 1;
        // Asking the same server again takes no turn of the balancer's.
        if index == 0 {
            *entries.by_backend.entry(backend).or_default() += 1;
        }
        index
    }

    pub(super) fn close(&self, token: &str, index: usize, body: Option<Body>) {
        let mut entries = self.lock();
        // The reader may have lost its patience and taken the entry.
        if let Some((complete, seen)) = entries
            .by_token
            .get_mut(token)
            .and_then(|list| list.get_mut(index))
        {
            *complete = true;
            seen.body = body;
        }
        self.closed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    /// Whether the proxy broke off.
    pub(super) fn end(&self) -> String {
        match self.body.as_ref().map(|body| body.cut) {
            None => "not awaited".to_owned(),
            Some(None) => "complete".to_owned(),
            // A broken-off request ends by a close or a reset as the kernel sees fit.
            Some(Some(Stop::Closed | Stop::Reset)) => "broken off".to_owned(),
            Some(Some(stop)) => stop.to_string(),
        }
    }
}
