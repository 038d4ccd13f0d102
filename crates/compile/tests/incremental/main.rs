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
    for step in steps {
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
    #![proptest_config(ProptestConfig { cases: 400, max_shrink_iters: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn a_change_leads_to_what_nothing_would_lead_to(steps in prop::collection::vec(step(), 1..40)) {
        check(&steps);
    }
}
