//! Which servers are up, how busy are they, and how fast?
//!
//! Two sources say that a server is down: checks that ask it, made elsewhere, and the answers to the requests of
//! clients. What both say is in one [`ServerState`] per server, which generations of configuration hand on to each
//! other.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How are servers judged by the answers to clients' requests?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassiveCheck {
    /// Failures count for so long, and a server that failed too often is out for so long.
    pub failure_window: Duration,
    /// So many failures take a server out; 0 counts as 1, and more than [`PassiveCheck::MAX_ATTEMPTS`] as that many.
    pub max_failed_attempts: usize,
    /// How many of the servers, in percent, may be down when another one is taken out? 100 means all, as in Traefik.
    ///
    /// With less, requests go on to servers that fail rather than to few that break down under them.
    pub max_ejected_percent: u8,
}

impl PassiveCheck {
    /// More failures than this are not remembered.
    pub const MAX_ATTEMPTS: usize = 10_000;

    fn attempts(&self) -> usize {
        self.max_failed_attempts.clamp(1, Self::MAX_ATTEMPTS)
    }
}

impl Default for PassiveCheck {
    fn default() -> Self {
        Self {
            failure_window: Duration::from_secs(10),
            max_failed_attempts: 1,
            max_ejected_percent: 100,
        }
    }
}

/// What came of a request?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// An answer with a status below 500.
    Answered,
    /// An answer with a status of 500 or more.
    AnsweredBadly,
    /// No answer, and it was the server's fault or the network's.
    Unanswered,
}

/// What is known of one server, shared by all threads and by generations of configuration.
///
/// ```
/// # fn now() -> std::time::Instant { #[expect(clippy::disallowed_methods, reason = "an example is a rim")] std::time::Instant::now() }
/// use traefikrs_lb::ServerState;
///
/// let state = ServerState::default();
/// assert!(state.is_up(now()));
/// assert!(state.set_up(false), "it was up");
/// assert!(!state.is_up(now()));
/// ```
#[derive(Debug, Default)]
pub struct ServerState {
    /// Nothing set means that there is nothing to look at.
    flags: AtomicU8,
    under_way: AtomicU32,
    /// Mean time to the first byte in microseconds; 0 before the first measurement.
    mean_time: AtomicU32,
    history: Mutex<History>,
}

/// Checks say that it is down.
const DOWN: u8 = 1;
/// It failed too often and is out for a time.
const EJECTED: u8 = 1 << 1;
/// It has come lately.
const FRESH: u8 = 1 << 2;
/// There are failures to forget.
const HAS_FAILED: u8 = 1 << 3;

#[derive(Debug, Default)]
struct History {
    failures: VecDeque<Instant>,
    ejected_until: Option<Instant>,
    /// When it got its first request since it came.
    fresh_since: Option<Instant>,
    times: Times,
}

impl ServerState {
    /// A server that joins others.
    pub(crate) fn fresh() -> Self {
        let state = Self::default();
        state.set(FRESH);
        state
    }

    /// Whether it may get requests.
    pub fn is_up(&self, now: Instant) -> bool {
        match self.flags() & (DOWN | EJECTED) {
            0 => true,
            EJECTED => self.is_back(now),
            _ => false,
        }
    }

    /// Whether checks have nothing against it.
    pub fn is_well(&self) -> bool {
        self.flags() & DOWN == 0
    }

    /// Says what a check of the server found; tells whether that is new.
    pub fn set_up(&self, is_up: bool) -> bool {
        if is_up {
            let was_down = self.flags.fetch_and(!DOWN, Ordering::Relaxed) & DOWN != 0;
            if was_down {
                self.freshen(&mut self.history());
            }
            was_down
        } else {
            self.set(DOWN) & DOWN == 0
        }
    }

    /// Requests that have not ended yet, of those that hold a [`Ticket`].
    pub fn under_way(&self) -> u32 {
        self.under_way.load(Ordering::Relaxed)
    }

    /// Mean time to the first byte in microseconds over the last 100 answers, or fewer if those are old.
    pub(crate) fn mean_time(&self) -> Option<f64> {
        match self.mean_time.load(Ordering::Relaxed) {
            0 => None,
            micros => Some(micros.into()),
        }
    }

    /// The share of its weight that it gets at this time, while it is new.
    pub(crate) fn share(&self, now: Instant, slow_start: Duration) -> f64 {
        /// With less, a light server among heavy ones would wait too long for its first request.
        const SMALLEST: f64 = 0.1;
        if self.flags() & FRESH == 0 {
            return 1.0;
        }
        let mut history = self.history();
        let since = *history.fresh_since.get_or_insert(now);
        let elapsed = now.saturating_duration_since(since);
        if elapsed >= slow_start {
            self.clear(FRESH);
            return 1.0;
        }
        (elapsed.as_secs_f64() / slow_start.as_secs_f64()).max(SMALLEST)
    }

    pub(crate) fn took(&self, time: Duration, now: Instant) {
        let mut history = self.history();
        let mean = history.times.push(time, now);
        self.mean_time.store(mean, Ordering::Relaxed);
    }

    pub(crate) fn succeeded(&self) {
        if self.flags() & HAS_FAILED != 0 {
            let mut history = self.history();
            history.failures.clear();
            self.clear(HAS_FAILED);
        }
    }

    /// Remembers a failure; tells whether the server has failed too often and is still in.
    pub(crate) fn failed(&self, now: Instant, check: &PassiveCheck) -> bool {
        let mut history = self.history();
        let failures = &mut history.failures;
        let counts =
            |failure: &Instant| now.saturating_duration_since(*failure) <= check.failure_window;
        while failures.front().is_some_and(|failure| !counts(failure))
            || failures.len() >= check.attempts()
        {
            failures.pop_front();
        }
        failures.push_back(now);
        let has_failed_too_often = failures.len() >= check.attempts();
        let before = self.set(HAS_FAILED);
        has_failed_too_often && before & (DOWN | EJECTED) == 0
    }

    /// Takes it out until a check finds it up, or for a time; tells whether it was in.
    pub(crate) fn eject(&self, until: Option<Instant>) -> bool {
        let mut history = self.history();
        history.failures.clear();
        self.clear(HAS_FAILED);
        history.ejected_until = until;
        self.set(if until.is_some() { EJECTED } else { DOWN }) & (DOWN | EJECTED) == 0
    }

    /// Lets it in again where nobody is left who would.
    pub(crate) fn forget_unless(&self, is_checked_actively: bool, is_checked_passively: bool) {
        let mut history = self.history();
        let kept = [(DOWN, is_checked_actively), (EJECTED, is_checked_passively)];
        for (flag, _) in kept.into_iter().filter(|(_, is_kept)| !is_kept) {
            let before = self.flags.fetch_and(!flag, Ordering::Relaxed);
            if before & flag != 0 {
                self.freshen(&mut history);
            }
        }
    }

    /// Lets it in again if its time has come.
    fn is_back(&self, now: Instant) -> bool {
        let mut history = self.history();
        let is_over = history.ejected_until.is_none_or(|until| until <= now);
        if is_over {
            history.ejected_until = None;
            self.clear(EJECTED);
            self.freshen(&mut history);
        }
        is_over
    }

    fn freshen(&self, history: &mut History) {
        history.fresh_since = None;
        self.set(FRESH);
    }

    fn flags(&self) -> u8 {
        self.flags.load(Ordering::Relaxed)
    }

    fn set(&self, flag: u8) -> u8 {
        self.flags.fetch_or(flag, Ordering::Relaxed)
    }

    fn clear(&self, flag: u8) {
        self.flags.fetch_and(!flag, Ordering::Relaxed);
    }

    fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that counts as under way until this is dropped: with the last byte of the answer, or with whoever waits
/// for it.
#[derive(Debug, Default)]
#[must_use = "a request without its ticket is not counted"]
pub struct Ticket(Option<Arc<ServerState>>);

impl Ticket {
    pub(crate) fn new(state: &Arc<ServerState>) -> Self {
        state.under_way.fetch_add(1, Ordering::Relaxed);
        Self(Some(Arc::clone(state)))
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(state) = &self.0 {
            state.under_way.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// The last times to a first byte.
#[derive(Debug, Default)]
struct Times {
    micros: VecDeque<(Instant, u32)>,
    sum: u64,
}

impl Times {
    const N: usize = 100;

    /// A server that is hardly asked, because it was slow, must not need 100 answers to show that it no longer is.
    const MAX_AGE: Duration = Duration::from_secs(10);

    /// Takes one in; gives the mean, at least 1 µs.
    fn push(&mut self, time: Duration, now: Instant) -> u32 {
        let counts = |measured: Instant| now.saturating_duration_since(measured) <= Self::MAX_AGE;
        while let Some(&(measured, micros)) = self.micros.front()
            && (self.micros.len() == Self::N || !counts(measured))
        {
            self.micros.pop_front();
            self.sum -= u64::from(micros);
        }
        let micros = u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
        self.micros.push_back((now, micros));
        self.sum += u64::from(micros);
        u32::try_from(self.sum / self.micros.len() as u64)
            .unwrap_or(u32::MAX)
            .max(1)
    }
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "a test needs one time to start from"
)]
mod tests {
    use super::*;

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn failures_count_for_the_window_and_are_forgotten_with_a_success() {
        let start = Instant::now();
        let check = PassiveCheck {
            failure_window: secs(10),
            max_failed_attempts: 3,
            ..PassiveCheck::default()
        };
        let state = ServerState::default();
        let failed_at = |seconds| state.failed(start + secs(seconds), &check);
        assert!(!failed_at(0));
        assert!(!failed_at(5));
        assert!(!failed_at(11), "the first one is too old");
        assert!(failed_at(12));
        state.succeeded();
        assert!(!failed_at(13));
    }

    #[test]
    fn no_number_of_attempts_is_remembered_without_bound() {
        let now = Instant::now();
        let check = PassiveCheck {
            max_failed_attempts: usize::MAX,
            ..PassiveCheck::default()
        };
        let state = ServerState::default();
        let n = (0..PassiveCheck::MAX_ATTEMPTS * 2)
            .filter(|_| state.failed(now, &check))
            .count();
        assert_eq!(n, PassiveCheck::MAX_ATTEMPTS + 1);
        assert_eq!(state.history().failures.len(), PassiveCheck::MAX_ATTEMPTS);
    }

    #[test]
    fn an_ejected_server_is_back_when_its_time_is_over() {
        let start = Instant::now();
        let state = ServerState::default();
        assert!(state.eject(Some(start + secs(10))));
        assert!(!state.eject(Some(start + secs(10))));
        assert!(!state.is_up(start + secs(9)));
        assert!(state.is_up(start + secs(10)));
        assert!(state.is_up(start), "it stays");
    }

    #[test]
    fn only_a_check_lifts_what_it_is_to_lift() {
        let start = Instant::now();
        let state = ServerState::default();
        assert!(state.eject(None));
        assert!(!state.is_up(start + secs(1_000_000)));
        assert!(state.set_up(true));
        assert!(!state.set_up(true));
        assert!(state.is_up(start));
    }

    #[test]
    fn a_server_that_comes_gets_more_and_more() {
        let start = Instant::now();
        let share = |state: &ServerState, seconds| state.share(start + secs(seconds), secs(10));
        assert_eq!(share(&ServerState::default(), 0), 1.0);
        let fresh = ServerState::fresh();
        // Its time begins with its first request.
        let shares: Vec<_> = [100, 101, 105, 110, 100].map(|at| share(&fresh, at)).into();
        assert_eq!(shares, [0.1, 0.1, 0.5, 1.0, 1.0]);
    }

    #[test]
    fn the_mean_is_that_of_the_last_hundred() {
        let start = Instant::now();
        let state = ServerState::default();
        assert_eq!(state.mean_time(), None);
        state.took(Duration::ZERO, start);
        assert_eq!(state.mean_time(), Some(1.0));
        for _ in 0..100 {
            state.took(Duration::from_micros(70), start);
        }
        assert_eq!(state.mean_time(), Some(70.0));
        state.took(secs(1_000_000), start + secs(10));
        assert!(state.mean_time() > Some(40_000_000.0));
        state.took(Duration::from_micros(30), start + secs(21));
        assert_eq!(state.mean_time(), Some(30.0), "the others are too old");
    }

    #[test]
    fn a_ticket_counts_while_it_is_held() {
        let state = Arc::new(ServerState::default());
        let ticket = Ticket::new(&state);
        assert_eq!(state.under_way(), 1);
        drop(ticket);
        assert_eq!(state.under_way(), 0);
    }
}
