//! How is the next server chosen?
//!
//! A strategy knows servers by their position and is told with each pick which of them are eligible.

use std::str::FromStr;

mod hrw;
mod least_time;
mod p2c;
mod wrr;

pub use hrw::highest;
pub use least_time::{LeastTime, Load};
pub use p2c::less_loaded;
pub use wrr::Wrr;

/// Which strategy?
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Strategy {
    /// In turn, by weight: [`Wrr`].
    #[default]
    Wrr,
    /// The one with fewer requests under way of two chosen at random: [`less_loaded`].
    P2c,
    /// By the client's address: [`highest`].
    Hrw,
    /// The one that answers soonest: [`LeastTime`].
    LeastTime,
}

/// There is no such strategy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected wrr, p2c, hrw or leasttime")]
pub struct UnknownStrategy;

impl FromStr for Strategy {
    type Err = UnknownStrategy;

    /// Traefik's words; nothing means `wrr`.
    fn from_str(text: &str) -> Result<Self, UnknownStrategy> {
        match text {
            "" | "wrr" => Ok(Self::Wrr),
            "p2c" => Ok(Self::P2c),
            "hrw" => Ok(Self::Hrw),
            "leasttime" => Ok(Self::LeastTime),
            _ => Err(UnknownStrategy),
        }
    }
}
