use std::cmp::{Ordering, Reverse};
use std::sync::Arc;

use crate::{Matcher, Priority, Rank};

mod index;
mod key;
mod linear;
mod shards;
mod trie;

pub use index::RouteTable;
pub use linear::LinearTable;

/// A rule with its place in the order and whatever belongs to it.
#[derive(Clone, Debug)]
pub struct Route<T> {
    /// The name, unique in a table and the last criterion of the order.
    pub name: Arc<str>,
    /// The compiled rule.
    pub matcher: Matcher,
    /// The first criterion of the order.
    pub priority: Priority,
    /// The second criterion of the order.
    pub rank: Rank,
    /// What the caller wants to find.
    pub value: T,
}

impl<T> Route<T> {
    /// Compares the places of two routes; the smaller is tried first.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        let place = |route: &Self| (Reverse(route.priority), route.rank);
        place(self)
            .cmp(&place(other))
            .then_with(|| self.name.cmp(&other.name))
    }
}
