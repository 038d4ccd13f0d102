//! What happens to a request between its route and its server, and to the response on the way back?
//!
//! ```text
//! accept ─► handshake ─► route ─► [ apply ] ─► pick ─► forward
//! ```
//!
//! Each middleware is one validated value, made from what a user wrote: [`AddPrefix`], [`StripPrefix`],
//! [`StripPrefixRegex`], [`ReplacePath`], [`ReplacePathRegex`], [`Headers`], [`RedirectScheme`] and
//! [`RedirectRegex`]. They are [`Transform`]s: a proxy that has compiled its configuration runs a [`Stack`] of them in
//! a loop, without boxing a future or copying a request. A [`Chain`] is a name for several and is resolved before.
//!
//! Alone, or as a stack, they are `tower` layers too:
//!
//! ```
//! use http::{Request, Response};
//! use tower::{ServiceBuilder, ServiceExt};
//! use traefikrs_config::dynamic;
//! use traefikrs_middleware::{ResponseBody, StripPrefix, TransformLayer};
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
//! # runtime.block_on(async {
//! let prefixes = vec!["/api".to_owned()];
//! let strip = StripPrefix::new(&dynamic::StripPrefix { prefixes, ..Default::default() })?;
//! let service = ServiceBuilder::new()
//!     .layer(TransformLayer::new(strip))
//!     .service_fn(async |request: Request<()>| {
//!         Ok::<_, std::convert::Infallible>(Response::new(request.uri().to_string()))
//!     });
//!
//! let request = Request::get("/api/users?page=2").body(())?;
//! let response = service.oneshot(request).await?;
//! // The body is that of the service, or else that of an answer of the middleware.
//! assert!(matches!(response.body(), ResponseBody::Right(target) if target == "/users?page=2"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! It mirrors `pkg/middlewares` of Traefik 3.7.
//! The URI of a request is its only path: what Traefik keeps beside it, decoded and raw, is derived from it.

mod add_prefix;
mod answer;
mod chain;
mod context;
mod error;
mod headers;
mod kind;
mod layer;
mod middleware;
mod redirect;
mod redirect_regex;
mod redirect_scheme;
mod replace_path;
mod replace_path_regex;
mod rewrite;
mod stack;
mod strip_prefix;
mod strip_prefix_regex;
mod transform;

pub use add_prefix::AddPrefix;
pub use answer::Answer;
pub use chain::Chain;
pub use context::Context;
pub use error::{Error, HeaderProblem};
pub use headers::Headers;
pub use kind::Kind;
pub use layer::{ResponseBody, ResponseFuture, TransformLayer, TransformService};
pub use middleware::{Definition, Middleware};
pub use redirect_regex::RedirectRegex;
pub use redirect_scheme::RedirectScheme;
pub use replace_path::ReplacePath;
pub use replace_path_regex::ReplacePathRegex;
pub use rewrite::path;
pub use stack::Stack;
pub use strip_prefix::StripPrefix;
pub use strip_prefix_regex::StripPrefixRegex;
pub use transform::Transform;
