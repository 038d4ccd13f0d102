//! Elements by name, shared between everything that holds them.

use std::borrow::Borrow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Index;
use std::sync::Arc;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

mod changes;

pub use changes::{Change, Changes};

/// Which elements are there, by name?
///
/// A map in the order of the names. A clone shares the elements with the original and costs next to
/// nothing, a change copies the few elements that stand beside it, and what differs between two
/// relatives is found without looking at what they share.
///
/// ```
/// use traefikrs_config::elements::Elements;
///
/// let before: Elements<u8> = [("a", 1_u8), ("b", 2)].into_iter().collect();
/// let mut now = before.clone();
/// now.insert("b", 3_u8);
///
/// let changes: Vec<_> = now.changes_since(&before).collect();
/// assert_eq!((&**changes[0].name, changes.len()), ("b", 1));
/// assert_eq!((*before["b"], *now["b"]), (2, 3));
/// ```
pub struct Elements<T, K = Arc<str>> {
    /// None is empty; each key is greater than all before it, in its chunk and in those before.
    chunks: Vec<Arc<Chunk<T, K>>>,
    len: usize,
}

type Chunk<T, K> = Vec<(K, Arc<T>)>;

/// A chunk that grows beyond this is cut in half.
const LARGEST_CHUNK: usize = 64;

impl<T, K> Elements<T, K> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All of them, in the order of their names.
    pub fn iter(&self) -> Iter<'_, T, K> {
        Iter {
            chunks: self.chunks.iter(),
            chunk: [].iter(),
            left: self.len,
        }
    }

    /// The names, in order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(name, _)| name)
    }

    /// The elements, in the order of their names.
    pub fn values(&self) -> impl Iterator<Item = &Arc<T>> {
        self.iter().map(|(_, element)| element)
    }

    /// The elements, to be changed; copies all that are shared.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut T>
    where
        T: Clone,
        K: Clone,
    {
        let chunks = self.chunks.iter_mut().map(Arc::make_mut);
        chunks.flatten().map(|(_, element)| Arc::make_mut(element))
    }
}

impl<T, K: Ord> Elements<T, K> {
    /// The element of this name.
    pub fn get<Q: Ord + ?Sized>(&self, name: &Q) -> Option<&Arc<T>>
    where
        K: Borrow<Q>,
    {
        self.get_key_value(name).map(|(_, element)| element)
    }

    /// The element of this name with the name as it is kept.
    pub fn get_key_value<Q: Ord + ?Sized>(&self, name: &Q) -> Option<(&K, &Arc<T>)>
    where
        K: Borrow<Q>,
    {
        let (chunk, place) = self.find(name);
        let place = place.ok()?;
        let (name, element) = &self.chunks[chunk][place];
        Some((name, element))
    }

    /// Whether there is an element of this name.
    pub fn contains_key<Q: Ord + ?Sized>(&self, name: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.get(name).is_some()
    }

    /// Adds an element; one of the same name gives way and is returned.
    pub fn insert(&mut self, name: impl Into<K>, element: impl Into<Arc<T>>) -> Option<Arc<T>>
    where
        K: Clone,
    {
        let (name, element) = (name.into(), element.into());
        let (index, place) = self.find(&name);
        let Some(chunk) = self.chunks.get_mut(index) else {
            self.chunks.push(Arc::new(vec![(name, element)]));
            self.len += 1;
            return None;
        };
        let chunk = Arc::make_mut(chunk);
        let place = match place {
            Ok(place) => return Some(std::mem::replace(&mut chunk[place].1, element)),
            Err(place) => place,
        };
        chunk.insert(place, (name, element));
        self.len += 1;
        if chunk.len() > LARGEST_CHUNK {
            let upper = chunk.split_off(chunk.len() / 2);
            self.chunks.insert(index + 1, Arc::new(upper));
        }
        None
    }

    /// Takes out the element of this name.
    pub fn remove<Q: Ord + ?Sized>(&mut self, name: &Q) -> Option<Arc<T>>
    where
        K: Borrow<Q> + Clone,
    {
        let (index, place) = self.find(name);
        let place = place.ok()?;
        let chunk = Arc::make_mut(&mut self.chunks[index]);
        let (_, element) = chunk.remove(place);
        self.len -= 1;
        if chunk.is_empty() {
            self.chunks.remove(index);
        }
        Some(element)
    }

    /// The chunk in which a name stands or would stand, and the place there. There is no such chunk
    /// only when there is none at all.
    fn find<Q: Ord + ?Sized>(&self, name: &Q) -> (usize, Result<usize, usize>)
    where
        K: Borrow<Q>,
    {
        let after = self
            .chunks
            .partition_point(|chunk| chunk[0].0.borrow() <= name);
        let index = after.saturating_sub(1);
        let place = self.chunks.get(index).map_or(Err(0), |chunk| {
            chunk.binary_search_by(|(other, _)| other.borrow().cmp(name))
        });
        (index, place)
    }
}

impl<T: PartialEq, K: Ord> Elements<T, K> {
    /// What is new, gone or different, in the order of the names.
    pub fn changes_since<'e>(&'e self, before: &'e Self) -> Changes<'e, T, K> {
        Changes::between(Some(before), Some(self))
    }

    /// The same elements, shared with those from before wherever they are equal.
    #[must_use]
    pub fn shared_with(&self, before: &Self) -> Self
    where
        K: Clone,
    {
        if before.is_empty() {
            return self.clone();
        }
        let mut shared = before.clone();
        for change in self.changes_since(before) {
            match change.now {
                Some(element) => drop(shared.insert(change.name.clone(), Arc::clone(element))),
                None => drop(shared.remove(change.name)),
            }
        }
        shared
    }
}

impl<T, K> Default for Elements<T, K> {
    fn default() -> Self {
        Self {
            chunks: Vec::new(),
            len: 0,
        }
    }
}

impl<T, K> Clone for Elements<T, K> {
    fn clone(&self) -> Self {
        Self {
            chunks: self.chunks.clone(),
            len: self.len,
        }
    }
}

impl<T: PartialEq, K: Ord> PartialEq for Elements<T, K> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.changes_since(other).next().is_none()
    }
}

impl<T: fmt::Debug, K: fmt::Debug> fmt::Debug for Elements<T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<T, K: Ord, Q: Ord + ?Sized> Index<&Q> for Elements<T, K>
where
    K: Borrow<Q>,
{
    type Output = Arc<T>;

    fn index(&self, name: &Q) -> &Arc<T> {
        self.get(name).expect("an element of this name")
    }
}

/// Of several elements with one name the last counts.
impl<T, K: Ord, N: Into<K>, E: Into<Arc<T>>> FromIterator<(N, E)> for Elements<T, K> {
    fn from_iter<I: IntoIterator<Item = (N, E)>>(elements: I) -> Self {
        let elements = elements.into_iter();
        let mut sorted: Chunk<T, K> = elements
            .map(|(name, element)| (name.into(), element.into()))
            .collect();
        sorted.sort_by(|(left, _), (right, _)| left.cmp(right));
        sorted.dedup_by(|later, earlier| {
            let is_same = later.0 == earlier.0;
            if is_same {
                std::mem::swap(later, earlier);
            }
            is_same
        });
        let len = sorted.len();
        let mut chunks = Vec::with_capacity(len.div_ceil(LARGEST_CHUNK));
        let mut rest = sorted.into_iter();
        while rest.len() > 0 {
            chunks.push(Arc::new(rest.by_ref().take(LARGEST_CHUNK).collect()));
        }
        Self { chunks, len }
    }
}

impl<T, K: Ord + Clone, N: Into<K>, E: Into<Arc<T>>> Extend<(N, E)> for Elements<T, K> {
    fn extend<I: IntoIterator<Item = (N, E)>>(&mut self, elements: I) {
        let more = elements.into_iter();
        let mut more: Vec<(K, Arc<T>)> = more
            .map(|(name, element)| (name.into(), element.into()))
            .collect();
        if more.len() < self.len {
            for (name, element) in more {
                self.insert(name, element);
            }
            return;
        }
        let present = self.iter();
        let mut all: Vec<_> = present
            .map(|(name, element)| (name.clone(), Arc::clone(element)))
            .collect();
        all.append(&mut more);
        *self = all.into_iter().collect();
    }
}

/// Elements in the order of their names.
pub struct Iter<'e, T, K = Arc<str>> {
    chunks: std::slice::Iter<'e, Arc<Chunk<T, K>>>,
    chunk: std::slice::Iter<'e, (K, Arc<T>)>,
    left: usize,
}

impl<'e, T, K> Iterator for Iter<'e, T, K> {
    type Item = (&'e K, &'e Arc<T>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((name, element)) = self.chunk.next() {
                self.left -= 1;
                return Some((name, element));
            }
            self.chunk = self.chunks.next()?.iter();
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<T, K> ExactSizeIterator for Iter<'_, T, K> {}

impl<T, K> fmt::Debug for Iter<'_, T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter")
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

impl<'e, T, K> IntoIterator for &'e Elements<T, K> {
    type Item = (&'e K, &'e Arc<T>);
    type IntoIter = Iter<'e, T, K>;

    fn into_iter(self) -> Iter<'e, T, K> {
        self.iter()
    }
}

impl<T: Serialize, K: Serialize> Serialize for Elements<T, K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let elements = self.iter();
        serializer.collect_map(elements.map(|(name, element)| (name, &**element)))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Elements<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ByName(PhantomData))
    }
}

struct ByName<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ByName<T> {
    type Value = Elements<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("elements by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Elements<T>, A::Error> {
        let mut elements = Vec::new();
        while let Some((name, element)) = map.next_entry::<String, T>()? {
            elements.push((name, element));
        }
        Ok(elements.into_iter().collect())
    }
}

#[cfg(test)]
mod tests;
