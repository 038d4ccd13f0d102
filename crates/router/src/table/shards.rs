use std::borrow::Borrow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, Hash};
use std::iter::repeat_with;
use std::sync::Arc;

use foldhash::fast::RandomState;

/// A hash map whose clones share all but what they change.
///
/// In parts, of which a change copies one: there are many entries, and a clone for each change of the configuration.
#[derive(Debug)]
pub(super) struct Shards<K, V> {
    /// Another one than those of the parts, in which all keys would look alike.
    hasher: RandomState,
    /// None, or a power of [`GROWTH`].
    shards: Vec<Arc<Shard<K, V>>>,
    len: usize,
}

type Shard<K, V> = HashMap<K, V, RandomState>;

/// When there are more than this many entries for each shard, there have to be more shards.
const LARGEST_MEAN: usize = 64;

/// How many times more.
const GROWTH: usize = 4;

impl<K, V> Shards<K, V> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.shards.iter().flat_map(|shard| shard.values())
    }
}

impl<K: Hash + Eq, V> Shards<K, V> {
    pub(super) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        if self.len == 0 {
            return None;
        }
        self.shards[self.place(key)].get(key)
    }

    /// The shard of a key, of which there must be one.
    fn place<Q: Hash + ?Sized>(&self, key: &Q) -> usize {
        let [low, high, ..] = self.hasher.hash_one(key).to_le_bytes();
        usize::from(u16::from_le_bytes([low, high])) % self.shards.len()
    }
}

impl<K: Hash + Eq + Clone, V: Clone> Shards<K, V> {
    /// The value of a key, to be changed; a new key gets the default.
    pub(super) fn get_or_insert_with(&mut self, key: K, default: impl FnOnce() -> V) -> &mut V {
        if self.len >= self.shards.len() * LARGEST_MEAN {
            self.grow();
        }
        let place = self.place(&key);
        match Arc::make_mut(&mut self.shards[place]).entry(key) {
            Entry::Occupied(present) => present.into_mut(),
            Entry::Vacant(vacant) => {
                self.len += 1;
                vacant.insert(default())
            }
        }
    }

    pub(super) fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.get(key)?;
        let place = self.place(key);
        self.len -= 1;
        Arc::make_mut(&mut self.shards[place]).remove(key)
    }

    fn grow(&mut self) {
        let count = (self.shards.len() * GROWTH).max(1);
        let before = std::mem::take(&mut self.shards);
        self.shards = repeat_with(Arc::default).take(count).collect();
        for (key, value) in before.iter().flat_map(|shard| shard.iter()) {
            let place = self.place(key);
            Arc::make_mut(&mut self.shards[place]).insert(key.clone(), value.clone());
        }
    }
}

impl<K, V> Default for Shards<K, V> {
    fn default() -> Self {
        Self {
            hasher: RandomState::default(),
            shards: Vec::new(),
            len: 0,
        }
    }
}

impl<K, V> Clone for Shards<K, V> {
    fn clone(&self) -> Self {
        Self {
            hasher: self.hasher.clone(),
            shards: self.shards.clone(),
            len: self.len,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_go_their_own_ways() {
        let mut first = Shards::<String, usize>::default();
        assert_eq!((first.len(), first.get("0")), (0, None));
        assert_eq!(first.remove("0"), None);
        let count = 3 * LARGEST_MEAN * GROWTH;
        for number in 0..count {
            *first.get_or_insert_with(number.to_string(), || 0) = number;
        }
        let mut second = first.clone();
        for number in (0..count).step_by(2) {
            assert_eq!(second.remove(number.to_string().as_str()), Some(number));
        }
        *second.get_or_insert_with("1".to_owned(), || 0) += 1;
        for number in 0..count {
            let key = number.to_string();
            let expected = match number {
                1 => Some(2),
                _ => (number % 2 == 1).then_some(number),
            };
            assert_eq!(second.get(key.as_str()).copied(), expected, "{key}");
            assert_eq!(first.get(key.as_str()), Some(&number), "{key}");
        }
        assert_eq!((first.len(), second.len()), (count, count / 2));
        assert_eq!(first.values().sum::<usize>(), (0..count).sum());
    }
}
