//! What may a user say? Traefik's dynamic and static configuration as types, with every default,
//! and what is wrong with a text as a value.
//!
//! ```text
//! watch ─► translate ─► [merge] ─► compile ─► publish
//! ```
//!
//! Mirrors `pkg/config/dynamic` and `pkg/config/static` of Traefik 3.7.

pub mod diagnostic;
pub mod duration;
pub mod dynamic;
pub mod elements;
pub mod fuzz;
pub mod internal;
pub mod merge;
pub mod name;
pub mod reason;
pub mod redact;
pub mod static_config;

mod decode;
mod node;

pub use diagnostic::Diagnostic;
pub use name::QualifiedName;
pub use node::Format;
