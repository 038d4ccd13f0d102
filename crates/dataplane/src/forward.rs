//! The request as the server gets it, and the answer as the client gets it.

use std::borrow::Cow;

use http::header::{CONNECTION, CONTENT_LENGTH, Entry, HOST, TE, TRAILER, UPGRADE};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Response, StatusCode, Version};
use traefikrs_compile::compiled::{Https, LoadBalancer, Scheme, Server, ServerHost, Transport};
use traefikrs_gourl::query::Semicolons;
use traefikrs_upstream::{self as upstream, Limits, Outgoing, Peer, Target};

use crate::answer::{self, Answer};
use crate::apply::Passed;
use crate::body::{Content, Upload};
use crate::client::Client;
use crate::connection::Connection;
use crate::elsewhere::{self, Answered};
use crate::hop_by_hop;
use crate::intake::{FOR, Seen, has_token};
use crate::pick::{Counted, Turn};
use crate::serve::Inbound;

mod error;

pub(crate) use error::Error;

/// Asks the server whose turn it is, and others if it cannot be reached.
pub(crate) async fn ask<'g>(
    connection: &Connection,
    turn: &mut Turn<'g>,
    request: &mut Request,
) -> Answered {
    let (peer, limits) = (peer(connection, turn.server), limits_of(connection, turn));
    let upstreams = &connection.entry_point.worker.upstreams;
    match upstreams.send(&peer, &limits, &mut request.outgoing).await {
        Ok(answered) => Ok(answered),
        Err(failed) => elsewhere::ask(connection, turn, request, failed).await,
    }
}

/// What the client is told: the answer of the server, or that there is none.
pub(crate) fn answer<'g>(
    connection: &Connection,
    mut turn: Turn<'g>,
    answered: Answered,
    passed: &mut Passed<'g>,
) -> Answer {
    turn.has_gone(answered.as_ref());
    passed.set_cookie(turn.set_cookie);
    match answered {
        Ok(upstream::Answer::Response { mut head, body }) => {
            connection.unshared.heed(&head.headers);
            if Seen::among(&head.headers).any_for_one_hop() {
                hop_by_hop::remove(&mut head.headers);
            }
            if matches!(
                head.status,
                StatusCode::NOT_MODIFIED | StatusCode::NO_CONTENT
            ) {
                head.headers.remove(CONTENT_LENGTH);
            }
            // The client's connection has a version of its own.
            head.version = Version::HTTP_11;
            Response::from_parts(head, Content::Upstream(Counted::new(body, turn.ticket)))
        }
        Ok(upstream::Answer::Upgraded { mut head, io }) => {
            connection.tunnel_to(io, turn.ticket);
            head.headers.remove(CONTENT_LENGTH);
            Response::from_parts(head, Content::from(""))
        }
        Err(error) => {
            let status = error.status();
            tracing::debug!(%error, cause = error.cause(), server = &*turn.server.url, %status, "no answer");
            answer::bare(status)
        }
    }
}

/// What a server is told, and another one, if need be.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) outgoing: Outgoing<Upload>,
    /// Whether servers get the client's Host instead of their own.
    keeps_host: bool,
}

impl Request {
    /// The request for the server whose turn it is.
    pub(crate) fn new(
        connection: &Connection,
        turn: &Turn<'_>,
        inbound: Inbound,
        body: Upload,
    ) -> Result<Self, Error> {
        let outgoing = outgoing(connection, turn.balancer, inbound, body)?;
        let mut request = Self {
            keeps_host: outgoing.host.is_some(),
            outgoing,
        };
        request.turn_to(turn.server)?;
        Ok(request)
    }

    /// Makes it one for this server.
    pub(crate) fn turn_to(&mut self, server: &Server) -> Result<(), Error> {
        if !self.keeps_host {
            self.outgoing.host = Some(server.host_header.clone());
        }
        let target = &mut self.outgoing.target;
        target
            .put_below(&server.base_path)
            .map_err(|_| Error::Target)
    }
}

/// What any server is told.
fn outgoing(
    connection: &Connection,
    balancer: &LoadBalancer,
    inbound: Inbound,
    body: Upload,
) -> Result<Outgoing<Upload>, Error> {
    let Inbound {
        parts,
        context,
        upgrade,
        seen,
        semicolons,
        client,
    } = inbound;
    let mut headers = parts.headers;
    let host = headers.remove(HOST);
    let upgrade = upgrade.filter(|_| {
        headers.contains_key(UPGRADE)
            && headers
                .get_all(CONNECTION)
                .iter()
                .any(|line| has_token(line.as_bytes(), b"upgrade"))
    });
    if upgrade
        .as_ref()
        .is_some_and(|upgrade| upgrade.to_str().is_err())
    {
        return Err(Error::Upgrade);
    }
    if seen.any_for_one_hop() {
        let wants_trailers = headers
            .get_all(TE)
            .iter()
            .any(|te| has_token(te.as_bytes(), b"trailers"));
        hop_by_hop::remove(&mut headers);
        headers.remove(UPGRADE);
        if http_body::Body::size_hint(&body).exact().is_some() {
            // Trailers can only follow chunks; a known length stays.
            headers.remove(TRAILER);
        }
        if wants_trailers {
            headers.insert(TE, HeaderValue::from_static("trailers"));
        }
    }
    if context.suppress_x_forwarded_for {
        headers.remove(FOR);
    } else if connection.entry_point.options.forwarded_headers.append_for {
        append_for(&mut headers, &connection.peer_ip);
    }
    let host = host.filter(|host| balancer.pass_host_header && !host.is_empty());
    Ok(Outgoing {
        method: parts.method,
        target: target(parts.uri.into_parts().path_and_query, semicolons)?,
        host: host.map(without_zone),
        headers,
        body: Some(body),
        upgrade,
        on_interim: client.map(Client::on_interim),
    })
}

/// RFC 6874 §1: the zone of an address means nothing to another machine.
fn without_zone(host: HeaderValue) -> HeaderValue {
    let bytes = host.as_bytes();
    let zone = memchr::memchr(b'%', bytes).filter(|_| bytes.starts_with(b"["));
    let end = memchr::memchr(b']', bytes);
    match (zone, end) {
        (Some(zone), Some(end)) if zone < end => {
            HeaderValue::from_bytes(&[&bytes[..zone], &bytes[end..]].concat()).unwrap_or(host)
        }
        _ => host,
    }
}

/// Puts the client at the end of the list of those who are asked for.
fn append_for(headers: &mut HeaderMap, peer_ip: &HeaderValue) {
    match headers.entry(FOR) {
        Entry::Vacant(entry) => {
            entry.insert(peer_ip.clone());
        }
        Entry::Occupied(mut entry) => {
            let lines: Vec<&[u8]> = entry
                .iter()
                .chain([peer_ip])
                .map(HeaderValue::as_bytes)
                .collect();
            let list = HeaderValue::from_bytes(&lines.join(&b", "[..]))
                .expect("values make a value when joined");
            entry.insert(list);
        }
    }
}

/// The path and query to ask for.
fn target(asked: Option<PathAndQuery>, semicolons: Semicolons) -> Result<Target, Error> {
    let mut asked = asked.unwrap_or(PathAndQuery::from_static("/"));
    if let Some(Cow::Owned(query)) = asked.query().map(|query| semicolons.apply(query)) {
        asked = PathAndQuery::try_from(format!("{}?{query}", asked.path()))
            .map_err(|_| Error::Target)?;
    }
    Ok(asked.into())
}

pub(crate) fn peer<'s>(connection: &Connection, server: &'s Server) -> Peer<'s> {
    peer_in(connection.unshared.pool(server.pool), server)
}

/// The server, with connections of this pool.
pub(crate) fn peer_in(pool: u64, server: &Server) -> Peer<'_> {
    Peer {
        pool,
        scheme: match &server.scheme {
            Scheme::Http => upstream::Scheme::Http,
            Scheme::H2c => upstream::Scheme::H2c,
            Scheme::Https(Https { tls, server_name }) => {
                upstream::Scheme::Https(upstream::Https { tls, server_name })
            }
        },
        host: match &server.host {
            ServerHost::Ip(address) => upstream::Host::Ip(*address),
            ServerHost::Name(name) => upstream::Host::Name(name),
            ServerHost::Nowhere => upstream::Host::Nowhere,
        },
        port: server.port,
    }
}

/// What the server whose turn it is may take.
pub(crate) fn limits_of(connection: &Connection, turn: &Turn<'_>) -> Limits {
    let n_workers = connection.entry_point.worker.shared.n_workers;
    limits(&turn.balancer.transport, n_workers)
}

pub(crate) fn limits(transport: &Transport, n_workers: usize) -> Limits {
    Limits {
        max_idle_conns: transport.max_idle_conns_per_host.div_ceil(n_workers),
        dial_timeout: transport.dial_timeout,
        response_header_timeout: transport.response_header_timeout,
        idle_conn_timeout: transport.idle_conn_timeout,
        read_idle_timeout: transport.read_idle_timeout,
        ping_timeout: transport
            .ping_timeout
            .unwrap_or_else(|| Limits::default().ping_timeout),
    }
}
