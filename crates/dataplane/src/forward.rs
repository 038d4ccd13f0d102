//! The request as the server gets it, and the answer as the client gets it.

use std::borrow::Cow;
use std::rc::Rc;

use http::header::{CONNECTION, CONTENT_LENGTH, Entry, HOST, TE, TRAILER, UPGRADE};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Response, StatusCode, Version};
use traefikrs_compile::compiled::{Https, LoadBalancer, Scheme, Server, ServerHost, Transport};
use traefikrs_gourl::query::Semicolons;
use traefikrs_upstream::{self as upstream, Limits, OnInterim, Outgoing, Peer, Target};

use crate::answer::{self, Answer};
use crate::body::{Content, Upload};
use crate::connection::Connection;
use crate::hop_by_hop;
use crate::intake::{FOR, Seen, has_token};
use crate::pick::{Counted, Turn};
use crate::serve::Inbound;

mod error;

pub(crate) use error::Error;

/// Asks a server, for those who have room for a future of its own.
pub(crate) async fn ask(
    connection: &Connection,
    turn: Turn<'_>,
    inbound: Inbound,
    body: Upload,
) -> Answer {
    let worker = &connection.entry_point.worker;
    let (balancer, server) = (turn.balancer, turn.server);
    let peer = peer(connection, server);
    let limits = limits(&balancer.transport, worker.shared.n_workers);
    let answered = match outgoing(connection, balancer, server, inbound, body) {
        Ok(outgoing) => worker
            .upstreams
            .send(&peer, &limits, outgoing)
            .await
            .map_err(Error::from),
        Err(error) => Err(error),
    };
    answer(connection, turn, answered)
}

/// What the client is told: the answer of the server, or that there is none.
pub(crate) fn answer(
    connection: &Connection,
    turn: Turn<'_>,
    answered: Result<upstream::Answer<Upload>, Error>,
) -> Answer {
    turn.has_gone(&answered);
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

/// What the server is told.
pub(crate) fn outgoing(
    connection: &Connection,
    balancer: &LoadBalancer,
    server: &Server,
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
    let host = host.map(without_zone);
    Ok(Outgoing {
        method: parts.method,
        target: target(
            &server.base_path,
            parts.uri.into_parts().path_and_query,
            semicolons,
        )?,
        host: Some(host.unwrap_or_else(|| server.host_header.clone())),
        headers,
        body,
        upgrade,
        on_interim: client.map(|leg| leg as Rc<dyn OnInterim>),
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

/// The path and query to ask for, behind the path of the server's own URL if it is to be kept.
fn target(
    base: &str,
    asked: Option<PathAndQuery>,
    semicolons: Semicolons,
) -> Result<Target, Error> {
    let mut asked = asked.unwrap_or(PathAndQuery::from_static("/"));
    if let Some(Cow::Owned(query)) = asked.query().map(|query| semicolons.apply(query)) {
        asked = PathAndQuery::try_from(format!("{}?{query}", asked.path()))
            .map_err(|_| Error::Target)?;
    }
    if base.is_empty() {
        return Ok(asked.into());
    }
    let slash = if asked.as_str().starts_with('/') {
        ""
    } else {
        "/"
    };
    Target::try_from(format!("{base}{slash}{asked}")).map_err(|_| Error::Target)
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
        },
        port: server.port,
    }
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
