//! Whichever of HTTP/2 and HTTP/1.1 a server with TLS likes better.

use std::rc::Rc;

use bytes::Bytes;
use http_body::Body;

use crate::{
    answer::Answer,
    error::{BoxError, NoAnswer},
    http1,
    http2::{self, Agreed},
    peer::Limits,
    pool::Pool,
    request::Outgoing,
};

/// Asks over the protocol that the server has chosen, or lets it choose.
///
/// Requests that come before it has chosen wait for its choice. One that chose HTTP/1.1 is not offered HTTP/2 again as
/// long as there is a connection to it.
pub(crate) async fn send<B>(
    pool: Rc<Pool>,
    limits: &Limits,
    request: &mut Outgoing<B>,
) -> Result<Answer<B>, NoAnswer>
where
    B: Body<Data = Bytes> + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    if pool.prefers_http1.get() {
        return http1::send(pool, limits, request).await;
    }
    match http2::agree(&pool, limits)
        .await
        .map_err(NoAnswer::unsent)?
    {
        Agreed::Http2(ticket) => http2::send_on(ticket, pool, limits, request).await,
        Agreed::Http1(Some(stream)) => http1::send_on(stream, pool, limits, request).await,
        Agreed::Http1(None) => http1::send(pool, limits, request).await,
    }
}
