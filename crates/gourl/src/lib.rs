//! What does a request target mean to a server written in Go?
//!
//! Traefik routes, rewrites and forwards requests with Go's `net/url` and `net/http`, whose rules differ from the
//! WHATWG URL standard and from [`http::Uri`](https://docs.rs/http): which escapes are decoded, when one illegal byte
//! changes the meaning of all the others, what a clean path is, which part of a broken query survives.
//! This crate is those rules as pure functions over bytes.
//! Results borrow the input when nothing changes, which is the usual case of a request.
//!
//! ```text
//! accept ─► handshake ─► [ request target ] ─► route ─► apply ─► pick ─► forward
//! ```
//!
//! A raw path takes three steps before a router may compare it:
//!
//! ```
//! use traefikrs_gourl::{canonical_path, routing_path};
//!
//! // 1. escapes are normalised, 2. dot segments and doubled slashes are resolved …
//! let path = canonical_path("/shop//%61ll/../caf%c3%a9%2Fbar")?;
//! assert_eq!(path, "/shop/caf%C3%A9%2Fbar");
//! // … and 3. everything but reserved characters is decoded for matching.
//! assert_eq!(*routing_path(&path), *"/shop/café%2Fbar".as_bytes());
//! # Ok::<(), traefikrs_gourl::InvalidEscape>(())
//! ```
//!
//! It mirrors `net/url` of Go 1.26 and the path handling of Traefik 3.7 (`pkg/server/server_entrypoint_tcp.go`,
//! `pkg/muxer/http/mux.go`).

mod class;
mod escape;
pub mod host;
mod parts;
mod path;
pub mod query;
pub mod reference;
pub mod target;

pub use escape::{InvalidEscape, decode_path, encode_path, normalize_escapes};
pub use path::{Path, canonical_path, escaped_path, normalized_path, routing_path, sanitize};
