//! What a service's options make of its balancer.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test may panic")]
#![expect(
    clippy::disallowed_methods,
    reason = "a test needs one time to start from"
)]

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::HeaderMap;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use serde_json::{Value, json};
use traefikrs_compile::compiled::{Service, ServiceKind, Target};
use traefikrs_compile::{Generation, compile};
use traefikrs_lb::{Balancer, Client, Outcome};

mod support;

use support::{target, web};

const LOCAL: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn generation(services: &Value, previous: Option<&Generation>) -> Generation {
    let configuration = json!({ "http": {
        "routers": { "r@file": { "entryPoints": ["web"], "rule": "Host(`x`)", "service": "s1" } },
        "services": services,
    } });
    compile(
        &serde_json::from_value(configuration).unwrap(),
        &web(),
        previous,
    )
}

fn balanced(balancer: &Value) -> Value {
    json!({ "s1@file": { "loadBalancer": balancer } })
}

fn service(generation: &Generation) -> Arc<Service> {
    match target(generation) {
        Target::Service(service) => Arc::clone(service),
        other => panic!("{other:?}"),
    }
}

fn balancer(service: &Service) -> &Balancer {
    match &service.kind {
        ServiceKind::LoadBalancer(servers) => &servers.balancer,
        ServiceKind::Weighted(services) => &services.balancer,
        other => panic!("{other:?}"),
    }
}

/// Who is picked, and the cookie that is set.
fn pick(balancer: &Balancer) -> Option<(usize, Option<String>)> {
    let headers = HeaderMap::new();
    let client = Client {
        ip: LOCAL,
        headers: &headers,
    };
    let mut rng = SmallRng::seed_from_u64(1);
    let pick = balancer.pick(&client, Instant::now(), &mut rng)?;
    let cookie = pick
        .set_cookie
        .map(|cookie| cookie.to_str().unwrap().to_owned());
    Some((pick.index, cookie))
}

#[test]
fn cookies_are_what_traefik_sets_for_the_same_options() {
    // As recorded in crates/lb/testdata/traefik-sticky.json.
    let servers = json!([{ "url": "http://127.0.0.1:36907" }]);
    for (cookie, expected) in [
        (json!({}), "_d6d2b=7a74ca7bbbe8de25; Path=/"),
        (
            json!({ "name": "x", "maxAge": -5, "sameSite": "bogus", "domain": "a b" }),
            "x=7a74ca7bbbe8de25; Path=/; Max-Age=0",
        ),
        (
            json!({
                "name": "my cookie/1é", "path": "/p;q", "domain": "foo.test", "maxAge": 3600,
                "httpOnly": true, "secure": true, "sameSite": "None",
            }),
            "my_cookie_1_=7a74ca7bbbe8de25; Path=/pq; Domain=foo.test; Max-Age=3600; HttpOnly; Secure; SameSite=None",
        ),
    ] {
        let configured = json!({ "servers": servers, "sticky": { "cookie": cookie } });
        let generation = generation(&balanced(&configured), None);
        let (_, cookie) = pick(balancer(&service(&generation))).unwrap();
        assert_eq!(cookie.as_deref(), Some(expected));
        let shown = &generation.report.services["s1@file"].service;
        let shown = serde_json::to_value(&**shown).unwrap();
        let name = shown["loadBalancer"]["sticky"]["cookie"]["name"].as_str();
        assert_eq!(name, expected.split('=').next());
    }
    // `sticky: {}` alone asks for nothing.
    let configured = json!({ "servers": servers, "sticky": {} });
    let generation = generation(&balanced(&configured), None);
    assert_eq!(pick(balancer(&service(&generation))), Some((0, None)));
}

#[test]
fn what_cannot_be_meant_disables_the_service_and_says_why() {
    for (options, expected) in [
        (
            json!({ "strategy": "WRR" }),
            "unsupported load-balancer strategy \"WRR\"",
        ),
        (
            json!({ "passiveHealthCheck": { "maxEjectedPercent": 101 } }),
            "maxEjectedPercent is 101, must be between 0 and 100",
        ),
        (
            json!({ "passiveHealthCheck": { "maxEjectedPercent": -1 } }),
            "maxEjectedPercent is -1, must be between 0 and 100",
        ),
    ] {
        let mut configured = json!({ "servers": [{ "url": "http://10.0.0.1" }] });
        for (key, value) in options.as_object().unwrap() {
            configured[key] = value.clone();
        }
        let report = generation(&balanced(&configured), None).report;
        let messages: Vec<_> = report.diagnostics.iter().map(ToString::to_string).collect();
        assert!(
            messages.iter().any(|text| text.contains(expected)),
            "{messages:?}"
        );
    }
}

#[test]
fn what_was_known_of_servers_goes_on_when_their_service_changes() {
    let passive = json!({ "failureWindow": "1h", "maxFailedAttempts": 1 });
    let servers = |ports: &[u16]| {
        let servers: Vec<_> = ports
            .iter()
            .map(|port| json!({ "url": format!("http://10.0.0.1:{port}") }))
            .collect();
        balanced(&json!({ "servers": servers, "passiveHealthCheck": passive }))
    };
    let first = generation(&servers(&[1, 2]), None);
    let failed = balancer(&service(&first)).observe(
        1,
        Outcome::AnsweredBadly,
        Duration::ZERO,
        Instant::now(),
    );
    assert!(failed);
    let second = generation(&servers(&[3, 2, 1]), Some(&first));
    let service = service(&second);
    let picks: Vec<_> = (0..4)
        .filter_map(|_| pick(balancer(&service)))
        .map(|(index, _)| index)
        .collect();
    assert!(picks.len() == 4 && !picks.contains(&1), "{picks:?}");
}

#[test]
fn a_server_that_joins_starts_slowly_where_that_is_asked_for() {
    for (slow_start, expected) in [
        (json!(null), 45..=55),
        (json!(0), 45..=55),
        (json!("1h"), 5..=15),
    ] {
        let servers = |ports: &[u16]| {
            let servers = ports.iter();
            let servers = servers.map(|port| json!({ "url": format!("http://10.0.0.1:{port}") }));
            let servers: Vec<_> = servers.collect();
            balanced(&json!({ "servers": servers, "slowStart": slow_start }))
        };
        let first = generation(&servers(&[1]), None);
        let second = generation(&servers(&[1, 2]), Some(&first));
        let service = service(&second);
        let picks = (0..100).filter_map(|_| pick(balancer(&service)));
        let n = picks.filter(|(index, _)| *index == 1).count();
        assert!(expected.contains(&n), "{slow_start}: {n}");
    }
}

#[test]
fn a_light_service_has_its_turns_although_a_heavy_one_keeps_changing() {
    let services = |n: u16| {
        let server = |port: u16| json!({ "loadBalancer": { "servers": [{ "url": format!("http://10.0.0.1:{port}") }] } });
        json!({
            "s1@file": { "weighted": { "services": [{ "name": "light" }, { "name": "heavy", "weight": 9 }] } },
            "light@file": server(1),
            "heavy@file": server(n),
        })
    };
    let mut last = generation(&services(2), None);
    let mut picks = Vec::new();
    for n in 3..43 {
        last = generation(&services(n), Some(&last));
        picks.extend(pick(balancer(&service(&last))).map(|(index, _)| index));
    }
    assert_eq!(picks.iter().filter(|&&index| index == 0).count(), 4);
}

/// As Traefik 3.7.15 does.
#[test]
fn a_failure_takes_a_server_out_for_the_window_that_is_set() {
    for (passive, is_taken_out) in [
        (json!({}), true),
        (
            json!({ "failureWindow": "1s", "maxFailedAttempts": 0 }),
            true,
        ),
        (
            json!({ "failureWindow": "1s", "maxFailedAttempts": -1 }),
            true,
        ),
        (json!({ "maxFailedAttempts": 2 }), false),
        (json!({ "failureWindow": "0s" }), false),
        (json!({ "failureWindow": "-1s" }), false),
    ] {
        let servers = json!([{ "url": "http://10.0.0.1" }]);
        let configured = json!({ "servers": servers, "passiveHealthCheck": passive });
        let service = service(&generation(&balanced(&configured), None));
        let now = Instant::now();
        balancer(&service).observe(0, Outcome::AnsweredBadly, Duration::ZERO, now);
        // Those who pick may look at a clock that is a little behind.
        assert_eq!(!balancer(&service).is_up(now), is_taken_out, "{passive}");
        assert_eq!(
            pick(balancer(&service)).is_none(),
            is_taken_out,
            "{passive}"
        );
    }
}
