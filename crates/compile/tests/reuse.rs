//! What goes on from one generation to the next.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use serde_json::{Value, json};
use traefikrs_compile::compiled::{LoadBalancer, Service, ServiceKind, Target};
use traefikrs_compile::{Generation, compile};

mod support;

use support::{target, web};

/// A weighted service over a and b; a has a middleware by way of a chain, and its own transport.
fn configuration() -> Value {
    json!({ "http": {
        "routers": { "r@file": { "entryPoints": ["web"], "rule": "Host(`x`)", "service": "w" } },
        "services": {
            "w@file": { "weighted": { "services": [{ "name": "a" }, { "name": "b" }] } },
            "a@file": {
                "loadBalancer": {
                    "servers": [{ "url": "http://10.0.0.1" }, { "url": "http://10.0.0.2" }],
                    "serversTransport": "t",
                },
                "middlewares": ["chain"],
            },
            "b@file": { "loadBalancer": { "servers": [{ "url": "http://10.0.0.3" }] } },
        },
        "middlewares": {
            "chain@file": { "chain": { "middlewares": ["add"] } },
            "add@file": { "addPrefix": { "prefix": "/p" } },
        },
        "serversTransports": { "t@file": { "maxIdleConnsPerHost": 7 } },
    } })
}

#[test]
fn a_service_that_did_not_change_goes_on() {
    let first = generation(&configuration(), None);
    let mut other = configuration();
    other["http"]["routers"]["new@file"] =
        json!({ "entryPoints": ["web"], "rule": "Host(`y`)", "service": "b" });
    let second = generation(&other, Some(&first));
    assert!(Arc::ptr_eq(&root(&first), &root(&second)));
}

#[test]
fn a_change_is_seen_by_the_service_and_its_parents_only() {
    // What is changed, and which of the services a, b and w go on.
    for (pointer, value, expected) in [
        (
            "/http/services/a@file/loadBalancer/passHostHeader",
            json!(false),
            (false, true),
        ),
        (
            "/http/services/b@file/loadBalancer/servers/0/weight",
            json!(5),
            (true, false),
        ),
        (
            "/http/middlewares/add@file/addPrefix/prefix",
            json!("/q"),
            (false, true),
        ),
        (
            "/http/serversTransports/t@file/maxIdleConnsPerHost",
            json!(8),
            (false, true),
        ),
    ] {
        let first = generation(&configuration(), None);
        let mut changed = configuration();
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        changed.pointer_mut(parent).unwrap()[field] = value;
        let second = generation(&changed, Some(&first));
        let ([a, b], [new_a, new_b]) = (children(&first), children(&second));
        assert_eq!(
            (Arc::ptr_eq(&a, &new_a), Arc::ptr_eq(&b, &new_b)),
            expected,
            "{pointer}"
        );
        assert!(!Arc::ptr_eq(&root(&first), &root(&second)), "{pointer}");
    }
}

#[test]
fn a_composed_service_goes_on_while_its_parts_do() {
    let composed = |kind: &str| {
        let mut configuration = configuration();
        configuration["http"]["services"]["w@file"] = match kind {
            "mirroring" => {
                json!({ "mirroring": { "service": "a", "mirrors": [{ "name": "b", "percent": 30 }] } })
            }
            _ => {
                json!({ "failover": { "service": "a", "fallback": "b", "errors": { "status": ["500"] } } })
            }
        };
        configuration
    };
    for kind in ["mirroring", "failover"] {
        let first = generation(&composed(kind), None);
        let mut other = composed(kind);
        other["http"]["routers"]["new@file"] =
            json!({ "entryPoints": ["web"], "rule": "Host(`y`)", "service": "b" });
        let second = generation(&other, Some(&first));
        assert!(Arc::ptr_eq(&root(&first), &root(&second)), "{kind}");
        for part in ["a", "b"] {
            let mut changed = other.clone();
            changed["http"]["services"][format!("{part}@file")]["loadBalancer"]["passHostHeader"] =
                json!(false);
            let third = generation(&changed, Some(&second));
            assert!(!Arc::ptr_eq(&root(&second), &root(&third)), "{kind} {part}");
        }
    }
}

#[test]
fn servers_that_stay_keep_their_connections() {
    let first = generation(&configuration(), None);
    let mut changed = configuration();
    changed["http"]["services"]["a@file"]["loadBalancer"]["servers"] =
        json!([{ "url": "http://10.0.0.2", "weight": 3 }, { "url": "http://10.0.0.9" }]);
    let second = generation(&changed, Some(&first));
    let ([a, _], [new_a, _]) = (children(&first), children(&second));
    let (before, now) = (&balancer(&a).servers, &balancer(&new_a).servers);
    assert_eq!(before[1].pool, now[0].pool);
    let before: Vec<_> = before.iter().map(|server| server.pool).collect();
    assert!(!before.contains(&now[1].pool));
}

#[test]
fn another_transport_means_other_connections() {
    let first = generation(&configuration(), None);
    let mut changed = configuration();
    changed["http"]["serversTransports"]["t@file"]["maxIdleConnsPerHost"] = json!(9);
    let second = generation(&changed, Some(&first));
    let ([a, _], [new_a, _]) = (children(&first), children(&second));
    assert_ne!(
        balancer(&a).servers[0].pool,
        balancer(&new_a).servers[0].pool
    );
}

fn generation(configuration: &Value, previous: Option<&Generation>) -> Generation {
    let configuration = serde_json::from_value(configuration.clone()).unwrap();
    compile(&configuration, &web(), previous)
}

fn root(generation: &Generation) -> Arc<Service> {
    match target(generation) {
        Target::Service(service) => Arc::clone(service),
        other => panic!("{other:?}"),
    }
}

fn children(generation: &Generation) -> [Arc<Service>; 2] {
    let root = root(generation);
    let ServiceKind::Weighted(weighted) = &root.kind else {
        panic!("{:?}", root.kind);
    };
    let children: Vec<_> = weighted.children.to_vec();
    children.try_into().unwrap()
}

fn balancer(service: &Service) -> &LoadBalancer {
    let ServiceKind::LoadBalancer(balancer) = &service.kind else {
        panic!("{:?}", service.kind);
    };
    balancer
}
