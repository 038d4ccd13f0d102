//! Elements at random: good ones, broken ones, and references to what is there, what is not, and in circles.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};

/// A few names, so that elements meet; some are of another provider.
pub(crate) fn name() -> impl Strategy<Value = String> {
    prop_oneof![8 => "[a-f]@file", 1 => "[a-c]@other"]
}

fn reference() -> impl Strategy<Value = String> {
    prop_oneof![
        12 => "[a-f]",
        4 => name(),
        1 => Just(String::new()),
        1 => Just("noop@internal".to_owned()),
    ]
}

fn some<T: std::fmt::Debug>(
    what: impl Strategy<Value = T>,
    at_most: usize,
) -> impl Strategy<Value = Vec<T>> {
    prop::collection::vec(what, 0..=at_most)
}

/// None as a rule: what refers to nothing is hardly ever broken, and only what works has something to lose.
fn few<T: std::fmt::Debug + Clone>(
    what: impl Strategy<Value = T>,
    at_most: usize,
) -> impl Strategy<Value = Vec<T>> {
    prop_oneof![4 => Just(Vec::new()), 1 => some(what, at_most)]
}

/// Nothing as a rule, else one of these.
fn rarely(choices: &[Value]) -> impl Strategy<Value = Value> + use<> {
    prop_oneof![
        3 => Just(Value::Null),
        1 => prop::sample::select(choices.to_vec()),
    ]
}

pub(crate) fn router() -> impl Strategy<Value = Value> {
    let rule = prop_oneof![
        6 => "Host\\(`[a-d].x`\\)( && PathPrefix\\(`/[a-c]`\\))?",
        1 => Just("HostRegexp(`^.+$`)".to_owned()),
        1 => Just("Host(`".to_owned()),
    ];
    let entry_points = prop_oneof![
        6 => Just(vec!["web"]),
        2 => Just(vec!["web", "other"]),
        1 => Just(vec!["web", "none"]),
        1 => Just(vec![]),
    ];
    let priority = prop_oneof![6 => Just(0), 1 => 1..50_i64, 1 => Just(i64::MAX)];
    let tls = prop_oneof![
        9 => Just(Value::Null),
        1 => Just(json!({})),
        1 => Just(json!({ "options": "a" })),
    ];
    let parents = prop_oneof![4 => Just(Vec::new()), 1 => some(reference(), 2)];
    let parts = (
        rule,
        entry_points,
        reference(),
        few(reference(), 2),
        priority,
        tls,
        parents,
    );
    parts.prop_map(
        |(rule, entry_points, service, middlewares, priority, tls, parents)| {
            let entry_points = if parents.is_empty() {
                entry_points
            } else {
                Vec::new()
            };
            json!({
                "rule": rule,
                "entryPoints": entry_points,
                "service": service,
                "middlewares": middlewares,
                "priority": priority,
                "tls": tls,
                "parentRefs": parents,
            })
        },
    )
}

pub(crate) fn service() -> impl Strategy<Value = Value> {
    prop_oneof![
        12 => balancer(),
        4 => composed("weighted"),
        1 => composed("highestRandomWeight"),
        2 => failover(),
        2 => mirroring(),
        1 => Just(json!({})),
        1 => Just(json!({ "loadBalancer": {}, "weighted": {} })),
    ]
}

fn balancer() -> impl Strategy<Value = Value> {
    let strategy = prop_oneof![
        6 => Just("wrr"),
        3 => prop::sample::select(vec!["p2c", "hrw", "leasttime"]),
        1 => Just("WRR"),
    ];
    let passive = rarely(&[
        json!({}),
        json!({ "failureWindow": "1s", "maxFailedAttempts": 3 }),
        json!({ "maxEjectedPercent": 50 }),
        json!({ "maxEjectedPercent": 101 }),
    ]);
    let slow_start = rarely(&[json!("10s"), json!(0), json!(-1)]);
    let transport = prop_oneof![6 => Just(String::new()), 3 => "[a-c]", 1 => Just("default@internal".to_owned())];
    let parts = (
        some(server(), 3),
        transport,
        strategy,
        sticky(),
        health_check(),
        passive,
        slow_start,
        rarely(&[json!(false), json!(true)]),
        few(reference(), 1),
    );
    parts.prop_map(
        |(servers, transport, strategy, sticky, check, passive, slow_start, host, middlewares)| {
            json!({
                "loadBalancer": {
                    "servers": servers,
                    "serversTransport": transport,
                    "strategy": strategy,
                    "sticky": sticky,
                    "healthCheck": check,
                    "passiveHealthCheck": passive,
                    "slowStart": slow_start,
                    "passHostHeader": host,
                },
                "middlewares": middlewares,
            })
        },
    )
}

fn server() -> impl Strategy<Value = Value> {
    let url = prop_oneof![
        8 => "http://10.0.0.[1-4]:80",
        3 => "(https|h2c)://10.0.0.[1-2](/base)?",
        1 => Just("http://[::1".to_owned()),
    ];
    (url, weight(), any::<bool>(), any::<bool>()).prop_map(|(url, weight, fenced, keep)| {
        json!({ "url": url, "weight": weight, "fenced": fenced, "preservePath": keep })
    })
}

fn weight() -> impl Strategy<Value = Value> {
    rarely(&[json!(0), json!(-1), json!(3), json!(i64::MAX)])
}

fn sticky() -> impl Strategy<Value = Value> {
    rarely(&[
        json!({}),
        json!({ "cookie": {} }),
        json!({ "cookie": { "name": "seat" } }),
        json!({ "cookie": { "secure": true } }),
        json!({ "cookie": { "httpOnly": true } }),
        json!({ "cookie": { "sameSite": "lax" } }),
        json!({ "cookie": { "maxAge": -1 } }),
        json!({ "cookie": { "path": "" } }),
        json!({ "cookie": { "domain": "a.test" } }),
    ])
}

fn health_check() -> impl Strategy<Value = Value> {
    rarely(&[
        json!({}),
        json!({ "path": "/hc", "interval": "1s", "unhealthyInterval": "2s", "timeout": "3s" }),
        json!({ "mode": "grpc" }),
        json!({ "scheme": "https", "port": 9, "method": "HEAD", "status": 204 }),
        json!({ "hostname": "a.test", "headers": { "A": "b" }, "followRedirects": false }),
        json!({ "path": "http://a.test/hc" }),
        json!({ "port": 99_999 }),
    ])
}

/// Tells parents how it is, or not.
fn propagation() -> impl Strategy<Value = Value> {
    rarely(&[json!({})])
}

fn composed(kind: &'static str) -> impl Strategy<Value = Value> {
    let child = (reference(), weight());
    let child = child.prop_map(|(name, weight)| json!({ "name": name, "weight": weight }));
    let parts = (some(child, 3), sticky(), propagation());
    parts.prop_map(move |(services, sticky, check)| {
        let mut body = json!({ "services": services, "healthCheck": check });
        if kind == "weighted" {
            body["sticky"] = sticky;
        }
        json!({ kind: body })
    })
}

fn failover() -> impl Strategy<Value = Value> {
    let errors = prop_oneof![
        2 => Just(json!({ "status": ["500-599"] })),
        2 => rarely(&[
            json!({}),
            json!({ "status": ["404"], "maxRequestBodyBytes": 0 }),
            json!({ "status": ["many"] }),
        ]),
    ];
    let parts = (reference(), reference(), errors, propagation());
    parts.prop_map(|(service, fallback, errors, check)| {
        json!({ "failover": {
            "service": service, "fallback": fallback, "errors": errors, "healthCheck": check,
        } })
    })
}

fn mirroring() -> impl Strategy<Value = Value> {
    let percent = prop_oneof![8 => Just(10), 1 => Just(0), 1 => Just(101)];
    let mirror = (reference(), percent);
    let mirror = mirror.prop_map(|(name, percent)| json!({ "name": name, "percent": percent }));
    let parts = (
        reference(),
        some(mirror, 2),
        rarely(&[json!(false)]),
        rarely(&[json!(0), json!(1)]),
        propagation(),
    );
    parts.prop_map(|(service, mirrors, body, size, check)| {
        json!({ "mirroring": {
            "service": service, "mirrors": mirrors, "mirrorBody": body, "maxBodySize": size,
            "healthCheck": check,
        } })
    })
}

pub(crate) fn middleware() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => "/[a-c]".prop_map(|prefix| json!({ "addPrefix": { "prefix": prefix } })),
        2 => some(reference(), 3).prop_map(|links| json!({ "chain": { "middlewares": links } })),
        1 => Just(json!({ "stripPrefixRegex": { "regex": ["("] } })),
        1 => Just(json!({ "compress": {} })),
        1 => Just(json!({})),
    ]
}

/// The transport that all use who name none may be defined as well.
pub(crate) fn transport_name() -> impl Strategy<Value = String> {
    prop_oneof![8 => "[a-c]@file", 1 => Just("default@internal".to_owned())]
}

pub(crate) fn transport() -> impl Strategy<Value = Value> {
    static CERTIFICATE: LazyLock<(String, String)> = LazyLock::new(|| {
        let made = rcgen::generate_simple_self_signed(["a.test".to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    });
    let (pem, key) = &*CERTIFICATE;
    let timeouts = json!({ "dialTimeout": "1s", "responseHeaderTimeout": "2s", "idleConnTimeout": 0,
        "readIdleTimeout": "3s", "pingTimeout": "4s" });
    prop::sample::select(vec![
        json!({}),
        json!({ "maxIdleConnsPerHost": 7 }),
        json!({ "maxIdleConnsPerHost": -1 }),
        json!({ "rootCAs": [pem] }),
        json!({ "rootCAs": [pem, "-----"] }),
        json!({ "rootCAs": ["-----"] }),
        json!({ "certificates": [{ "certFile": pem, "keyFile": key }] }),
        json!({ "certificates": [{ "certFile": pem, "keyFile": pem }] }),
        json!({ "insecureSkipVerify": true }),
        json!({ "serverName": "a.test" }),
        json!({ "serverName": "a b" }),
        json!({ "peerCertURI": "spiffe://a.test/b" }),
        json!({ "minVersion": "VersionTLS13" }),
        json!({ "maxVersion": "VersionTLS12", "cipherSuites": ["TLS_RSA_WITH_RC4_128_SHA"] }),
        json!({ "cipherSuites": ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"] }),
        json!({ "disableHTTP2": true }),
        json!({ "forwardingTimeouts": timeouts }),
        json!({ "spiffe": { "ids": ["spiffe://a.test/b"] } }),
    ])
}
