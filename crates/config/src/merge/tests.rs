use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;

use super::{Configurations, MergeOptions, Merged, Model, merge};
use crate::Format;
use crate::diagnostic::Reason;
use crate::dynamic::{Configuration, Origin, Router, decode_text};
use crate::elements::Elements;
use crate::static_config::{StaticConfiguration, Surroundings};

fn configuration(text: &str) -> Arc<Configuration> {
    let origin = Origin {
        provider: "",
        file: "",
    };
    let (configuration, diagnostics) = decode_text(text, Format::Yaml, origin).unwrap();
    assert_eq!(diagnostics, [], "{text}");
    Arc::new(configuration)
}

fn providers(texts: &[(&str, &str)]) -> Configurations {
    texts
        .iter()
        .map(|(provider, text)| ((*provider).to_owned(), configuration(text)))
        .collect()
}

/// Options out of flags, with the entry points `third`, `web` and `websecure`.
fn options(flags: &[&str]) -> MergeOptions {
    let names = ["third", "web", "websecure"];
    let mut args: Vec<String> = names
        .iter()
        .map(|name| format!("--entrypoints.{name}.address=:1"))
        .collect();
    args.extend(flags.iter().map(|&flag| flag.to_owned()));
    let loaded = StaticConfiguration::load(&Surroundings {
        args: &args,
        env: &[],
        read: &|_| Err(std::io::ErrorKind::NotFound.into()),
    });
    MergeOptions::from(&loaded.unwrap().configuration)
}

/// Checks the routers that come out, less what is observed of all of them.
fn names<T>(elements: &Elements<T>) -> Vec<&str> {
    elements.keys().map(|name| &**name).collect()
}

fn check_routers(flags: &[&str], routers: &str, expected: &serde_json::Value) {
    let text = format!("http: {{routers: {{{routers}}}}}");
    let (merged, diagnostics) = merge(&providers(&[("file", &text)]), &options(flags));
    assert_eq!(diagnostics, [], "{routers}");
    let mut routers = serde_json::to_value(merged.http.unwrap().routers).unwrap();
    let everything =
        json!({"accessLogs": true, "metrics": true, "tracing": true, "traceVerbosity": "minimal"});
    for router in routers.as_object_mut().unwrap().values_mut() {
        if router["observability"] == everything {
            router.as_object_mut().unwrap().remove("observability");
        }
    }
    assert_eq!(&routers, expected, "{flags:?} {text}");
}

#[test]
fn names_are_qualified_and_references_stay() {
    let (merged, _) = merge(
        &providers(&[
            (
                "a",
                "{http: {routers: {r: {rule: x, service: s, middlewares: [m], entryPoints: [web]}}, services: {s: {weighted: {services: [{name: t}]}}}, middlewares: {m: {addPrefix: {prefix: /}}}, serversTransports: {t: {serverName: n}}}, tls: {options: {o: {sniStrict: true}}}}",
            ),
            ("b", "http: {routers: {r: {rule: y, parentRefs: [p, q@a]}}}"),
        ]),
        &options(&[]),
    );
    let http = merged.http.unwrap();
    assert_eq!(names(&http.routers), ["r@a", "r@b"]);
    assert_eq!(&*http.routers["r@a"].service, "s");
    assert_eq!(*http.routers["r@a"].middlewares, ["m"]);
    assert_eq!(*http.routers["r@b"].parent_refs, ["p@b", "q@a"]);
    assert_eq!(names(&http.services), ["s@a"]);
    assert_eq!(names(&http.middlewares), ["m@a"]);
    assert_eq!(names(&http.servers_transports), ["t@a"]);
    assert_eq!(names(&merged.tls.unwrap().options), ["default", "o@a"]);
}

#[test]
fn routers_share_what_most_of_them_have_in_common() {
    let own = providers(&[(
        "file",
        "http: {routers: {a: {rule: x, service: s}, b: {rule: y, service: s, middlewares: [m]}}}",
    )]);
    let options = MergeOptions {
        default_entry_points: ["web".to_owned()].into(),
        ..MergeOptions::default()
    };
    let (merged, _) = merge(&own, &options);
    let (read, merged) = (own["file"].http.as_ref().unwrap(), merged.http.unwrap());
    let (a, b) = (&merged.routers["a@file"], &merged.routers["b@file"]);
    assert!(Arc::ptr_eq(&a.rule, &read.routers["a"].rule));
    assert!(Arc::ptr_eq(&b.middlewares, &read.routers["b"].middlewares));
    assert!(Arc::ptr_eq(&a.entry_points, &b.entry_points));
    let [a, b] = [a, b].map(|router| router.observability.as_ref().unwrap());
    assert!(Arc::ptr_eq(a, b));
}

#[test]
fn tcp_and_udp_are_qualified_too() {
    let tcp = |text| serde_json::from_value(text).unwrap();
    let own = Configuration {
        tcp: tcp(json!({"routers": {"r": {"rule": "x"}}})),
        ..Configuration::default()
    };
    let (merged, _) = merge(
        &[("a".to_owned(), Arc::new(own))].into(),
        &MergeOptions::default(),
    );
    assert_eq!(merged.tcp, tcp(json!({"routers": {"r@a": {"rule": "x"}}})));
}

#[test]
fn routers_without_entry_points_get_the_default_ones() {
    let router = "a: {rule: x}, b: {rule: x, entryPoints: [web]}, c: {rule: x, parentRefs: [a]}";
    check_routers(
        &[],
        router,
        &json!({
            "a@file": {"rule": "x", "entryPoints": ["third", "web", "websecure"]},
            "b@file": {"rule": "x", "entryPoints": ["web"]},
            "c@file": {"rule": "x", "parentRefs": ["a@file"]},
        }),
    );
    check_routers(
        &["--entrypoints.web.asdefault"],
        "a: {rule: x}",
        &json!({"a@file": {"rule": "x", "entryPoints": ["web"]}}),
    );
}

#[test]
fn entry_points_give_what_routers_do_not_say() {
    check_routers(
        &[
            "--entrypoints.web.http.middlewares=m1,m2@other",
            "--entrypoints.websecure.http.tls.certresolver=le",
            "--entrypoints.third.observability.metrics=false",
            "--entrypoints.third.observability.tracing=false",
        ],
        "a: {rule: x}, b: {rule: x, entryPoints: [websecure, web], middlewares: [x], tls: {options: o}}, c: {rule: x, entryPoints: [third], observability: {metrics: true}}",
        &json!({
            "third-a@file": {"rule": "x", "entryPoints": ["third"], "observability": {"accessLogs": true, "metrics": false, "tracing": false, "traceVerbosity": "minimal"}},
            "web-a@file": {"rule": "x", "entryPoints": ["web"], "middlewares": ["m1", "m2@other"]},
            "websecure-a@file": {"rule": "x", "entryPoints": ["websecure"], "tls": {"certResolver": "le"}},
            "web-b@file": {"rule": "x", "entryPoints": ["web"], "middlewares": ["m1", "m2@other", "x"], "tls": {"options": "o"}},
            "websecure-b@file": {"rule": "x", "entryPoints": ["websecure"], "middlewares": ["x"], "tls": {"options": "o"}},
            "c@file": {"rule": "x", "entryPoints": ["third"], "observability": {"accessLogs": true, "metrics": true, "tracing": false, "traceVerbosity": "minimal"}},
        }),
    );
}

#[test]
fn a_router_keeps_its_name_where_nothing_is_given() {
    check_routers(
        &["--entrypoints.web.http.encodedcharacters.allowencodedslash=false"],
        "a: {rule: x}, e: {rule: x, entryPoints: [web, web, nope]}",
        &json!({
            "a@file": {"rule": "x", "entryPoints": ["third", "websecure"]},
            "web-a@file": {"rule": "x", "entryPoints": ["web"]},
            "e@file": {"rule": "x", "entryPoints": ["nope"]},
            "web-e@file": {"rule": "x", "entryPoints": ["web"]},
        }),
    );
}

#[test]
fn the_default_syntax_is_given_to_roots_that_do_not_say() {
    check_routers(
        &["--core.defaultrulesyntax=v2"],
        "a: {rule: x, entryPoints: [web]}, b: {rule: x, entryPoints: [web], ruleSyntax: v3}, c: {rule: x, parentRefs: [a]}",
        &json!({
            "a@file": {"rule": "x", "entryPoints": ["web"], "ruleSyntax": "v2"},
            "b@file": {"rule": "x", "entryPoints": ["web"], "ruleSyntax": "v3"},
            "c@file": {"rule": "x", "parentRefs": ["a@file"]},
        }),
    );
}

#[test]
fn children_follow_the_copies_of_their_parents() {
    check_routers(
        &[
            "--entrypoints.web.http.tls",
            "--entrypoints.websecure.http.tls",
        ],
        "p: {rule: x}, c: {rule: y, parentRefs: [p]}, d: {rule: z, parentRefs: [nope]}",
        &json!({
            "p@file": {"rule": "x", "entryPoints": ["third"]},
            "web-p@file": {"rule": "x", "entryPoints": ["web"], "tls": {}},
            "websecure-p@file": {"rule": "x", "entryPoints": ["websecure"], "tls": {}},
            "c@file": {"rule": "y", "parentRefs": ["p@file", "web-p@file", "websecure-p@file"]},
            "d@file": {"rule": "z", "parentRefs": ["nope@file"]},
        }),
    );
}

#[test]
fn a_copy_does_not_replace_a_router_of_its_name() {
    let text = "http: {routers: {b: {rule: x, entryPoints: [web, third]}, web-b: {rule: y, entryPoints: [third]}}}";
    let (merged, diagnostics) = merge(
        &providers(&[("file", text)]),
        &options(&["--entrypoints.web.http.tls"]),
    );
    assert_eq!(&*merged.http.unwrap().routers["web-b@file"].rule, "y");
    let [diagnostic] = &diagnostics[..] else {
        panic!("{diagnostics:?}")
    };
    assert_eq!(
        diagnostic.to_string(),
        "error[DuplicateName] router b@file: its copy for one entry point would be named web-b@file, and so is another router (part left out)"
    );
}

fn check_defaults(
    texts: &[(&str, &str)],
    options_version: Option<&str>,
    n_stores: usize,
    reasons: &[&str],
) {
    let (merged, diagnostics) = merge(&providers(texts), &MergeOptions::default());
    let tls = merged.tls.unwrap();
    let version = tls
        .options
        .get("default")
        .map(|options| options.min_version.as_str());
    assert_eq!(version, options_version, "{texts:?}");
    assert_eq!(tls.stores.len(), n_stores, "{texts:?}");
    let found: Vec<&str> = diagnostics
        .iter()
        .map(|diagnostic| Reason::as_str(diagnostic.reason))
        .collect();
    assert_eq!(found, reasons, "{texts:?}");
}

#[test]
fn the_default_tls_options_and_store_are_everybodys() {
    let a = "tls: {options: {default: {minVersion: VersionTLS12}}, stores: {default: {defaultCertificate: {certFile: a}}}}";
    let b = "tls: {options: {default: {minVersion: VersionTLS13}}, stores: {default: {defaultCertificate: {certFile: b}}}}";
    check_defaults(&[], Some(""), 0, &[]);
    check_defaults(&[("a", a)], Some("VersionTLS12"), 1, &[]);
    check_defaults(
        &[("a", a), ("b", b)],
        None,
        0,
        &["DuplicateName", "DuplicateName"],
    );
}

fn any_routers() -> impl Strategy<Value = Configuration> {
    let lists = || prop::collection::vec(prop::sample::select(vec!["web", "third", "x"]), 0..3);
    let router = (
        lists(),
        prop::collection::vec(prop::sample::select(vec!["a", "b"]), 0..2),
    );
    prop::collection::btree_map("[a-c]", router, 0..4).prop_map(|routers| {
        let routers: BTreeMap<_, _> = routers
            .into_iter()
            .map(|(name, (entry_points, parents))| {
                (
                    name,
                    json!({"rule": "x", "entryPoints": entry_points, "parentRefs": parents}),
                )
            })
            .collect();
        serde_json::from_value(json!({"http": {"routers": routers}})).unwrap()
    })
}

proptest! {
    #[test]
    fn a_provider_changes_nothing_of_another(a in any_routers(), b in any_routers(), modelled in any::<bool>()) {
        let mut options = MergeOptions { default_entry_points: ["third".to_owned(), "web".to_owned()].into(), ..MergeOptions::default() };
        if modelled {
            let model = Model { middlewares: vec!["m".to_owned()], ..Model::default() };
            options.models.insert("web".to_owned(), model);
        }
        let (a, b) = (("a".to_owned(), Arc::new(a)), ("b".to_owned(), Arc::new(b)));
        let (alone, _) = merge(&[a.clone()].into(), &options);
        let (together, _) = merge(&[b, a].into(), &options);
        let routers = together.http.unwrap().routers;
        let routers = routers.iter().filter(|(name, _)| name.ends_with("@a"));
        let routers: Elements<Router> = routers.map(|(name, router)| (Arc::clone(name), Arc::clone(router))).collect();
        prop_assert_eq!(routers, alone.http.unwrap().routers);
    }

    #[test]
    fn a_child_never_becomes_a_root(a in any_routers()) {
        let options = MergeOptions {
            default_entry_points: ["web".to_owned()].into(),
            models: [("web".to_owned(), Model { middlewares: vec!["m".to_owned()], ..Model::default() })].into(),
        };
        let children = |configuration: &Configuration| {
            let routers = &configuration.http.as_ref().unwrap().routers;
            routers.values().filter(|router| !router.parent_refs.is_empty()).count()
        };
        let expected = children(&a);
        let (merged, _) = merge(&[("a".to_owned(), Arc::new(a))].into(), &options);
        prop_assert_eq!(children(&merged), expected);
    }
}

/// Routers of few names, some of which are those of copies; children where they are wanted.
fn routers_that_meet(children: bool) -> impl Strategy<Value = Configuration> {
    let name = "(web-|web-x-)?[a-c]";
    let entry_points =
        prop::collection::vec(prop::sample::select(vec!["web", "web-x", "third"]), 0..3);
    let parents = prop::collection::vec("[a-c]", 0..=usize::from(children));
    let router = (entry_points, parents, "[a-c]");
    let routers = prop::collection::btree_map(name, router, 0..5);
    let services = prop::collection::btree_map("[a-c]", "[a-c]", 0..3);
    (routers, services).prop_map(|(routers, services)| {
        let routers: BTreeMap<_, _> = routers
            .into_iter()
            .map(|(name, (entry_points, parents, rule))| {
                let router =
                    json!({"rule": rule, "entryPoints": entry_points, "parentRefs": parents});
                (name, router)
            })
            .collect();
        let services: BTreeMap<_, _> = services
            .into_iter()
            .map(|(name, service)| (name, json!({"failover": {"service": service}})))
            .collect();
        serde_json::from_value(json!({"http": {"routers": routers, "services": services}})).unwrap()
    })
}

proptest! {
    #[test]
    fn what_is_merged_after_something_is_merged_as_if_from_nothing(
        steps in any::<bool>().prop_flat_map(|children| prop::collection::vec((routers_that_meet(children), any::<bool>()), 1..8)),
        modelled in prop::sample::subsequence(vec!["web", "web-x"], 0..=2),
    ) {
        let model = Model { middlewares: vec!["m".to_owned()], ..Model::default() };
        let options = MergeOptions {
            default_entry_points: ["third".to_owned(), "web".to_owned()].into(),
            models: modelled.into_iter().map(|name| (name.to_owned(), model.clone())).collect(),
        };
        let mut inputs = Configurations::new();
        let mut merged = Merged::default();
        for (configuration, is_file) in steps {
            let provider = if is_file { "file" } else { "other" };
            inputs.insert(provider.to_owned(), Arc::new(configuration));
            merged = merged.next(&inputs, &options);
            let (expected, diagnostics) = merge(&inputs, &options);
            prop_assert_eq!(&merged.configuration, &expected);
            prop_assert_eq!(&merged.diagnostics, &diagnostics);
        }
    }
}
