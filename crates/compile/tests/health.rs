//! Which service is up, and whom a failover chooses.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may panic, and needs one time to start from"
)]

use std::sync::Arc;
use std::time::Instant;

use http::HeaderMap;
use serde_json::{Value, json};
use traefikrs_compile::compiled::{CheckedServer, Pace, Probe, Service, ServiceKind, Target};
use traefikrs_compile::report::Status;
use traefikrs_compile::{Generation, compile};
use traefikrs_lb::Client;
use traefikrs_lb::failover::Choice;

mod support;

use support::{target, web};

/// The service `s` of these, and what is built with it.
fn generation(services: &Value) -> Generation {
    let checked = json!({ "loadBalancer": {
        "servers": [{ "url": "http://10.0.0.1" }],
        "healthCheck": { "path": "/" },
        "passiveHealthCheck": { "maxFailedAttempts": 1 },
    } });
    let mut http = json!({
        "routers": { "r@file": { "entryPoints": ["web"], "rule": "Host(`x`)", "service": "s" } },
        "services": { "main@file": checked, "fallback@file": checked },
    });
    for (name, service) in services.as_object().unwrap() {
        http["services"][format!("{name}@file")] = service.clone();
    }
    let configuration = serde_json::from_value(json!({ "http": http })).unwrap();
    compile(&configuration, &web(), None)
}

fn service(services: &Value) -> Arc<Service> {
    match target(&generation(services)) {
        Target::Service(service) => Arc::clone(service),
        other => panic!("{other:?}"),
    }
}

fn client(headers: &HeaderMap) -> Client<'_> {
    Client {
        ip: [192, 0, 2, 7].into(),
        headers,
    }
}

fn set_up(service: &Service, is_up: bool) {
    let ServiceKind::LoadBalancer(servers) = &service.kind else {
        panic!("{:?}", service.kind);
    };
    for (_, state) in servers.balancer.states() {
        state.set_up(is_up);
    }
}

/// Between checks of a server that is well and of one that is not, the longest wait, and what is asked.
fn in_words(server: &CheckedServer) -> String {
    let Pace {
        interval,
        unhealthy_interval,
        timeout,
    } = server.pace;
    let asked = match &server.asked {
        Err(why) => format!("down: {why}"),
        Ok(asked) => match &asked.probe {
            Probe::Grpc => format!("gRPC {}", asked.url),
            Probe::Http(probe) => format!(
                "{} {} {:?} {:?} {:?} {}",
                probe.method,
                asked.url,
                probe.host.as_ref().map(|host| host.to_str().unwrap()),
                probe.headers,
                probe.expected,
                if probe.follows_redirects {
                    "follows"
                } else {
                    "stays"
                },
            ),
        },
    };
    format!("{interval:?} {unhealthy_interval:?} {timeout:?} {asked}")
}

#[test]
fn each_option_of_a_check_means_what_it_means_in_traefik() {
    const TIMES: &str = "30s 30s 5s";
    let plain = |url: &str| format!("{TIMES} GET {url} None {{}} Good follows");
    let http = "http://10.0.0.1:81/base/x";
    let cases = [
        (http, json!({}), plain(http)),
        (http, json!({ "mode": "http" }), plain(http)),
        (http, json!({ "mode": "gRPC" }), plain(http)),
        (
            http,
            json!({ "path": "hc" }),
            plain("http://10.0.0.1:81/base/hc"),
        ),
        (
            http,
            json!({ "path": "/hc?a=b" }),
            plain("http://10.0.0.1:81/hc?a=b"),
        ),
        (
            http,
            json!({ "scheme": "https" }),
            plain("https://10.0.0.1:81/base/x"),
        ),
        (
            http,
            json!({ "port": 9 }),
            plain("http://10.0.0.1:9/base/x"),
        ),
        ("https://a.test", json!({}), plain("https://a.test/")),
        (
            http,
            json!({ "method": "HEAD", "hostname": "b.test", "status": 204, "followRedirects": false,
                "headers": { "X-One": "two", "host": "c.test" } }),
            format!(
                "{TIMES} HEAD {http} Some(\"b.test\") {{\"x-one\": \"two\"}} Exactly(204) stays"
            ),
        ),
        (http, json!({ "followRedirects": null }), plain(http)),
        (
            http,
            json!({ "mode": "grpc", "path": "/ignored" }),
            format!("{TIMES} gRPC h2c://10.0.0.1:81/ignored"),
        ),
        (
            "https://a.test",
            json!({ "mode": "grpc", "port": 9 }),
            format!("{TIMES} gRPC https://a.test:9/"),
        ),
        (
            http,
            json!({ "path": "http://x/hc" }),
            format!("{TIMES} down: health check path must be a relative URL, got: \"http://x/hc\""),
        ),
        (
            http,
            json!({ "method": "NO METHOD" }),
            format!("{TIMES} down: \"NO METHOD\" is no method"),
        ),
        (
            http,
            json!({ "port": -1 }),
            format!("{TIMES} down: no server has the port -1"),
        ),
        (
            http,
            json!({ "status": 7 }),
            format!("{TIMES} down: no answer has the status 7"),
        ),
    ];
    for (url, check, expected) in cases {
        assert_eq!(in_words(&check_of(url, &check)), expected, "{check}");
    }
    for (times, expected) in [
        (json!({ "interval": "10s" }), "10s 10s 5s"),
        (
            json!({ "interval": "10s", "unhealthyInterval": "2s", "timeout": "20ms" }),
            "10s 2s 20ms",
        ),
        (
            json!({ "interval": 10, "unhealthyInterval": 2, "timeout": 1 }),
            "10s 2s 1s",
        ),
        (
            json!({ "interval": 0, "unhealthyInterval": 0, "timeout": 0 }),
            "30s 30s 5s",
        ),
        (
            json!({ "interval": "-1s", "unhealthyInterval": "-1s", "timeout": "-1s" }),
            "30s 30s 5s",
        ),
        (
            json!({ "interval": "10s", "unhealthyInterval": 0 }),
            "10s 30s 5s",
        ),
    ] {
        let words = in_words(&check_of(http, &times));
        assert!(words.starts_with(expected), "{times}: {words}");
    }
}

fn check_of(url: &str, check: &Value) -> Arc<CheckedServer> {
    let balancer = json!({ "servers": [{ "url": url }], "healthCheck": check });
    let generation = generation(&json!({ "s": { "loadBalancer": balancer } }));
    let checks = generation.compiled.health_checks.iter();
    let mut servers = checks.flat_map(|check| &check.servers);
    let found = servers.find(|server| server.service.as_str() == "s@file");
    Arc::clone(found.unwrap())
}

#[test]
fn a_failover_follows_the_health_of_its_parts() {
    let (plain, following) = (json!({}), json!({ "healthCheck": {} }));
    let on_status = json!({ "errors": { "status": ["500"] } });
    for (extra, main_is_up, fallback_is_up, expected) in [
        (&plain, true, true, Some(Choice::Main)),
        (&plain, false, true, Some(Choice::Fallback)),
        // Traefik: the health of the fallback only counts where the failover has a healthCheck.
        (&plain, false, false, Some(Choice::Fallback)),
        (&following, true, false, Some(Choice::Main)),
        (&following, false, true, Some(Choice::Fallback)),
        (&following, false, false, None),
        (&on_status, false, true, Some(Choice::Fallback)),
    ] {
        let mut failover = extra.clone();
        failover["service"] = json!("main");
        failover["fallback"] = json!("fallback");
        let service = service(&json!({ "s": { "failover": failover } }));
        let ServiceKind::Failover(failover) = &service.kind else {
            panic!("{:?}", service.kind);
        };
        set_up(&failover.main, main_is_up);
        set_up(&failover.fallback, fallback_is_up);
        let now = Instant::now();
        let headers = HeaderMap::new();
        let client = client(&headers);
        assert_eq!(failover.choose(&client, now), expected, "{extra}");
        assert_eq!(
            service.is_up_for(&client, now),
            expected.is_some(),
            "{extra}"
        );
    }
}

#[test]
fn mirrors_do_not_count() {
    let mirrors = json!([{ "name": "fallback", "percent": 100 }]);
    let service =
        service(&json!({ "s": { "mirroring": { "service": "main", "mirrors": mirrors } } }));
    let ServiceKind::Mirroring(mirroring) = &service.kind else {
        panic!("{:?}", service.kind);
    };
    set_up(&mirroring.mirrors[0], false);
    let headers = HeaderMap::new();
    let is_up = || service.is_up_for(&client(&headers), Instant::now());
    assert!(is_up());
    set_up(&mirroring.main, false);
    assert!(!is_up());
}

#[test]
fn services_that_multiply_are_not_served() {
    type Build = fn(&str) -> Value;
    let kinds: [Build; 3] = [
        |part| json!({ "weighted": { "services": [{ "name": part }, { "name": part }] } }),
        |part| json!({ "mirroring": { "service": part, "mirrors": [{ "name": part, "percent": 100 }] } }),
        |part| json!({ "failover": { "service": part, "fallback": part, "errors": { "status": ["500"] } } }),
    ];
    for kind in kinds {
        for (levels, is_served) in [(13, true), (14, false), (60, false)] {
            let mut services = json!({ "0": json!({ "loadBalancer": {} }) });
            for level in 1..=levels {
                services[level.to_string()] = kind(&(level - 1).to_string());
            }
            services["s"] = kind(&levels.to_string());
            if is_served {
                services["s"] =
                    json!({ "weighted": { "services": [{ "name": levels.to_string() }] } });
            }
            let generation = generation(&services);
            let is_open = matches!(target(&generation), Target::Service(_));
            assert_eq!(is_open, is_served, "{levels} {services}");
            let report = generation.report.routers.values().next().unwrap();
            assert_eq!(
                report.verdict.status() == Status::Disabled,
                !is_served,
                "{:?}",
                report.verdict
            );
        }
    }
}
