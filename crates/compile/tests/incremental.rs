//! What is compiled on top of an earlier generation is what would be compiled from nothing.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use traefikrs_compile::compiled::{EntryPointRoutes, Route, Target};
use traefikrs_compile::{Compiled, Generation, Options, compile};
use traefikrs_config::dynamic::Configuration;
use traefikrs_router::RouteTable;

#[derive(Debug, Clone)]
enum Step {
    /// Puts an element there, or takes it away.
    Set(&'static str, String, Option<Value>),
    /// Does several things before anybody looks.
    All(Vec<Self>),
}

/// A few names, so that elements meet; some are of another provider.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![8 => "[a-f]@file", 1 => "[a-c]@other"]
}

fn reference() -> impl Strategy<Value = String> {
    prop_oneof![6 => "[a-f]", 2 => name(), 1 => Just(String::new())]
}

fn some<T: std::fmt::Debug>(
    what: impl Strategy<Value = T>,
    at_most: usize,
) -> impl Strategy<Value = Vec<T>> {
    prop::collection::vec(what, 0..=at_most)
}

fn router() -> impl Strategy<Value = Value> {
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
        some(reference(), 2),
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

fn service() -> impl Strategy<Value = Value> {
    let url = prop_oneof![8 => "http://10.0.0.[1-4]:80", 1 => Just("http://[::1".to_owned())];
    let servers = some(url.prop_map(|url| json!({ "url": url })), 2);
    let transport = prop_oneof![4 => Just(String::new()), 1 => "[a-b]"];
    let balancer =
        (servers, transport, some(reference(), 1)).prop_map(|(servers, transport, middlewares)| {
            json!({
                "loadBalancer": { "servers": servers, "serversTransport": transport },
                "middlewares": middlewares,
            })
        });
    let children = some(reference().prop_map(|name| json!({ "name": name })), 3);
    let weighted = children.prop_map(|services| json!({ "weighted": { "services": services } }));
    let failover = (reference(), reference()).prop_map(
        |(service, fallback)| json!({ "failover": { "service": service, "fallback": fallback } }),
    );
    let mirroring = (reference(), some(reference(), 2)).prop_map(|(service, mirrors)| {
        let mirrors = mirrors
            .iter()
            .map(|name| json!({ "name": name, "percent": 10 }));
        let mirrors: Vec<_> = mirrors.collect();
        json!({ "mirroring": { "service": service, "mirrors": mirrors } })
    });
    prop_oneof![6 => balancer, 2 => weighted, 1 => failover, 1 => mirroring, 1 => Just(json!({}))]
}

fn middleware() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => "/[a-c]".prop_map(|prefix| json!({ "addPrefix": { "prefix": prefix } })),
        2 => some(reference(), 3).prop_map(|links| json!({ "chain": { "middlewares": links } })),
        1 => Just(json!({ "stripPrefixRegex": { "regex": ["("] } })),
        1 => Just(json!({ "compress": {} })),
        1 => Just(json!({})),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let maybe = |element: BoxedStrategy<Value>| prop::option::weighted(0.8, element);
    let set = |kind: &'static str, element: BoxedStrategy<Value>| {
        (name(), maybe(element)).prop_map(move |(name, element)| Step::Set(kind, name, element))
    };
    let transport = (0..3_i64).prop_map(|idle| json!({ "maxIdleConnsPerHost": idle }));
    let one = prop_oneof![
        5 => set("routers", router().boxed()),
        4 => set("services", service().boxed()),
        3 => set("middlewares", middleware().boxed()),
        1 => set("serversTransports", transport.boxed()),
        1 => set("tlsOptions", Just(json!({})).boxed()),
    ];
    prop_oneof![
        6 => one.clone(),
        1 => prop::collection::vec(one, 2..12).prop_map(Step::All),
    ]
}

#[derive(Default, Clone)]
struct Written(BTreeMap<&'static str, BTreeMap<String, Value>>);

impl Written {
    fn take(&mut self, step: &Step) {
        match step {
            Step::Set(kind, name, Some(element)) => {
                let elements = self.0.entry(kind).or_default();
                elements.insert(name.clone(), element.clone());
            }
            Step::Set(kind, name, None) => {
                self.0.entry(kind).or_default().remove(name);
            }
            Step::All(steps) => steps.iter().for_each(|step| self.take(step)),
        }
    }

    fn configuration(&self) -> Configuration {
        let elements = |kind| self.0.get(kind).cloned().unwrap_or_default();
        let mut http = serde_json::Map::new();
        for kind in ["routers", "services", "middlewares", "serversTransports"] {
            http.insert(kind.to_owned(), json!(elements(kind)));
        }
        let tls = json!({ "options": elements("tlsOptions") });
        serde_json::from_value(json!({ "http": http, "tls": tls })).unwrap()
    }
}

fn options() -> Options {
    Options {
        entry_points: ["web", "other"]
            .map(|name| (name.to_owned(), Default::default()))
            .into(),
        ..Options::default()
    }
}

/// All that a generation serves, in words. Pools are numbered anew in the order of their mention: a
/// generation in a row has numbers of its own.
fn served(compiled: &Compiled) -> String {
    let entry_points = compiled.entry_points.iter();
    let text: Vec<_> = entry_points
        .map(|(name, EntryPointRoutes { http, .. })| format!("{name}: {}", table(http)))
        .collect();
    let text = text.join("\n");
    let mut pools = Vec::new();
    let mut parts = text.split("PoolId(");
    let mut renumbered = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (number, rest) = part.split_once(')').unwrap();
        let known = pools.iter().position(|pool| *pool == number);
        let number = known.unwrap_or_else(|| {
            pools.push(number);
            pools.len() - 1
        });
        renumbered += &format!("pool {number}{rest}");
    }
    renumbered
}

fn table(table: &RouteTable<std::sync::Arc<Route>>) -> String {
    let routes = table.routes().into_iter().map(|route| {
        let target = match &route.value.target {
            Target::Children(children) => self::table(children),
            target => format!("{target:?}"),
        };
        format!(
            "{} {:?} {:?} {:?} {:?} -> {target}",
            route.name, route.priority, route.rank, route.matcher, route.value.stack
        )
    });
    routes.collect::<Vec<_>>().join("\n")
}

fn check(steps: &[Step]) {
    let options = options();
    let mut written = Written::default();
    let mut generation: Option<Generation> = None;
    for step in steps {
        written.take(step);
        let configuration = written.configuration();
        let next = compile(&configuration, &options, generation.as_ref());
        let fresh = compile(&configuration, &options, None);
        assert_eq!(next.report, fresh.report);
        assert_eq!(served(&next.compiled), served(&fresh.compiled));
        generation = Some(next);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, max_shrink_iters: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn a_change_leads_to_what_nothing_would_lead_to(steps in prop::collection::vec(step(), 1..40)) {
        check(&steps);
    }
}
