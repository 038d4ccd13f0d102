//! How long to wait when something goes wrong again and again.

use std::time::Duration;

/// Traefik: half a second in the middle, then half as much more each time.
const FIRST: Duration = Duration::from_millis(500);
/// Traefik begins anew after half a minute, so that a pause is hardly longer.
const LONGEST: Duration = Duration::from_secs(15);

/// The pauses between attempts of which all have failed.
#[derive(Debug)]
pub(super) struct Backoff(Duration);

impl Backoff {
    /// The next pause, between half and one and a half of what it is in the middle, as chance (0 to 1) will have it:
    /// many who wait for one server do not come back at once.
    pub(super) fn next(&mut self, chance: f64) -> Duration {
        let pause = self.0.mul_f64(0.5 + chance);
        self.0 = self.0.mul_f64(1.5).min(LONGEST);
        pause
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self(FIRST)
    }
}

#[cfg(test)]
mod tests {
    use super::Backoff;

    #[test]
    fn pauses_grow_up_to_a_quarter_of_a_minute() {
        for (chance, expected) in [
            (0.0, [250, 375, 562, 843, 7500]),
            (0.5, [500, 750, 1125, 1687, 15000]),
            (1.0, [750, 1125, 1687, 2531, 22500]),
        ] {
            let mut backoff = Backoff::default();
            let pauses: Vec<_> = (0..20).map(|_| backoff.next(chance).as_millis()).collect();
            assert_eq!(pauses[..4], expected[..4]);
            assert_eq!(pauses[19], expected[4]);
        }
    }
}
