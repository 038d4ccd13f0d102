//! What servers transports say of TLS.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

use serde_json::{Value, json};
use traefikrs_compile::compiled::{Https, LoadBalancer, Scheme, Server, ServiceKind, Target};
use traefikrs_compile::{Generation, Options, compile};
use traefikrs_config::dynamic::Configuration;
use traefikrs_tls::Roots;

mod support;

use support::{target, web};

fn generation(
    transport: &Value,
    url: &str,
    weight: u32,
    previous: Option<&Generation>,
) -> Generation {
    compile(&configuration(transport, url, weight), &web(), previous)
}

fn configuration(transport: &Value, url: &str, weight: u32) -> Configuration {
    let configuration = json!({ "http": {
        "routers": {
            "r@file": { "entryPoints": ["web"], "rule": "Host(`x`)", "service": "s" },
            "open@file": { "entryPoints": ["web"], "rule": "PathPrefix(`/`)", "priority": 1, "service": "noop@internal" },
        },
        "services": {
            "s@file": { "loadBalancer": { "serversTransport": "t", "servers": [{ "url": url, "weight": weight }] } },
            "noop@internal": {},
        },
        "serversTransports": { "t@file": transport },
    } });
    serde_json::from_value(configuration).unwrap()
}

fn server(generation: &Generation) -> &Server {
    let Target::Service(service) = target(generation) else {
        panic!("{:?}", target(generation));
    };
    let ServiceKind::LoadBalancer(LoadBalancer { servers, .. }) = &service.kind else {
        panic!("{:?}", service.kind);
    };
    &servers[0]
}

fn https(generation: &Generation) -> &Https {
    let Scheme::Https(https) = &server(generation).scheme else {
        panic!("{:?}", server(generation).scheme);
    };
    https
}

fn found(generation: &Generation) -> String {
    let found = generation.report.diagnostics.iter();
    let found: Vec<_> = found.map(ToString::to_string).collect();
    found.join("\n")
}

#[test]
fn a_mistake_closes_servers_with_tls_and_no_others() {
    for (transport, expected) in [
        (
            json!({ "minVersion": "TLS12" }),
            "minVersion: `TLS12` is no TLS version",
        ),
        (
            json!({ "minVersion": "VersionTLS13", "maxVersion": "VersionTLS12" }),
            "maxVersion: the lowest TLS version is above the highest",
        ),
        (
            json!({ "maxVersion": "VersionTLS11" }),
            "maxVersion: no version below TLS 1.2 is spoken",
        ),
        (
            json!({ "cipherSuites": ["TLS_NOPE"] }),
            "cipherSuites: `TLS_NOPE` is no cipher suite",
        ),
        (
            json!({ "maxVersion": "VersionTLS12", "cipherSuites": ["TLS_RSA_WITH_RC4_128_SHA"] }),
            "cipherSuites: no cipher suite of an allowed TLS version is left",
        ),
        (
            json!({ "serverName": "a b" }),
            "serverName: no certificate can be issued to `a b`",
        ),
        (
            json!({ "spiffe": {} }),
            "spiffe: SPIFFE identities are not served yet",
        ),
    ] {
        let closed = generation(&transport, "https://a.test", 1, None);
        // Not open: the route below it would take its requests.
        assert!(matches!(target(&closed), Target::NotServed), "{transport}");
        let found = found(&closed);
        let about = format!("servers transport t@file at {expected} (servers with https closed)");
        assert!(found.contains(&about), "{found}");
        assert!(
            found.contains(&format!(
                "servers transport t@file: {expected} (service disabled)"
            )),
            "{found}"
        );
        let in_clear = generation(&transport, "http://a.test", 1, None);
        assert_eq!(server(&in_clear).scheme, Scheme::Http, "{transport}");
    }
}

#[test]
fn servers_that_need_what_their_transport_disables_are_closed() {
    let closed = generation(&json!({ "disableHTTP2": true }), "h2c://a.test", 1, None);
    assert!(matches!(target(&closed), Target::NotServed));
    let found = found(&closed);
    assert!(
        found.contains("servers transport t@file disables HTTP/2"),
        "{found}"
    );
}

#[test]
fn what_cannot_be_used_is_said_and_left_out() {
    let transport = json!({
        "rootCAs": ["/etc/ca.pem", "-----"],
        "certificates": [{ "certFile": "-----", "keyFile": "-----" }],
        "minVersion": "VersionTLS10",
        "cipherSuites": ["TLS_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA"],
    });
    let generation = generation(&transport, "https://a.test", 1, None);
    let found = found(&generation);
    for expected in [
        "warning[CertificateUnusable] servers transport t@file at rootCAs[0]: cannot read /etc/ca.pem: it was not looked for (part left out)",
        "warning[CertificateUnusable] servers transport t@file at rootCAs[1]: no certificate in PEM form (part left out)",
        "warning[CertificateUnusable] servers transport t@file at certificates[0]: no certificate in PEM form (part left out)",
        "warning[TLSNotSpoken] servers transport t@file at minVersion: VersionTLS10 is not spoken: connections begin with TLS 1.2 (part left out)",
        "warning[TLSNotSpoken] servers transport t@file at cipherSuites[1]: TLS_RSA_WITH_AES_128_CBC_SHA is not spoken: it is not offered to servers (part left out)",
    ] {
        assert!(found.contains(expected), "{found}");
    }
    assert_eq!(found.lines().count(), 5, "{found}");
    assert_eq!(https(&generation).server_name.to_str(), "a.test");
}

#[test]
fn who_a_server_must_be_is_said_by_its_transport_or_else_by_its_url() {
    for (transport, url, expected) in [
        (json!({}), "https://a.test:8443", "a.test"),
        (json!({}), "https://10.0.0.1", "10.0.0.1"),
        (
            json!({ "serverName": "b.test" }),
            "https://10.0.0.1",
            "b.test",
        ),
        (
            json!({ "serverName": "10.0.0.2" }),
            "https://a.test",
            "10.0.0.2",
        ),
    ] {
        let generation = generation(&transport, url, 1, None);
        assert_eq!(https(&generation).server_name.to_str(), expected);
    }
}

#[test]
fn a_transport_that_did_not_change_is_the_same_for_servers_that_did() {
    let trusting = json!({ "insecureSkipVerify": true });
    let first = generation(&trusting, "https://a.test", 1, None);
    let second = generation(&trusting, "https://a.test", 2, Some(&first));
    assert_eq!(https(&first).tls, https(&second).tls);
    assert_eq!(server(&first).pool, server(&second).pool);
    assert_eq!(*second.compiled.pools, [server(&second).pool].into());

    let third = generation(&json!({}), "https://a.test", 2, Some(&second));
    assert_ne!(https(&second).tls, https(&third).tls);
    assert_eq!(*third.compiled.pools, [server(&third).pool].into());
    assert_ne!(server(&second).pool, server(&third).pool);
    assert!(found(&third).is_empty());
}

#[test]
fn the_systems_authorities_are_read_for_servers_with_tls_only() {
    let check = |url: &str, is_expected| {
        let (sender, read) = std::sync::mpsc::channel();
        let options = Options {
            system_roots: Roots::on_demand(move || {
                sender.send(()).unwrap();
                Vec::new()
            }),
            ..web()
        };
        compile(&configuration(&json!({}), url, 1), &options, None);
        assert_eq!(read.try_recv().is_ok(), is_expected, "{url}");
    };
    check("http://x:1", false);
    check("https://x:1", true);
}
