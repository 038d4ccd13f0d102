//! Which server is next?
//!
//! ```text
//! accept ─► handshake ─► route ─► apply ─► [ pick ] ─► forward
//! ```
//!
//! A [`Balancer`] chooses among members that it knows by name and position: the servers of a service, or services of a
//! service. It opens no sockets, reads no clock and draws no random numbers of its own: the time and chance are
//! arguments. Threads share it; what a reload must not lose it [takes over](Balancer::new) from the one before.
//!
//! ```
//! use std::time::Instant;
//! use http::HeaderMap;
//! use rand::{SeedableRng, rngs::SmallRng};
//! use traefikrs_lb::{Balancer, Client, Member, Settings};
//!
//! # fn now() -> Instant { #[expect(clippy::disallowed_methods, reason = "an example is a rim")] Instant::now() }
//! let members = [("http://10.0.0.1", 3), ("http://10.0.0.2", 2), ("http://10.0.0.3", 1)];
//! let members = members.map(|(name, weight)| Member::new(name).weighing(weight));
//! let balancer = Balancer::new(members, Settings::default(), None);
//!
//! let client = Client { ip: [192, 0, 2, 7].into(), headers: &HeaderMap::new() };
//! let mut rng = SmallRng::seed_from_u64(1);
//! let turn: Vec<usize> = (0..6)
//!     .filter_map(|_| balancer.pick(&client, now(), &mut rng))
//!     .map(|pick| pick.index)
//!     .collect();
//! assert_eq!(turn, [0, 1, 0, 1, 0, 2]);
//! ```
//!
//! It mirrors `pkg/server/service/loadbalancer` and the passive half of `pkg/healthcheck` of Traefik 3.7: sequences,
//! cookies and hashes are the same.
//!
//! # Where it differs
//!
//! - A pick always ends: where Traefik searches for ever there is no server.
//! - `leasttime` starves nobody, does not send everything to a server that it knows nothing of, and takes failures for
//!   slow answers.
//! - What is known of a server outlives reloads.
//! - [Slow start](Settings::slow_start) and [a limit to ejection](PassiveCheck::max_ejected_percent) are ours.

mod attempts;
mod balancer;
pub mod failover;
mod fnv;
pub mod health;
pub mod mirror;
pub mod sticky;
pub mod strategy;

pub use attempts::Attempts;
pub use balancer::{Balancer, Client, Member, Pick, Settings};
pub use health::{Outcome, PassiveCheck, ServerState, Ticket};
