//! A world to put balancers into.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use rand::rngs::SmallRng;
use rand::{Rng, RngExt, SeedableRng};
use traefikrs_lb::strategy::Strategy;
use traefikrs_lb::{Balancer, Client, Member, Outcome, Pick, Settings, Ticket};

pub(crate) const STRATEGIES: [Strategy; 4] = [
    Strategy::Wrr,
    Strategy::P2c,
    Strategy::Hrw,
    Strategy::LeastTime,
];

pub(crate) const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) fn member(n: usize) -> Member {
    Member::new(format!("http://10.0.0.{n}:80"))
}

pub(crate) fn using(strategy: Strategy) -> Settings {
    Settings {
        strategy,
        ..Settings::default()
    }
}

/// A balancer with a clock and clients.
pub(crate) struct World {
    pub(crate) balancer: Balancer,
    start: Instant,
    pub(crate) now: Duration,
    pub(crate) rng: SmallRng,
}

impl World {
    pub(crate) fn new(balancer: Balancer, seed: u64) -> Self {
        Self {
            balancer,
            start: Instant::now(),
            now: Duration::ZERO,
            rng: SmallRng::seed_from_u64(seed),
        }
    }

    pub(crate) fn at(&self) -> Instant {
        self.start + self.now
    }

    pub(crate) fn pick(&mut self) -> Option<Pick<'_>> {
        let client = Client {
            ip: [10, 1, self.rng.random(), self.rng.random()].into(),
            headers: &HeaderMap::new(),
        };
        let now = self.at();
        self.balancer.pick(&client, now, &mut self.rng)
    }

    pub(crate) fn pick_with(&mut self, cookie: &str) -> Option<Pick<'_>> {
        let cookie = HeaderValue::try_from(cookie).unwrap();
        let client = Client {
            ip: [10, 1, 1, 1].into(),
            headers: &HeaderMap::from_iter([(COOKIE, cookie)]),
        };
        let now = self.at();
        self.balancer.pick(&client, now, &mut self.rng)
    }

    pub(crate) fn ask(&mut self, outcome: Outcome) -> Option<usize> {
        let index = self.pick()?.index;
        self.balancer.observe(index, outcome, millis(1), self.at());
        Some(index)
    }

    /// Requests that come every `gap` and that server `i` answers after `time(i)`; how many each got.
    pub(crate) fn run(
        &mut self,
        n_requests: usize,
        gap: Duration,
        mut time: impl FnMut(usize, &mut SmallRng) -> Duration,
    ) -> Vec<usize> {
        let mut counts = vec![0; 16];
        let mut tickets: Vec<Option<(usize, Duration, Ticket)>> = Vec::new();
        let mut ends = BinaryHeap::new();
        for _ in 0..n_requests {
            self.now += gap;
            while let Some(&Reverse((end, id))) = ends.peek() {
                if end > self.now {
                    break;
                }
                ends.pop();
                let id: usize = id;
                let (index, took, ticket) = tickets[id].take().unwrap();
                self.balancer
                    .observe(index, Outcome::Answered, took, self.at());
                drop(ticket);
            }
            let Pick { index, ticket, .. } = self.pick().unwrap();
            counts[index] += 1;
            let took = time(index, &mut self.rng);
            ends.push(Reverse((self.now + took, tickets.len())));
            tickets.push(Some((index, took, ticket)));
        }
        counts
    }
}

/// A time around `mean`, mostly less and sometimes much more.
pub(crate) fn exponential(mean: Duration, rng: &mut impl Rng) -> Duration {
    mean.mul_f64(-rng.random::<f64>().max(f64::MIN_POSITIVE).ln())
}
