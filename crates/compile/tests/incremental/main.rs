//! What is compiled on top of an earlier generation is what would be compiled from nothing, and what did not change
//! goes on.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;
use serde_json::{Value, json};
use traefikrs_compile::{Options, compile};

mod elements;
mod kept;
mod served;
mod written;

use elements::{middleware, name, router, service, transport, transport_name};
use kept::{Made, check_kept, check_whole};
use served::Served;
use written::Written;

#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Puts an element there, or takes it away.
    Set(&'static str, String, Option<Value>),
    /// Changes one field of a load balancer, if there is one of this name.
    Touch(String),
    /// Does several things before anybody looks.
    All(Vec<Self>),
}

fn step() -> impl Strategy<Value = Step> {
    let set = |kind: &'static str, name: BoxedStrategy<String>, element: BoxedStrategy<Value>| {
        let maybe = prop::option::weighted(0.8, element);
        (name, maybe).prop_map(move |(name, element)| Step::Set(kind, name, element))
    };
    let one = prop_oneof![
        5 => set("routers", name().boxed(), router().boxed()),
        5 => set("services", name().boxed(), service().boxed()),
        3 => set("middlewares", name().boxed(), middleware().boxed()),
        2 => set("serversTransports", transport_name().boxed(), transport().boxed()),
        1 => set("tlsOptions", name().boxed(), Just(json!({})).boxed()),
        3 => name().prop_map(Step::Touch),
    ];
    prop_oneof![
        6 => one.clone(),
        1 => prop::collection::vec(one, 2..12).prop_map(Step::All),
    ]
}

/// What all begin with: elements that work, and so have something to lose.
fn beginning() -> Step {
    let set = |kind, name: &str, element| Step::Set(kind, format!("{name}@file"), Some(element));
    let balancer = |mut balancer: Value, urls: &[&str]| {
        let servers = urls.iter().map(|url| json!({ "url": url }));
        balancer["servers"] = servers.collect();
        json!({ "loadBalancer": balancer })
    };
    let http = ["http://10.0.0.1:80", "http://10.0.0.2:80"];
    let checked = json!({ "healthCheck": { "path": "/hc" }, "passiveHealthCheck": {} });
    let secure = json!({ "strategy": "p2c", "serversTransport": "a" });
    let sticky = json!({ "strategy": "leasttime", "sticky": { "cookie": {} } });
    let services = [
        ("a", balancer(checked, &http)),
        (
            "b",
            balancer(secure, &["https://10.0.0.1", "h2c://10.0.0.2"]),
        ),
        ("c", balancer(sticky, &http)),
        (
            "d",
            json!({ "weighted": { "services": [{ "name": "a" }, { "name": "b" }] } }),
        ),
        (
            "e",
            json!({ "failover": { "service": "a", "fallback": "c" } }),
        ),
        (
            "f",
            json!({ "mirroring": { "service": "d", "mirrors": [{ "name": "c" }] } }),
        ),
    ];
    let routers = services.iter().map(|(name, _)| {
        let rule = format!("Host(`{name}.x`)");
        let router = json!({ "rule": rule, "entryPoints": ["web"], "service": name });
        set("routers", name, router)
    });
    let mut steps: Vec<_> = routers.collect();
    steps.push(set(
        "serversTransports",
        "a",
        json!({ "insecureSkipVerify": true }),
    ));
    steps.extend(
        services
            .into_iter()
            .map(|(name, it)| set("services", name, it)),
    );
    Step::All(steps)
}

fn options() -> Options {
    Options {
        entry_points: ["web", "other"]
            .map(|name| (name.to_owned(), Default::default()))
            .into(),
        ..Options::default()
    }
}

fn check(steps: &[Step]) {
    let options = options();
    let mut written = Written::default();
    let mut before: Option<Made> = None;
    for step in std::iter::once(&beginning()).chain(steps) {
        written.take(step);
        let configuration = written.configuration();
        let previous = before.as_ref().map(|before| &before.generation);
        let generation = compile(&configuration, &options, previous);
        let fresh = compile(&configuration, &options, None);
        assert_eq!(generation.report, fresh.report);
        let served = Served::of(&generation);
        assert_eq!(
            served.text(&generation.compiled),
            Served::of(&fresh).text(&fresh.compiled)
        );
        assert_eq!(generation.compiled.pools.len(), fresh.compiled.pools.len());
        let now = Made {
            written: written.clone(),
            generation,
            served,
        };
        check_whole(&now);
        if let Some(before) = &before {
            check_kept(before, &now);
        }
        before = Some(now);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, max_shrink_iters: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn a_change_leads_to_what_nothing_would_lead_to(steps in prop::collection::vec(step(), 1..40)) {
        check(&steps);
    }
}
