use std::sync::Arc;

use smallvec::SmallVec;

use crate::matcher::Node as Condition;
use crate::{Priority, Rank, RequestView, Route};

/// How much of a text the index looks at; it bounds the depth of the trie. What is behind is checked as a condition.
pub(super) const MAX_KEY: usize = 256;

/// Which routes have a prefix in common with this text, which is a path, or a host from either end?
///
/// A radix trie: a node holds the routes whose prefix ends there, in order. Nodes are shared between a table and its
/// clones, and a change copies those on its way only. The usual bucket, of one host with one route, is a single node.
// The order of the fields is kept, so that a visit needs the first two lines of memory only.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Node<T> {
    /// The bytes that lead here from the parent.
    label: Label,
    slots: SmallVec<[Slot<T>; 1]>,
    /// The first byte of each child's label, ascending.
    firsts: SmallVec<[u8; 16]>,
    children: Vec<Arc<Self>>,
}

/// Short labels are kept in the node itself: each visit to other memory counts in a large table.
type Label = SmallVec<[u8; 24]>;

/// A route at its place in the index.
#[derive(Debug)]
pub(super) struct Slot<T> {
    // The order is repeated here to pass over a route without touching it.
    priority: Priority,
    rank: Rank,
    /// Whether the text must end here.
    is_whole: bool,
    /// What is left to check; `None` for the whole rule.
    residual: Option<Box<[Condition]>>,
    pub(super) route: Arc<Route<T>>,
}

impl<T> Slot<T> {
    pub(super) fn new(
        route: Arc<Route<T>>,
        is_whole: bool,
        residual: Option<Box<[Condition]>>,
    ) -> Self {
        Self {
            priority: route.priority,
            rank: route.rank,
            is_whole,
            residual,
            route,
        }
    }

    fn is_before(&self, other: &Self) -> bool {
        if (self.priority, self.rank) == (other.priority, other.rank) {
            return self.route.name < other.route.name;
        }
        (other.priority, self.rank) < (self.priority, other.rank)
    }

    fn holds(&self, rest: &[u8], lookup: Lookup<'_>) -> bool {
        if self.is_whole && !rest.is_empty() {
            return false;
        }
        match &self.residual {
            Some(residual) if lookup.host_is_sure => residual
                .iter()
                .all(|condition| condition.matches(lookup.request)),
            _ => self.route.matcher.matches(lookup.request),
        }
    }
}

/// What a walk is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lookup<'a> {
    pub(super) request: &'a RequestView<'a>,
    /// Whether being found under a host means that the host matches.
    pub(super) host_is_sure: bool,
}

impl<T> Node<T> {
    pub(super) fn new() -> Self {
        Self {
            label: Label::new(),
            slots: SmallVec::new(),
            firsts: SmallVec::new(),
            children: Vec::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty() && self.children.is_empty()
    }

    /// Finds the first route in order that holds, if it is before `best`, else returns `best`.
    pub(super) fn best<'t>(
        &'t self,
        text: &[u8],
        lookup: Lookup<'_>,
        mut best: Option<&'t Slot<T>>,
    ) -> Option<&'t Slot<T>> {
        self.walk(text, |node, rest| {
            for slot in &node.slots {
                if best.is_some_and(|best| !slot.is_before(best)) {
                    break;
                }
                if slot.holds(rest, lookup) {
                    best = Some(slot);
                    break;
                }
            }
        });
        best
    }

    /// Collects all routes that hold.
    pub(super) fn all<'t>(
        &'t self,
        text: &[u8],
        lookup: Lookup<'_>,
        found: &mut Vec<&'t Route<T>>,
    ) {
        self.walk(text, |node, rest| {
            found.extend(
                node.slots
                    .iter()
                    .filter(|slot| slot.holds(rest, lookup))
                    .map(|slot| &*slot.route),
            );
        });
    }

    /// Visits the nodes that lie on the text, with what of it is behind them.
    fn walk<'t>(&'t self, text: &[u8], mut visit: impl FnMut(&'t Self, &[u8])) {
        let (mut node, mut rest) = (self, text);
        while let Some(behind) = rest.strip_prefix(&*node.label) {
            visit(node, behind);
            let Some(child) = node.child(behind) else {
                return;
            };
            (node, rest) = (child, behind);
        }
    }

    fn child(&self, rest: &[u8]) -> Option<&Self> {
        let index = memchr::memchr(*rest.first()?, &self.firsts)?;
        Some(&self.children[index])
    }

    pub(super) fn insert(&mut self, path: &[u8], slot: Slot<T>) {
        if self.is_empty() {
            self.label = path.into();
        }
        let common = self
            .label
            .iter()
            .zip(path)
            .take_while(|(left, right)| left == right)
            .count();
        if common < self.label.len() {
            self.split(common);
        }
        let rest = &path[common..];
        let Some(first) = rest.first() else {
            let place = self.slots.partition_point(|other| other.is_before(&slot));
            return self.slots.insert(place, slot);
        };
        let place = self.firsts.binary_search(first).unwrap_or_else(|place| {
            self.firsts.insert(place, *first);
            self.children.insert(place, Arc::new(Self::new()));
            place
        });
        Arc::make_mut(&mut self.children[place]).insert(rest, slot);
    }

    /// Puts a node between this one and its parent, `at` bytes into the label.
    fn split(&mut self, at: usize) {
        let (upper, lower) = self.label.split_at(at);
        let parent = Self {
            label: upper.into(),
            firsts: SmallVec::from_slice(&lower[..1]),
            ..Self::new()
        };
        let label = lower.into();
        let lower = std::mem::replace(self, parent);
        self.children.push(Arc::new(Self { label, ..lower }));
    }

    /// Takes out the slots of the route with this name that stand at `path`.
    pub(super) fn remove(&mut self, path: &[u8], name: &str) {
        let Some(rest) = path.strip_prefix(&*self.label) else {
            return;
        };
        match rest.first() {
            None => self.slots.retain(|slot| &*slot.route.name != name),
            Some(first) => {
                let Ok(place) = self.firsts.binary_search(first) else {
                    return;
                };
                let child = Arc::make_mut(&mut self.children[place]);
                child.remove(rest, name);
                if child.is_empty() {
                    self.firsts.remove(place);
                    self.children.remove(place);
                }
            }
        }
        self.join_only_child();
    }

    /// Undoes a split that is not needed any more.
    fn join_only_child(&mut self) {
        if self.slots.is_empty() && self.children.len() == 1 {
            let child = Arc::unwrap_or_clone(self.children.remove(0));
            let mut label = std::mem::take(&mut self.label);
            label.extend_from_slice(&child.label);
            *self = Self { label, ..child };
        }
    }
}

impl<T> Clone for Node<T> {
    fn clone(&self) -> Self {
        Self {
            label: self.label.clone(),
            slots: self.slots.clone(),
            firsts: self.firsts.clone(),
            children: self.children.clone(),
        }
    }
}

impl<T> Clone for Slot<T> {
    fn clone(&self) -> Self {
        Self {
            residual: self.residual.clone(),
            route: Arc::clone(&self.route),
            ..*self
        }
    }
}
