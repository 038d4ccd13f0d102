use std::collections::HashMap;
use std::mem;

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
#[derive(Clone, Debug, Default)]
pub struct Wrr {
    /// A binary min-heap by deadline.
    ///
    // Traefik: servers that are due at once come in the order of Go's container/heap, which sets the sequence a client
    // sees; hence not `BinaryHeap` (pkg/server/service/loadbalancer/wrr, 3.7).
    heap: Vec<Due>,
    /// By server; of those that are never picked, too.
    intervals: Vec<f64>,
}

/// When is it a server's turn? Small, for a pick moves several.
#[derive(Clone, Copy, Debug)]
struct Due {
    deadline: f64,
    server: usize,
}

/// How many ineligible entries a pick passes one by one before it takes a short cut.
const SKIPS: usize = 64;

/// How many intervals a deadline may be away from nothing: beyond, rounding would move it noticeably.
pub(super) const FINE: f64 = (1_u64 << 40) as f64;

impl Wrr {
    /// Builds the order of servers that are known by their position; one that weighs 0 or less is never picked.
    pub fn new(weights: impl IntoIterator<Item = i64>) -> Self {
        let nothing = Self::default();
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
        let known: HashMap<usize, f64> = known.map(|due| (due.server, due.deadline)).collect();
        let mut wrr = Self::default();
        for (server, (weight, before)) in servers.into_iter().enumerate() {
            #[expect(
                clippy::cast_precision_loss,
                reason = "Go converts the weight in the same way"
            )]
            let interval = 1.0 / weight as f64;
            wrr.intervals.push(interval);
            if weight <= 0 {
                continue;
            }
            let kept = before.filter(|&before| previous.intervals.get(before) == Some(&interval));
            let kept = kept.and_then(|before| known.get(&before));
            let due = Due {
                deadline: kept.map_or(interval, |deadline| deadline - now),
                server,
            };
            wrr.heap.push(due);
            wrr.sift_up(due, wrr.heap.len() - 1);
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
            .map(|due| due.deadline - self.intervals[due.server]);
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
    #[inline]
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
        if !self.heap.iter().any(|due| eligible(due.server)) {
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
        let candidates = self.heap.iter().filter(|due| eligible(due.server));
        let next = candidates.min_by(|a, b| a.deadline.total_cmp(&b.deadline))?;
        let Due {
            deadline: now,
            server,
        } = *next;
        for due in &mut self.heap {
            let interval = self.intervals[due.server];
            if due.server == server {
                due.deadline += interval / share(server);
            } else if due.deadline < now {
                due.deadline += ((now - due.deadline) / interval).ceil() * interval;
            }
        }
        self.heap.push(Due::NEVER);
        for at in (0..self.heap.len() / 2).rev() {
            self.sift_down(self.heap[at], at);
        }
        self.heap.pop();
        Some(server)
    }

    /// Gives the first entry its next deadline, the later the smaller its share.
    #[inline]
    fn advance_first(&mut self, share: f64) {
        let interval = self.intervals[self.heap[0].server];
        if self.heap[0].deadline > interval * FINE {
            self.count_anew();
        }
        let mut first = self.heap[0];
        first.deadline += interval / share;
        // Pop, then push: the same moves as Go's, without leaving the vector.
        let end = self.heap.len() - 1;
        let last = mem::replace(&mut self.heap[end], Due::NEVER);
        self.sift_down(last, 0);
        self.sift_up(first, end);
    }

    /// Counts deadlines from the first one on.
    fn count_anew(&mut self) {
        let start = self.heap[0].deadline;
        for due in &mut self.heap {
            due.deadline -= start;
        }
    }

    /// Puts an entry here, or above.
    fn sift_up(&mut self, rising: Due, at: usize) {
        let heap = &mut self.heap[..];
        let mut at = at;
        while at > 0 {
            let parent = (at - 1) / 2;
            if !rising.is_before(&heap[parent]) {
                break;
            }
            heap[at] = heap[parent];
            at = parent;
        }
        heap[at] = rising;
    }

    /// Puts an entry here, or below; the last place is left to be [never](Due::NEVER) anybody's turn.
    fn sift_down(&mut self, sinking: Due, at: usize) {
        let heap = &mut self.heap[..];
        let end = heap.len() - 1;
        let mut at = at;
        let mut child = 2 * at + 1;
        while child < end {
            // Added, not branched upon: which child is first cannot be foretold.
            child += usize::from(heap[child + 1].is_before(&heap[child]));
            if !heap[child].is_before(&sinking) {
                break;
            }
            heap[at] = heap[child];
            at = child;
            child = 2 * at + 1;
        }
        heap[at] = sinking;
    }
}

impl Due {
    const NEVER: Self = Self {
        deadline: f64::INFINITY,
        server: usize::MAX,
    };

    // No deadline is negative, so the bits are in the order of the numbers; they are compared quicker.
    fn is_before(&self, other: &Self) -> bool {
        self.deadline.to_bits() < other.deadline.to_bits()
    }
}
