use std::time::{Duration, Instant};

/// May a request whose server failed go on to another one?
///
/// Lists of servers are always a little older than the servers, so one that is gone may be picked. When many go at
/// once, as when a deployment shrinks, several may be picked in a row. But where all are gone, asking must end soon.
///
/// ```
/// use std::time::Instant;
/// use traefikrs_lb::Attempts;
///
/// # fn now() -> Instant { #[expect(clippy::disallowed_methods, reason = "an example is a rim")] Instant::now() }
/// let mut attempts = Attempts::since(now());
/// attempts.failed(false);
/// assert!(attempts.another(now()));
/// for _ in 0..Attempts::MOST_HEARD {
///     attempts.failed(true);
/// }
/// assert!(!attempts.another(now()), "it may be this very request that ends servers");
/// ```
#[derive(Debug, Clone)]
pub struct Attempts {
    began: Instant,
    n: usize,
    n_heard: usize,
}

impl Attempts {
    /// How many servers are asked at most.
    pub const MOST: usize = 10;

    /// How many servers may have heard the request at most.
    pub const MOST_HEARD: usize = 3;

    /// When so much time has passed since the first was picked, no other is asked: who waits has waited enough.
    pub const TIME: Duration = Duration::from_secs(10);

    /// None so far; the first server was picked at this time.
    pub fn since(began: Instant) -> Self {
        Self {
            began,
            n: 0,
            n_heard: 0,
        }
    }

    /// A server failed, and may have heard the request before, or not.
    pub fn failed(&mut self, may_have_heard: bool) {
        self.n += 1;
        self.n_heard += usize::from(may_have_heard);
    }

    /// Whether another server may be asked now.
    pub fn another(&self, now: Instant) -> bool {
        self.n < Self::MOST
            && self.n_heard < Self::MOST_HEARD
            && now.saturating_duration_since(self.began) < Self::TIME
    }
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "a test needs one time to start from"
)]
mod tests {
    use super::*;

    #[test]
    fn there_is_an_end_to_it() {
        let start = Instant::now();
        let n_asked = |may_have_heard: bool| {
            let mut attempts = Attempts::since(start);
            let mut n = 0;
            while attempts.another(start) {
                attempts.failed(may_have_heard);
                n += 1;
            }
            n
        };
        assert_eq!((n_asked(false), n_asked(true)), (10, 3));

        let mut attempts = Attempts::since(start);
        attempts.failed(false);
        assert!(attempts.another(start + Duration::from_secs(9)));
        assert!(!attempts.another(start + Attempts::TIME));
    }
}
