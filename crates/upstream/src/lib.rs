//! Asks a server and streams its answer, on the thread that needs it.
//!
//! The last stage of a request's journey: accept ─► handshake ─► route ─► apply ─► pick ─► **forward**.
//! [`Upstreams`] keeps the connections of one thread; [`Upstreams::send`] takes a connection from it or makes one,
//! writes an [`Outgoing`] request and gives an [`Answer`].
//! There is no second task and no channel between the caller and the socket of an HTTP/1 exchange, unless the answer
//! begins before the request has ended: then the rest of the request is sent by a task of its own. So it is over
//! HTTP/2, but for the frames, which a task of each connection reads and writes. Nothing here is `Send`: run it inside
//! a `LocalSet` or a `LocalRuntime`.
//!
//! It mirrors what Traefik 3.7 does in `pkg/proxy/httputil` and `pkg/server/service/transport.go` with Go's
//! `net/http.Transport`, and says in comments where it does better.
//!
//! ```
//! use http::Method;
//! use http_body_util::{BodyExt, Empty};
//! use tokio::{io::{AsyncReadExt, AsyncWriteExt}, net::TcpListener};
//! use traefikrs_upstream::{Answer, Host, Limits, Outgoing, Peer, Scheme, Target, Upstreams};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build_local(Default::default())?.block_on(async {
//! let server = TcpListener::bind("127.0.0.1:0").await?;
//! let address = server.local_addr()?;
//! let serve = async {
//!     let (mut connection, _) = server.accept().await?;
//!     connection.read(&mut [0; 1024]).await?;
//!     connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").await
//! };
//!
//! let upstreams = Upstreams::new();
//! let peer = Peer { pool: 1, scheme: Scheme::Http, host: Host::Ip(address.ip()), port: address.port() };
//! let ask = async {
//!     let mut request = Outgoing::new(Method::GET, Target::try_from("/")?, Empty::new());
//!     match upstreams.send(&peer, &Limits::default(), &mut request).await? {
//!         Answer::Response { head, body } => {
//!             assert_eq!(head.status, 200);
//!             assert_eq!(body.collect().await?.to_bytes(), "hello");
//!         }
//!         Answer::Upgraded { .. } => unreachable!("nobody asked for another protocol"),
//!     }
//!     Ok::<_, Box<dyn std::error::Error>>(())
//! };
//! let (served, asked) = tokio::join!(serve, ask);
//! served?;
//! asked?;
//! assert_eq!(upstreams.stats().idle, 1);
//! # Ok::<_, Box<dyn std::error::Error>>(()) })?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod answer;
mod dial;
mod error;
mod http1;
mod http2;
mod interim;
mod negotiated;
mod peer;
mod pool;
mod request;
mod stream;
mod upstreams;

pub use crate::{
    answer::{Answer, UpgradedIo, UpstreamBody},
    error::{BoxError, Error, Fate, MalformedBody, MalformedHead, NoAnswer},
    interim::expects_continue,
    peer::{Host, Https, Limits, Peer, Scheme},
    request::{InvalidTarget, OnInterim, Outgoing, Target},
    upstreams::{Stats, Upstreams},
};
