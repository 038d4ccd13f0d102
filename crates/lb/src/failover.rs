//! Does the main service answer, or its stand-in?

/// Who answers?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// The main service.
    Main,
    /// The service that stands in for it.
    Fallback,
}

/// The main service while it is up, else the fallback while that is up; `None` when neither is.
///
/// ```
/// use traefikrs_lb::failover::{Choice, choose};
///
/// assert_eq!(choose(true, || true), Some(Choice::Main));
/// assert_eq!(choose(false, || true), Some(Choice::Fallback));
/// assert_eq!(choose(false, || false), None);
/// ```
pub fn choose(main_is_up: bool, fallback_is_up: impl FnOnce() -> bool) -> Option<Choice> {
    if main_is_up {
        Some(Choice::Main)
    } else {
        fallback_is_up().then_some(Choice::Fallback)
    }
}
