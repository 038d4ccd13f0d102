//! Which server is next?
//!
//! ```text
//! accept ─► handshake ─► route ─► apply ─► [ pick ] ─► forward
//! ```
//!
//! A [`Pool`] holds servers of any type and chooses among those that are eligible at the moment: up, and not being
//! drained. It opens no sockets, reads no clock and draws no random numbers of its own.
//!
//! ```
//! use traefikrs_lb::Pool;
//!
//! let mut pool = Pool::new([("a", 3), ("b", 2), ("c", 1)]);
//! let picks: String = (0..6).filter_map(|_| pool.pick(|_| true).copied()).collect();
//! assert_eq!(picks, "ababac");
//! assert_eq!(pool.pick(|_| false), None);
//! ```
//!
//! It mirrors `pkg/server/service/loadbalancer` of Traefik 3.7: the sequence of picks is the same, ties included.

mod pool;
pub mod strategy;

pub use pool::Pool;
