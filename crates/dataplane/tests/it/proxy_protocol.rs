//! Who the client is, according to a proxy in front.

use std::net::SocketAddr;

use traefikrs_dataplane::Trust;

use crate::support::{Proxy, echo, header, to};

fn proxy(trust: Trust) -> Proxy {
    Proxy::with(&to(echo()), |web| web.proxy_protocol = Some(trust))
}

fn v2(source: SocketAddr) -> Vec<u8> {
    let SocketAddr::V4(source) = source else {
        unreachable!()
    };
    let mut bytes = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c".to_vec();
    bytes.extend(source.ip().octets());
    bytes.extend([127, 0, 0, 1]);
    bytes.extend(source.port().to_be_bytes());
    bytes.extend([0, 80]);
    bytes
}

#[track_caller]
fn check(proxy: &Proxy, start: &[u8], expected: Option<&str>) {
    let mut client = proxy.connect();
    client.send([start, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"].concat());
    let Some(expected) = expected else {
        assert_eq!(client.rest(), "");
        return;
    };
    let response = client.response();
    let seen = response.body.replace('\n', "\r\n");
    assert_eq!(header(&seen, "X-Real-Ip"), Some(expected));
    assert_eq!(header(&seen, "X-Forwarded-For"), Some(expected));
}

const LINE: &[u8] = b"PROXY TCP4 192.0.2.7 127.0.0.1 4000 80\r\n";

#[test]
fn a_trusted_proxy_is_believed() {
    let proxy = proxy(Trust::Networks(vec!["127.0.0.1/32".parse().unwrap()]));
    check(&proxy, LINE, Some("192.0.2.7"));
    check(
        &proxy,
        &v2("192.0.2.8:1".parse().unwrap()),
        Some("192.0.2.8"),
    );
    check(&proxy, b"PROXY UNKNOWN\r\n", Some("127.0.0.1"));
    check(&proxy, b"", Some("127.0.0.1"));
}

#[test]
fn the_header_of_a_stranger_is_swallowed() {
    let proxy = proxy(Trust::default());
    check(&proxy, LINE, Some("127.0.0.1"));
    check(
        &proxy,
        &v2("192.0.2.8:1".parse().unwrap()),
        Some("127.0.0.1"),
    );
}

#[test]
fn a_malformed_header_ends_the_connection() {
    check(&proxy(Trust::Everyone), b"PROXY TCP4 nonsense\r\n", None);
}

#[test]
fn without_the_option_the_header_is_no_request() {
    let proxy = Proxy::to(echo());
    let mut client = proxy.connect();
    client.send([LINE, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"].concat());
    assert_eq!(client.response().status(), 400);
}
