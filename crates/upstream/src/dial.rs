//! Makes connections.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use socket2::{SockRef, TcpKeepalive};
use tokio::{
    net::{TcpStream, lookup_host},
    time::{Instant, timeout, timeout_at},
};
use tokio_rustls::TlsConnector;

use crate::{
    error::Error,
    peer::{Host, Https, Limits, Scheme},
    pool::Pool,
    stream::Stream,
};

const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// Go's least share of the time for one address of several.
const LEAST_SHARE: Duration = Duration::from_secs(2);

/// Traefik's transport (`pkg/server/service/transport.go`, 3.7) waits so long for the end of the handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Which protocols does a server with TLS get to choose from?
#[derive(Debug, Clone, Copy)]
pub(crate) enum Offer {
    /// HTTP/1.1.
    Http1,
    /// HTTP/1.1, and HTTP/2 unless it is disabled.
    Either,
}

/// Connects to the pool's server, and counts it.
pub(crate) async fn dial(pool: &Pool, limits: &Limits, offer: Offer) -> Result<Stream, Error> {
    let result = match reach(pool, limits).await {
        Ok(stream) => secure(pool, stream, offer).await,
        Err(error) => Err(error),
    };
    pool.local.count(|stats| match &result {
        Ok(_) => stats.dialed += 1,
        Err(_) => stats.dial_failures += 1,
    });
    result
}

async fn secure(pool: &Pool, stream: TcpStream, offer: Offer) -> Result<Stream, Error> {
    let Scheme::Https(Https { tls, server_name }) = pool.server.as_peer().scheme else {
        return Ok(Stream::Plain(stream));
    };
    let config = match offer {
        Offer::Http1 => tls.http1(),
        Offer::Either => tls.negotiating().unwrap_or_else(|| tls.http1()),
    };
    let handshake = TlsConnector::from(Arc::clone(config)).connect(server_name.clone(), stream);
    match timeout(HANDSHAKE_TIMEOUT, handshake).await {
        Ok(Ok(stream)) => Ok(Stream::Tls(Box::new(stream))),
        Ok(Err(error)) => Err(handshake_error(error)),
        Err(_elapsed) => Err(Error::TlsHandshakeTimeout),
    }
}

fn handshake_error(error: io::Error) -> Error {
    let tls = error
        .get_ref()
        .and_then(|error| error.downcast_ref::<rustls::Error>());
    match tls {
        Some(alert @ rustls::Error::AlertReceived(_)) => Error::TlsRefused(alert.clone()),
        Some(tls) => Error::Tls(tls.clone()),
        None if error.kind() == io::ErrorKind::UnexpectedEof => Error::Closed,
        None => Error::Io(error),
    }
}

async fn reach(pool: &Pool, limits: &Limits) -> Result<TcpStream, Error> {
    let result = match limits.dial_timeout {
        Some(timeout) => {
            let deadline = Instant::now() + timeout;
            timeout_at(deadline, connect(pool, Some(deadline)))
                .await
                .unwrap_or(Err(Error::DialTimeout))
        }
        None => connect(pool, None).await,
    };
    let stream = result?;
    // Neither is needed to get an answer, so a kernel that refuses them is no reason to fail.
    stream.set_nodelay(true).ok();
    SockRef::from(&stream)
        .set_tcp_keepalive(
            &TcpKeepalive::new()
                .with_time(KEEP_ALIVE)
                .with_interval(KEEP_ALIVE),
        )
        .ok();
    Ok(stream)
}

async fn connect(pool: &Pool, deadline: Option<Instant>) -> Result<TcpStream, Error> {
    let peer = pool.server.as_peer();
    match peer.host {
        Host::Ip(address) => TcpStream::connect((address, peer.port))
            .await
            .map_err(Error::Connect),
        Host::Name(name) => {
            let addresses: Vec<_> = lookup_host((name, peer.port))
                .await
                .map_err(Error::Connect)?
                .collect();
            connect_any(&addresses, deadline).await
        }
        Host::Nowhere => Err(Error::Nowhere),
    }
}

/// One address after the other, each with its share of the time, so that a black hole does not eat it all.
async fn connect_any(
    addresses: &[SocketAddr],
    deadline: Option<Instant>,
) -> Result<TcpStream, Error> {
    let mut first_error = None;
    for (tried, address) in addresses.iter().enumerate() {
        let error = match deadline {
            None => TcpStream::connect(address).await.map_err(Error::Connect),
            Some(deadline) => {
                let until = share(Instant::now(), deadline, addresses.len() - tried);
                let connected = timeout_at(until, TcpStream::connect(address)).await;
                connected.map_or(Err(Error::DialTimeout), |connected| {
                    connected.map_err(Error::Connect)
                })
            }
        };
        match error {
            Ok(stream) => return Ok(stream),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    Err(first_error.unwrap_or_else(|| Error::Connect(io::Error::other("the name has no address"))))
}

fn share(now: Instant, deadline: Instant, addresses_left: usize) -> Instant {
    let left = deadline.saturating_duration_since(now);
    let share = left / u32::try_from(addresses_left).unwrap_or(u32::MAX).max(1);
    now + share.max(LEAST_SHARE.min(left))
}
