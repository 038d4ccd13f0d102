use std::fmt;
use std::sync::Arc;

use smallvec::SmallVec;

use super::key::{self, HostKey, backwards};
use super::shards::Shards;
use super::trie::{Lookup, MAX_KEY, Node, Slot};
use crate::matcher::tail_of;
use crate::{RequestView, Route};

type Buckets<T> = Shards<Name, Arc<Node<T>>>;

/// A host, or the tail of one; kept in the hash table itself unless it is long.
type Name = SmallVec<[u8; 32]>;

/// Which route takes this request?
///
/// An index of routes: by host, by host under one wildcard label, and within each of these by path prefix; by the ends
/// that a regular expression wants of the host. Only what does not follow from being found there is evaluated. Routes
/// without a usable host or path stand at the root and are evaluated for every request that no better route takes.
///
/// A lookup does not allocate. Clones share everything, and [`insert`](Self::insert) and [`remove`](Self::remove) copy
/// only the buckets they touch, so that a change to one route of many makes a new table in little time.
pub struct RouteTable<T> {
    routes: Shards<Arc<str>, Arc<Route<T>>>,
    exact: Buckets<T>,
    under: Buckets<T>,
    /// By what hosts start with.
    starts: Arc<Node<T>>,
    /// By what hosts end with, read backwards.
    ends: Arc<Node<T>>,
    any: Arc<Node<T>>,
}

impl<T> RouteTable<T> {
    /// Makes a table without routes.
    #[must_use]
    pub fn new() -> Self {
        Self {
            routes: Shards::default(),
            exact: Buckets::default(),
            under: Buckets::default(),
            starts: Arc::new(Node::new()),
            ends: Arc::new(Node::new()),
            any: Arc::new(Node::new()),
        }
    }

    /// Finds the value of the first route that matches.
    #[must_use]
    pub fn find(&self, request: &RequestView<'_>) -> Option<&T> {
        self.find_route(request).map(|route| &route.value)
    }

    /// Finds the first route that matches.
    #[must_use]
    pub fn find_route(&self, request: &RequestView<'_>) -> Option<&Route<T>> {
        let mut best: Option<&Slot<T>> = None;
        self.visit(request, |bucket, text, lookup| {
            best = bucket.best(text, lookup, best);
        });
        best.map(|slot| &*slot.route)
    }

    /// Finds all routes that match, in order.
    #[must_use]
    pub fn find_all(&self, request: &RequestView<'_>) -> Vec<&Route<T>> {
        let mut found = Vec::new();
        self.visit(request, |bucket, text, lookup| {
            bucket.all(text, lookup, &mut found);
        });
        found.sort_unstable_by(|left, right| left.order(right));
        found.dedup_by(|left, right| left.name == right.name);
        found
    }

    /// Visits the buckets in which routes for the request may stand, with the text to walk along.
    fn visit<'t>(
        &'t self,
        request: &RequestView<'_>,
        mut visit: impl FnMut(&'t Node<T>, &[u8], Lookup<'_>),
    ) {
        let (host, flattened) = (request.host, request.flattened_host);
        // Dots at the end are forgiven on either side unless there is a flattened name; then the matchers decide.
        let lookup = Lookup {
            request,
            host_is_sure: flattened.is_none(),
        };
        if !host.is_empty() {
            for name in [Some(host), host.strip_suffix('.'), flattened]
                .into_iter()
                .flatten()
            {
                let buckets = [
                    self.exact.get(name.as_bytes()),
                    self.under.get(tail_of(name).as_bytes()),
                ];
                buckets
                    .into_iter()
                    .flatten()
                    .for_each(|bucket| visit(bucket, request.path, lookup));
            }
        }
        if !self.starts.is_empty() {
            [Some(host), flattened]
                .into_iter()
                .flatten()
                .for_each(|name| visit(&self.starts, name.as_bytes(), lookup));
        }
        if !self.ends.is_empty() {
            [Some(host), flattened]
                .into_iter()
                .flatten()
                .for_each(|name| visit(&self.ends, &backwards(name.as_bytes()), lookup));
        }
        visit(&self.any, request.path, lookup);
    }

    /// Adds a route; one with the same name gives way and is returned.
    pub fn insert(&mut self, route: Route<T>) -> Option<Arc<Route<T>>> {
        let replaced = self.remove(&route.name);
        let route = Arc::new(route);
        for entry in key::entries(&route.matcher) {
            let text = entry.text();
            // A trie of hosts says nothing of the path, and a cut text not enough of anything.
            let is_enough = entry.is_by_path() && text.len() <= MAX_KEY;
            let residual = entry.residual.as_ref().filter(|_| is_enough);
            let residual = residual.map(|residual| residual.iter().copied().cloned().collect());
            let slot = Slot::new(
                Arc::clone(&route),
                is_enough && entry.path.is_whole,
                residual,
            );
            self.at(entry.host, |bucket| bucket.insert(cut(&text), slot));
        }
        let name = Arc::clone(&route.name);
        self.routes.get_or_insert_with(name, || route);
        replaced
    }

    /// Takes out the route with this name.
    pub fn remove(&mut self, name: &str) -> Option<Arc<Route<T>>> {
        let route = self.routes.remove(name)?;
        for entry in key::entries(&route.matcher) {
            self.at(entry.host, |bucket| bucket.remove(cut(&entry.text()), name));
        }
        Some(route)
    }

    /// Changes the bucket for this host, which is made for that if need be and not kept if it is empty then.
    fn at(&mut self, host: HostKey<'_>, change: impl FnOnce(&mut Node<T>)) {
        let (buckets, name) = match host {
            HostKey::Any => return change(Arc::make_mut(&mut self.any)),
            HostKey::StartingWith(_) => return change(Arc::make_mut(&mut self.starts)),
            HostKey::EndingWith(_) => return change(Arc::make_mut(&mut self.ends)),
            HostKey::Exact(name) => (&mut self.exact, name),
            HostKey::Under(tail) => (&mut self.under, tail),
        };
        let name = name.as_bytes();
        let bucket = buckets.get_or_insert_with(name.into(), || Arc::new(Node::new()));
        let node = Arc::make_mut(bucket);
        change(node);
        if node.is_empty() {
            buckets.remove(name);
        }
    }

    /// Returns the routes in the order in which they are tried.
    #[must_use]
    pub fn routes(&self) -> Vec<&Route<T>> {
        let mut routes: Vec<&Route<T>> = self.routes.values().map(|route| &**route).collect();
        routes.sort_unstable_by(|left, right| left.order(right));
        routes
    }

    /// Returns the number of routes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.routes.len()
    }

    /// Tells whether there is no route.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.routes.len() == 0
    }
}

impl<T> Default for RouteTable<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// Shares the routes with the original.
impl<T> Clone for RouteTable<T> {
    fn clone(&self) -> Self {
        Self {
            routes: self.routes.clone(),
            exact: self.exact.clone(),
            under: self.under.clone(),
            starts: Arc::clone(&self.starts),
            ends: Arc::clone(&self.ends),
            any: Arc::clone(&self.any),
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for RouteTable<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.routes()).finish()
    }
}

/// Of several routes with one name the last counts.
impl<T> FromIterator<Route<T>> for RouteTable<T> {
    fn from_iter<I: IntoIterator<Item = Route<T>>>(routes: I) -> Self {
        let mut table = Self::new();
        for route in routes {
            table.insert(route);
        }
        table
    }
}

/// Cuts a text to the length that the index looks at.
fn cut(text: &[u8]) -> &[u8] {
    text.get(..MAX_KEY).unwrap_or(text)
}
