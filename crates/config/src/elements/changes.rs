//! What differs between two sets of elements?

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use super::{Chunk, Elements};

/// An element that is new, gone or different.
#[derive(Debug)]
pub struct Change<'e, T, K = Arc<str>> {
    /// Its name.
    pub name: &'e K,
    /// What it was; none if it is new.
    pub before: Option<&'e Arc<T>>,
    /// What it is; none if it is gone.
    pub now: Option<&'e Arc<T>>,
}

/// What is new, gone or different, in the order of the names.
pub struct Changes<'e, T, K = Arc<str>> {
    before: Cursor<'e, T, K>,
    now: Cursor<'e, T, K>,
}

impl<'e, T, K> Changes<'e, T, K> {
    /// What differs between elements of which either may be none at all.
    pub fn between(before: Option<&'e Elements<T, K>>, now: Option<&'e Elements<T, K>>) -> Self {
        Self {
            before: Cursor::new(before),
            now: Cursor::new(now),
        }
    }
}

impl<'e, T: PartialEq, K: Ord> Iterator for Changes<'e, T, K> {
    type Item = Change<'e, T, K>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            Cursor::pass_over_shared(&mut self.before, &mut self.now);
            let (before, now) = (self.before.here(), self.now.here());
            let order = match (before, now) {
                (Some((before, _)), Some((now, _))) => before.cmp(now),
                (Some(_), None) => Ordering::Less,
                (None, _) => Ordering::Greater,
            };
            let (before, now) = match order {
                Ordering::Less => (before, None),
                Ordering::Equal => (before, now),
                Ordering::Greater => (None, now),
            };
            if before.is_some() {
                self.before.advance();
            }
            if now.is_some() {
                self.now.advance();
            }
            let (name, _) = now.or(before)?;
            let (before, now) = (
                before.map(|(_, element)| element),
                now.map(|(_, element)| element),
            );
            if !is_same(before, now) {
                return Some(Change { name, before, now });
            }
        }
    }
}

fn is_same<T: PartialEq>(before: Option<&Arc<T>>, now: Option<&Arc<T>>) -> bool {
    match (before, now) {
        (Some(before), Some(now)) => Arc::ptr_eq(before, now) || before == now,
        (None, None) => true,
        _ => false,
    }
}

impl<T, K> fmt::Debug for Changes<'_, T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes").finish_non_exhaustive()
    }
}

/// A place among elements.
struct Cursor<'e, T, K> {
    chunks: &'e [Arc<Chunk<T, K>>],
    /// Within the first of the chunks.
    place: usize,
}

impl<'e, T, K> Cursor<'e, T, K> {
    fn new(elements: Option<&'e Elements<T, K>>) -> Self {
        Self {
            chunks: elements.map_or(&[], |elements| &elements.chunks),
            place: 0,
        }
    }

    fn here(&self) -> Option<(&'e K, &'e Arc<T>)> {
        let (name, element) = &self.chunks.first()?[self.place];
        Some((name, element))
    }

    fn advance(&mut self) {
        self.place += 1;
        if self
            .chunks
            .first()
            .is_some_and(|chunk| self.place == chunk.len())
        {
            self.chunks = &self.chunks[1..];
            self.place = 0;
        }
    }

    /// Passes over chunks that both begin with and that are one and the same.
    fn pass_over_shared(left: &mut Self, right: &mut Self) {
        while left.place == 0
            && right.place == 0
            && let ([ours, left_rest @ ..], [theirs, right_rest @ ..]) = (left.chunks, right.chunks)
            && Arc::ptr_eq(ours, theirs)
        {
            left.chunks = left_rest;
            right.chunks = right_rest;
        }
    }
}
