//! How is the next server chosen?
//!
//! A strategy knows servers by their position and is told with each pick which of them are eligible.

mod wrr;

pub use wrr::Wrr;
