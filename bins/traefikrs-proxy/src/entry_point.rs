//! Entry points as configured become entry points as served.

use std::net::{IpAddr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::num::NonZeroU64;
use std::time::Duration;

use anyhow::Context;
use http::HeaderName;
use traefikrs_config::static_config::{Address, EntryPoint, Host, ProxyProtocol, TrustedIp};
use traefikrs_dataplane::{
    EntryPointOptions, ForwardedHeaders, HttpOptions, KeepAlive, LifeCycle, Timeouts, Trust,
};
use traefikrs_gourl::query::Semicolons;

pub(crate) fn options(name: &str, entry_point: &EntryPoint) -> anyhow::Result<EntryPointOptions> {
    let address = address(&entry_point.address).with_context(|| format!("entry point {name}"))?;
    let transport = &entry_point.transport;
    let timeouts = &transport.responding_timeouts;
    let http = &entry_point.http;
    let mut options = EntryPointOptions::new(name, address);
    options.reuse_port = entry_point.reuse_port;
    options.timeouts = Timeouts {
        read: timeouts.read_timeout,
        write: timeouts.write_timeout,
        idle: timeouts.idle_timeout,
    };
    options.life_cycle = LifeCycle {
        request_accept_grace: transport
            .life_cycle
            .request_accept_grace_timeout
            .unwrap_or(Duration::ZERO),
        grace: transport.life_cycle.grace_timeout.unwrap_or(Duration::ZERO),
    };
    options.keep_alive = KeepAlive {
        max_requests: NonZeroU64::new(transport.keep_alive_max_requests.into()),
        max_time: transport.keep_alive_max_time,
    };
    let forwarded = &entry_point.forwarded_headers;
    options.forwarded_headers = ForwardedHeaders {
        trust: trust(forwarded.insecure, &forwarded.trusted_ips),
        connection: forwarded
            .connection
            .iter()
            .filter_map(|name| HeaderName::try_from(name).ok())
            .collect(),
        append_for: !forwarded.not_append_x_forwarded_for,
    };
    let proxy_protocol = entry_point.proxy_protocol.as_ref();
    options.proxy_protocol = proxy_protocol.map(
        |ProxyProtocol {
             insecure,
             trusted_ips,
         }| trust(*insecure, trusted_ips),
    );
    options.http = HttpOptions {
        max_header_bytes: if http.max_header_bytes == 0 {
            1 << 20
        } else {
            http.max_header_bytes
        },
        sanitize_path: http.sanitize_path,
        semicolons: if http.encode_query_semicolons {
            Semicolons::Encode
        } else {
            Semicolons::Separate
        },
        max_concurrent_streams: match entry_point.http2.max_concurrent_streams {
            0 => 250,
            streams => streams,
        },
    };
    Ok(options)
}

fn trust(everyone: bool, networks: &[TrustedIp]) -> Trust {
    if everyone {
        Trust::Everyone
    } else {
        Trust::Networks(networks.iter().map(|trusted| trusted.network).collect())
    }
}

fn address(address: &Address) -> anyhow::Result<SocketAddr> {
    match &address.host {
        Host::Any => Ok(SocketAddr::new(
            IpAddr::V6(Ipv6Addr::UNSPECIFIED),
            address.port,
        )),
        Host::Ip(ip) => Ok(SocketAddr::new(*ip, address.port)),
        Host::Name(name) => (name.as_str(), address.port)
            .to_socket_addrs()
            .with_context(|| format!("cannot resolve {name}"))?
            .next()
            .with_context(|| format!("{name} has no address")),
    }
}
