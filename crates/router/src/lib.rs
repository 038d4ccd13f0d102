//! Which router takes this request?
//!
//! A [`Matcher`] is a rule compiled for speed, and a [`RouteTable`] is many of them in order of priority, indexed so
//! that a lookup costs about the same with ten routes and with a hundred thousand. The value of a route is the
//! caller's: this crate knows nothing of services, middlewares or sockets.
//!
//! ```text
//! accept ─► handshake ─► route ─► apply ─► pick ─► forward
//!                        ▲ router: request ─► route
//! ```
//!
//! # Example
//!
//! ```
//! use http::HeaderMap;
//! use traefikrs_router::{Matcher, Priority, Rank, RequestView, Route, RouteTable, canonical_host};
//! use traefikrs_rule::{Syntax, parse};
//!
//! let route = |name: &str, rule: &str| -> Result<_, Box<dyn std::error::Error>> {
//!     let rule = parse(rule, Syntax::V3)?;
//!     let priority = Priority::new(0, &rule);
//!     Ok(Route { name: name.into(), matcher: Matcher::new(&rule)?, priority, rank: Rank::UNLISTED, value: name.len() })
//! };
//! let table: RouteTable<usize> =
//!     [route("site", "Host(`example.com`)")?, route("api", "Host(`example.com`) && PathPrefix(`/api`)")?].into_iter().collect();
//!
//! let headers = HeaderMap::new();
//! let request = RequestView {
//!     method: "GET",
//!     host: &canonical_host("Example.com:8080"),
//!     raw_host: "Example.com:8080",
//!     flattened_host: None,
//!     path: b"/api/users",
//!     query: None,
//!     headers: &headers,
//!     peer: None,
//! };
//! assert_eq!(table.find(&request), Some(&"api".len()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Order
//!
//! The first matching route wins, and routes stand in this order:
//!
//! 1. the higher [`Priority`] first; without one a route has the length of its rule's text;
//! 2. then the lower [`Rank`], the place of its provider in `providers.precedence`;
//! 3. then the smaller name, byte by byte. Traefik leaves this last step to chance, and the winner may change with each
//!    reload; here it never does.
//!
//! # Two tables
//!
//! [`LinearTable`] tries one route after the other and is the definition of the answer. [`RouteTable`] gives the same
//! answers from an index; tests compare the two on random rules and requests. Both have the same methods.
//!
//! # What it mirrors
//!
//! Traefik 3.7.15, `pkg/muxer/http` and `pkg/ip`. What happens to a request before its routing (the normalised path, the
//! canonical host, the headers that rules may see) is the caller's task; see [`RequestView`].

mod client_ip;
mod matcher;
mod priority;
mod quote;
mod request;
mod table;

pub use client_ip::{InvalidRange, IpRange};
pub use matcher::{Matcher, MatcherError, MatcherErrorKind, RegexpError, TemplateError};
pub use priority::{Precedence, Priority, PriorityTooHigh, Rank, UnknownProvider};
pub use request::{RequestView, canonical_host};
pub use table::{LinearTable, Route, RouteTable};
