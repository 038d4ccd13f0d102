//! How does a body come in, and go out, on a stream of HTTP/2?
//!
//! The crate `h2` knows frames, windows and the states of streams. What a proxy needs besides is the same towards its
//! clients and towards its servers: a [`Received`] body is an [`http_body::Body`] that makes room as it is read, and a
//! [`Sending`] body goes out as its receiver makes room, and no faster.
//!
//! ```
//! use std::future::poll_fn;
//!
//! use bytes::Bytes;
//! use h2::{RecvStream, server::SendResponse};
//! use http::{Request, Response};
//! use traefikrs_http2::{Received, Sending};
//!
//! /// Answers with what was asked.
//! async fn echo(request: Request<RecvStream>, mut respond: SendResponse<Bytes>) -> Result<(), h2::Error> {
//!     let (head, stream) = request.into_parts();
//!     let body = Received::new(&head.headers, stream);
//!     let stream = respond.send_response(Response::new(()), false)?;
//!     let mut sending = Sending::new(stream, body);
//!     if poll_fn(|cx| sending.poll(cx)).await.is_err() {
//!         sending.reset(h2::Reason::INTERNAL_ERROR);
//!     }
//!     Ok(())
//! }
//! ```

mod received;
mod sending;
mod trailers;

pub use received::Received;
pub use sending::{SendError, Sending};
