//! The only place that reads the clock.

use std::time::Instant;

#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark measures time as it passes"
)]
pub(super) fn now() -> Instant {
    Instant::now()
}
