//! Conversations held with both proxies, and what came of them.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::accepted::{Accepted, Said};
use super::client::Heard;
use super::facts::{self, Alike, Difference, Facts};
use super::generate::{Conversation, Name};
use super::shares::Shares;
use super::shrink;
use super::side::{Proxy, Side};

/// Fewer when timing is in doubt.
const CAREFUL_WORKERS: usize = 3;
/// How often a doubtful conversation is held again.
const REPEATS: usize = 6;
/// How long servers may take to notice that the client has gone.
const AFTERMATH: Duration = Duration::from_millis(1_500);

/// Two running proxies with one configuration.
#[derive(Debug)]
pub(super) struct Trial<'a> {
    pub(super) configuration: &'a str,
    pub(super) sides: &'a [Side; 2],
    pub(super) proxies: &'a [Proxy; 2],
    pub(super) alike: Alike,
    pub(super) settling: Duration,
    pub(super) converse: fn(SocketAddr, &Conversation) -> Heard,
    pub(super) workers: usize,
    pub(super) accepted: &'a Accepted,
}

/// Differences that nobody accepted, in the shortest conversation that shows them.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) differences: Vec<Difference>,
    /// All conversations that differ in this way.
    pub(super) names: Vec<Name>,
    pub(super) example: Conversation,
}

/// What came of all conversations.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// How many conversations differ at all.
    pub(super) differing: usize,
    /// How many of them in nothing but what is accepted.
    pub(super) accepted: usize,
    /// Those that differ at one time and not at another, and what differed.
    pub(super) unsteady: Vec<(Name, String)>,
    pub(super) findings: Vec<Finding>,
    /// How many conversations the findings stand for.
    pub(super) unexplained: usize,
    /// Differences that belong to no conversation.
    pub(super) at_large: Vec<String>,
}

impl Trial<'_> {
    pub(super) fn run(&self, conversations: &[Conversation], shares: &[Shares]) -> Outcome {
        let careful = (self.workers / 4).clamp(1, CAREFUL_WORKERS);
        let mut outcome = Outcome::default();
        let verdicts = in_parallel(self.workers, conversations, |conversation| {
            self.judge(conversation)
        });
        outcome.at_large = self.strays();
        outcome.at_large.extend(self.shares(shares));
        let mut doubtful = Vec::new();
        for (conversation, verdict) in conversations.iter().zip(verdicts) {
            outcome.differing += usize::from(verdict != Verdict::Alike);
            outcome.accepted += usize::from(verdict == Verdict::Accepted);
            if let Verdict::Differs(differences) = verdict {
                doubtful.push((conversation, differences));
            }
        }
        let steady = in_parallel(careful, &doubtful, |(conversation, _)| {
            self.differs_always(conversation)
        });
        let mut found = Vec::new();
        for ((conversation, differences), steady) in doubtful.into_iter().zip(steady) {
            if steady {
                found.push((conversation, differences));
            } else {
                outcome
                    .unsteady
                    .push((conversation.name, signature(&differences)));
            }
        }
        outcome.findings = grouped(found);
        outcome.unexplained = outcome
            .findings
            .iter()
            .map(|finding| finding.names.len())
            .sum();
        let shortest = in_parallel(careful, &outcome.findings, |finding| self.shorten(finding));
        for (finding, (example, differences)) in outcome.findings.iter_mut().zip(shortest) {
            finding.example = example;
            finding.differences = differences;
        }
        // Repetitions leave traces that the sides need not share.
        for side in self.sides {
            side.forget();
        }
        outcome
    }

    /// Both sides' facts, one after the other.
    pub(super) fn observe(&self, conversation: &Conversation) -> [Facts; 2] {
        [0, 1].map(|index| {
            let side = &self.sides[index];
            let said = side.cookies.fill(conversation);
            let heard = (self.converse)(self.proxies[index].address, &said);
            thread::sleep(self.settling);
            let seen = side.take(&conversation.tokens(), AFTERMATH);
            facts::facts(conversation, &heard, &seen, &self.alike)
        })
    }

    /// All differences, each with the reason for which it is accepted, if it is.
    pub(super) fn explained(
        &self,
        conversation: &Conversation,
        [reference, ours]: &[Facts; 2],
    ) -> Vec<(Difference, Option<&str>)> {
        let said = Said::new(conversation);
        let differences = facts::differences(reference, ours).into_iter();
        differences
            .map(|difference| {
                let reason = self.accepted.reason(self.configuration, &said, &difference);
                (difference, reason)
            })
            .collect()
    }

    fn judge(&self, conversation: &Conversation) -> Verdict {
        let [reference, ours] = self.observe(conversation);
        self.verdict(conversation, &reference, &ours)
    }

    fn verdict(&self, conversation: &Conversation, reference: &Facts, ours: &Facts) -> Verdict {
        let differences = facts::differences(reference, ours);
        if differences.is_empty() {
            return Verdict::Alike;
        }
        let said = Said::new(conversation);
        let is_new = |difference: &Difference| {
            self.accepted
                .reason(self.configuration, &said, difference)
                .is_none()
        };
        let unexplained: Vec<Difference> = differences.into_iter().filter(is_new).collect();
        if unexplained.is_empty() {
            Verdict::Accepted
        } else {
            Verdict::Differs(unexplained)
        }
    }

    /// Whether nothing that one side ever does is what the other side ever does.
    fn differs_always(&self, conversation: &Conversation) -> bool {
        let mut seen: [Vec<Facts>; 2] = [Vec::new(), Vec::new()];
        for _ in 0..REPEATS {
            for (all, facts) in seen.iter_mut().zip(self.observe(conversation)) {
                all.push(facts);
            }
            let [reference, ours] = &seen;
            let agree = reference.iter().any(|reference| {
                ours.iter().any(|ours| {
                    !matches!(
                        self.verdict(conversation, reference, ours),
                        Verdict::Differs(_)
                    )
                })
            });
            if agree {
                return false;
            }
        }
        true
    }

    /// Removes what the differences do not need.
    fn shorten(&self, finding: &Finding) -> (Conversation, Vec<Difference>) {
        let waits = |difference: &Difference| {
            difference
                .values
                .iter()
                .flatten()
                .any(|value| value.contains("silent"))
        };
        if finding.differences.iter().any(waits) {
            return (finding.example.clone(), finding.differences.clone());
        }
        let wanted = signature(&finding.differences);
        let mut differences = finding.differences.clone();
        let example = shrink::shortest(&finding.example, |conversation| {
            match self.judge(conversation) {
                Verdict::Differs(found) if signature(&found) == wanted => {
                    differences = found;
                    true
                }
                _ => false,
            }
        });
        (example, differences)
    }

    /// Requests without a token of ours that reached one side's servers only.
    fn strays(&self) -> Vec<String> {
        let [mut reference, mut ours] = self.sides.each_ref().map(|side| {
            let rest = side.ledger.take_strays();
            rest.iter()
                .map(|seen| facts::stray(seen, &self.alike))
                .collect::<Vec<_>>()
        });
        reference.retain(|stray| match ours.iter().position(|other| other == stray) {
            Some(found) => {
                ours.swap_remove(found);
                false
            }
            None => true,
        });
        let of = |side: &Side, stray: &str| {
            format!(
                "a request without its token, at {}'s servers only: {stray}",
                side.name
            )
        };
        let reference = reference.iter().map(|stray| of(&self.sides[0], stray));
        reference
            .chain(ours.iter().map(|stray| of(&self.sides[1], stray)))
            .collect()
    }

    /// Shares that did not come out alike.
    fn shares(&self, shares: &[Shares]) -> Vec<String> {
        let counts = self.sides.each_ref().map(|side| side.ledger.take_counts());
        shares
            .iter()
            .filter_map(|shares| shares.fault(&counts))
            .collect()
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Alike,
    Accepted,
    Differs(Vec<Difference>),
}

/// One finding per way to differ, the most frequent first.
fn grouped(found: Vec<(&Conversation, Vec<Difference>)>) -> Vec<Finding> {
    let mut groups: Vec<(String, Finding)> = Vec::new();
    for (conversation, differences) in found {
        let key = signature(&differences);
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, finding)) => {
                finding.names.push(conversation.name);
                if conversation.raw().len() < finding.example.raw().len() {
                    finding.example = conversation.clone();
                    finding.differences = differences;
                }
            }
            None => {
                let finding = Finding {
                    differences,
                    names: vec![conversation.name],
                    example: conversation.clone(),
                };
                groups.push((key, finding));
            }
        }
    }
    groups.sort_by_key(|(_, finding)| std::cmp::Reverse(finding.names.len()));
    groups.into_iter().map(|(_, finding)| finding).collect()
}

/// What differs, without the particulars.
fn signature(differences: &[Difference]) -> String {
    let mut kinds: Vec<String> = differences
        .iter()
        .map(|difference| match difference.place.aspect.as_str() {
            "status" => format!("{} {:?}", difference.kind(), difference.values),
            _ => difference.kind(),
        })
        .collect();
    kinds.sort();
    kinds.dedup();
    kinds.join(", ")
}

/// Applies `work` to all items on several threads; the results keep the items' order.
fn in_parallel<T: Sync, R: Send>(
    workers: usize,
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(items.len()));
    thread::scope(|scope| {
        for _ in 0..workers.min(items.len()) {
            scope.spawn(|| {
                while let Some((index, item)) = Some(next.fetch_add(1, Ordering::Relaxed))
                    .and_then(|index| Some((index, items.get(index)?)))
                {
                    let result = work(item);
                    results
                        .lock()
                        .expect("no worker panics while it holds the lock")
                        .push((index, result));
                }
            });
        }
    });
    let mut results = results
        .into_inner()
        .expect("no worker panics while it holds the lock");
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}
