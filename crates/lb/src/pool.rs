use rand::Rng;
use rand::seq::SliceRandom;

use crate::strategy::Wrr;

/// Servers with weights, and whose turn it is.
#[derive(Clone, Debug)]
pub struct Pool<S> {
    servers: Vec<S>,
    wrr: Wrr,
}

impl<S> Pool<S> {
    /// Builds a pool that starts with the first of the heaviest servers.
    ///
    /// A server with a weight of 0 or less is kept but never picked.
    pub fn new(members: impl IntoIterator<Item = (S, i64)>) -> Self {
        let (servers, weights): (Vec<_>, Vec<_>) = members.into_iter().unzip();
        Self {
            servers,
            wrr: Wrr::new(weights),
        }
    }

    /// Builds a pool in random order, so that many proxies with one configuration do not start on one server.
    pub fn shuffled(members: impl IntoIterator<Item = (S, i64)>, rng: &mut impl Rng) -> Self {
        let mut members: Vec<_> = members.into_iter().collect();
        members.shuffle(rng);
        Self::new(members)
    }

    /// All servers in the order of the pool.
    pub fn servers(&self) -> &[S] {
        &self.servers
    }

    /// Tells whether there are no servers.
    pub fn is_empty(&self) -> bool {
        self.servers.is_empty()
    }

    /// The next server that is eligible; `None` when no server is.
    pub fn pick(&mut self, eligible: impl Fn(&S) -> bool) -> Option<&S> {
        let Self { servers, wrr } = self;
        let server = wrr.pick(|server| eligible(&servers[server]))?;
        Some(&servers[server])
    }

    /// Finds a server that may be picked; one that weighs nothing is no target of a sticky session either.
    pub fn find(&self, wanted: impl Fn(&S) -> bool) -> Option<&S> {
        let server = self.servers.iter().position(wanted)?;
        self.wrr.contains(server).then(|| &self.servers[server])
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn a_server_that_weighs_nothing_is_kept_but_not_found() {
        let pool = Pool::new([("a", 1), ("b", 0)]);
        assert_eq!(pool.servers(), ["a", "b"]);
        assert_eq!(pool.find(|&server| server == "a"), Some(&"a"));
        assert_eq!(pool.find(|&server| server == "b"), None);
    }

    #[test]
    fn shuffling_moves_servers_with_their_weights() {
        let members: Vec<_> = (0..50).map(|n| (n, i64::from(n % 2))).collect();
        let mut pool = Pool::shuffled(members, &mut StdRng::seed_from_u64(1));
        assert!(!pool.servers().is_sorted());
        for _ in 0..25 {
            assert_eq!(pool.pick(|_| true).unwrap() % 2, 1);
        }
    }
}
