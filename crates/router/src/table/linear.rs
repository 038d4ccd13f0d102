use std::collections::HashMap;
use std::sync::Arc;

use crate::{RequestView, Route};

/// Which route takes this request, found by trying one after the other?
///
/// The definition of the answer, to compare [`RouteTable`](crate::RouteTable) with and to understand it by.
#[derive(Debug)]
pub struct LinearTable<T> {
    routes: Vec<Arc<Route<T>>>,
}

impl<T> LinearTable<T> {
    /// Makes a table without routes.
    #[must_use]
    pub fn new() -> Self {
        Self { routes: Vec::new() }
    }

    /// Finds the value of the first route that matches.
    #[must_use]
    pub fn find(&self, request: &RequestView<'_>) -> Option<&T> {
        self.find_route(request).map(|route| &route.value)
    }

    /// Finds the first route that matches.
    #[must_use]
    pub fn find_route(&self, request: &RequestView<'_>) -> Option<&Route<T>> {
        self.routes
            .iter()
            .find(|route| route.matcher.matches(request))
            .map(|route| &**route)
    }

    /// Finds all routes that match, in order.
    #[must_use]
    pub fn find_all(&self, request: &RequestView<'_>) -> Vec<&Route<T>> {
        self.routes
            .iter()
            .filter(|route| route.matcher.matches(request))
            .map(|route| &**route)
            .collect()
    }

    /// Adds a route; one with the same name gives way and is returned.
    pub fn insert(&mut self, route: Route<T>) -> Option<Arc<Route<T>>> {
        let replaced = self.remove(&route.name);
        let place = self
            .routes
            .partition_point(|other| other.order(&route).is_lt());
        self.routes.insert(place, Arc::new(route));
        replaced
    }

    /// Takes out the route with this name.
    pub fn remove(&mut self, name: &str) -> Option<Arc<Route<T>>> {
        let place = self.routes.iter().position(|route| &*route.name == name)?;
        Some(self.routes.remove(place))
    }

    /// Returns the routes in the order in which they are tried.
    #[must_use]
    pub fn routes(&self) -> Vec<&Route<T>> {
        self.routes.iter().map(|route| &**route).collect()
    }

    /// Returns the number of routes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.routes.len()
    }

    /// Tells whether there is no route.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.routes.is_empty()
    }
}

impl<T> Default for LinearTable<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// Shares the routes with the original.
impl<T> Clone for LinearTable<T> {
    fn clone(&self) -> Self {
        Self {
            routes: self.routes.clone(),
        }
    }
}

/// Of several routes with one name the last counts.
impl<T> FromIterator<Route<T>> for LinearTable<T> {
    fn from_iter<I: IntoIterator<Item = Route<T>>>(routes: I) -> Self {
        let by_name: HashMap<_, _> = routes
            .into_iter()
            .map(|route| (Arc::clone(&route.name), Arc::new(route)))
            .collect();
        let mut routes: Vec<_> = by_name.into_values().collect();
        routes.sort_unstable_by(|left, right| left.order(right));
        Self { routes }
    }
}
