//! Binding: one socket per worker on one address.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};

use crate::options::EntryPointOptions;

/// As Go asks for; the kernel caps it.
const BACKLOG: i32 = 4096;

/// Silence on an accepted connection before the kernel probes the client.
const KEEP_ALIVE: Duration = Duration::from_secs(180);

/// Binds as many sockets as there are workers; the kernel deals connections out among them.
///
/// An address that someone else listens on is refused, although sockets that share a port would be let in beside
/// others of their kind: the first is bound alone, and shares only after that.
pub(crate) fn bind(options: &EntryPointOptions, workers: usize) -> io::Result<Vec<TcpListener>> {
    let first = bind_first(options)?;
    first.set_reuse_port(true)?;
    let address = first
        .local_addr()?
        .as_socket()
        .ok_or(io::ErrorKind::AddrNotAvailable)?;
    let mut sockets = vec![first];
    for _ in 1..workers {
        let socket = open(address)?;
        socket.set_reuse_port(true)?;
        socket.bind(&address.into())?;
        sockets.push(socket);
    }
    sockets
        .into_iter()
        .map(|socket| {
            socket.listen(BACKLOG)?;
            Ok(socket.into())
        })
        .collect()
}

fn bind_first(options: &EntryPointOptions) -> io::Result<Socket> {
    let bind = |address: SocketAddr| {
        let socket = open(address)?;
        if options.reuse_port {
            socket.set_reuse_port(true)?;
        }
        socket.bind(&address.into())?;
        Ok(socket)
    };
    let bound = bind(options.address);
    // Where there is no IPv6, any address means any IPv4 address.
    if bound.is_err() && options.address.is_ipv6() && options.address.ip().is_unspecified() {
        let any_ipv4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, options.address.port()));
        if let Ok(socket) = bind(any_ipv4) {
            return Ok(socket);
        }
    }
    bound
}

/// A socket whose accepted connections inherit what is set here.
fn open(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_nonblocking(true)?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_tcp_nodelay(true)?;
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEP_ALIVE))?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(address: SocketAddr) -> EntryPointOptions {
        EntryPointOptions::new("web", address)
    }

    #[test]
    fn an_occupied_port_is_refused_even_if_its_owner_would_share() {
        let ours = bind(&options("127.0.0.1:0".parse().unwrap()), 3).unwrap();
        let address = ours[0].local_addr().unwrap();
        assert!(
            ours.iter()
                .all(|socket| socket.local_addr().unwrap() == address)
        );
        let error = bind(&options(address), 3).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn a_shared_port_may_be_shared() {
        let mut options = options("127.0.0.1:0".parse().unwrap());
        options.reuse_port = true;
        let ours = bind(&options, 1).unwrap();
        options.address = ours[0].local_addr().unwrap();
        bind(&options, 2).unwrap();
    }
}
