use std::collections::HashMap;

/// Weighted round robin: each server gets its share, spread as evenly as the weights allow.
///
/// Earliest deadline first: a server of weight w is due every 1/w, and the one that is due first is next.
///
/// ```
/// use traefikrs_lb::strategy::Wrr;
///
/// let mut wrr = Wrr::new([3, 2, 1]);
/// let turn: Vec<_> = (0..6).filter_map(|_| wrr.pick(|_| true)).collect();
/// assert_eq!(turn, [0, 1, 0, 1, 0, 2]);
/// ```
#[derive(Clone, Debug)]
pub struct Wrr {
    /// A binary min-heap by deadline.
    ///
    // Traefik: servers that are due at once come in the order of Go's container/heap, which sets the sequence a client
    // sees; hence not `BinaryHeap` (pkg/server/service/loadbalancer/wrr, 3.7).
    heap: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    deadline: f64,
    interval: f64,
    server: usize,
}

/// How many ineligible entries a pick passes one by one before it takes a short cut.
const SKIPS: usize = 64;

/// How many intervals a deadline may be away from nothing: beyond, rounding would move it noticeably.
pub(super) const FINE: f64 = (1_u64 << 40) as f64;

impl Wrr {
    /// Builds the order of servers that are known by their position; one that weighs 0 or less is never picked.
    pub fn new(weights: impl IntoIterator<Item = i64>) -> Self {
        let nothing = Self { heap: Vec::new() };
        Self::following(&nothing, weights.into_iter().map(|weight| (weight, None)))
    }

    /// Builds the order of servers some of which had a position before: those keep their place in the turn, as far as
    /// they weigh the same.
    ///
    /// Without that, the light and the last would never be asked while changes come faster than their turns.
    ///
    /// ```
    /// use traefikrs_lb::strategy::Wrr;
    ///
    /// let mut before = Wrr::new([1, 1]);
    /// assert_eq!(before.pick(|_| true), Some(0));
    /// let mut now = Wrr::following(&before, [(1, Some(0)), (1, Some(1)), (1, None)]);
    /// assert_eq!(now.pick(|_| true), Some(1));
    /// ```
    pub fn following(
        previous: &Self,
        servers: impl IntoIterator<Item = (i64, Option<usize>)>,
    ) -> Self {
        let now = previous.now();
        let known = previous.heap.iter();
        let known: HashMap<usize, &Entry> = known.map(|entry| (entry.server, entry)).collect();
        let mut wrr = Self { heap: Vec::new() };
        for (server, (weight, before)) in servers.into_iter().enumerate() {
            if weight <= 0 {
                continue;
            }
            #[expect(
                clippy::cast_precision_loss,
                reason = "Go converts the weight in the same way"
            )]
            let interval = 1.0 / weight as f64;
            let known = before.and_then(|before| known.get(&before));
            let kept = known.filter(|known| known.interval == interval);
            wrr.heap.push(Entry {
                deadline: kept.map_or(interval, |kept| kept.deadline - now),
                interval,
                server,
            });
            wrr.sift_up(wrr.heap.len() - 1);
        }
        wrr
    }

    /// The deadline of the last pick, as far as it can be told.
    fn now(&self) -> f64 {
        let Some(first) = self.heap.first() else {
            return 0.0;
        };
        let picked = self
            .heap
            .iter()
            .map(|entry| entry.deadline - entry.interval);
        // One that gets only a share was picked longer ago.
        picked.fold(0.0, f64::max).min(first.deadline)
    }

    /// The next server that is eligible; `None` when no server is, and then nobody's turn passes.
    ///
    /// An ineligible server whose turn comes loses it.
    pub fn pick(&mut self, eligible: impl Fn(usize) -> bool) -> Option<usize> {
        self.pick_by(eligible, |_| 1.0)
    }

    /// The same among servers that get only a share of what their weight says, greater than 0 and up to 1.
    pub fn pick_by(
        &mut self,
        eligible: impl Fn(usize) -> bool,
        share: impl Fn(usize) -> f64,
    ) -> Option<usize> {
        let first = self.heap.first()?.server;
        if eligible(first) {
            self.advance_first(share(first));
            return Some(first);
        }
        // Traefik: it would search for ever here.
        if !self.heap.iter().any(|entry| eligible(entry.server)) {
            return None;
        }
        for _ in 0..self.heap.len() + SKIPS {
            self.advance_first(1.0);
            let first = self.heap[0].server;
            if eligible(first) {
                self.advance_first(share(first));
                return Some(first);
            }
        }
        self.overtake(eligible, share)
    }

    /// Takes the eligible entry that is due first and lets all others that were due before lose their turns at once.
    ///
    /// Passing them one by one could take as many steps as there are between the weights.
    fn overtake(
        &mut self,
        eligible: impl Fn(usize) -> bool,
        share: impl Fn(usize) -> f64,
    ) -> Option<usize> {
        let candidates = self.heap.iter().filter(|entry| eligible(entry.server));
        let next = candidates.min_by(|a, b| a.deadline.total_cmp(&b.deadline))?;
        let Entry {
            deadline: now,
            server,
            ..
        } = *next;
        for entry in &mut self.heap {
            if entry.server == server {
                entry.deadline += entry.interval / share(server);
            } else if entry.deadline < now {
                entry.deadline += ((now - entry.deadline) / entry.interval).ceil() * entry.interval;
            }
        }
        for at in (0..self.heap.len() / 2).rev() {
            self.sift_down(at, self.heap.len());
        }
        Some(server)
    }

    /// Gives the first entry its next deadline, the later the smaller its share.
    fn advance_first(&mut self, share: f64) {
        if self.heap[0].deadline > self.heap[0].interval * FINE {
            self.count_anew();
        }
        let last = self.heap.len() - 1;
        // Pop, then push: the same moves as Go's, without leaving the vector.
        self.heap.swap(0, last);
        self.sift_down(0, last);
        self.heap[last].deadline += self.heap[last].interval / share;
        self.sift_up(last);
    }

    /// Counts deadlines from the first one on.
    fn count_anew(&mut self) {
        let start = self.heap[0].deadline;
        for entry in &mut self.heap {
            entry.deadline -= start;
        }
    }

    fn sift_up(&mut self, at: usize) {
        let mut at = at;
        while at > 0 {
            let parent = (at - 1) / 2;
            if !self.is_before(at, parent) {
                break;
            }
            self.heap.swap(at, parent);
            at = parent;
        }
    }

    /// Only entries before `len` take part.
    fn sift_down(&mut self, at: usize, len: usize) {
        let mut at = at;
        loop {
            let left = 2 * at + 1;
            if left >= len {
                break;
            }
            let right = left + 1;
            let child = if right < len && self.is_before(right, left) {
                right
            } else {
                left
            };
            if !self.is_before(child, at) {
                break;
            }
            self.heap.swap(at, child);
            at = child;
        }
    }

    fn is_before(&self, a: usize, b: usize) -> bool {
        self.heap[a].deadline < self.heap[b].deadline
    }
}
