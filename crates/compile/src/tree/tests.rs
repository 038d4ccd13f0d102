use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Case {
    desc: String,
    routers: BTreeMap<String, Router>,
    statuses: BTreeMap<String, String>,
    errors: BTreeMap<String, Vec<String>>,
    child_refs: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct Router {
    service: String,
    parent_refs: Vec<String>,
    entrypoints: Vec<String>,
    tls: bool,
    observability: bool,
}

#[test]
fn trees_are_judged_as_in_traefiks_table() {
    let cases: Vec<Case> =
        serde_json::from_str(include_str!("../../testdata/oracle/trees.json")).unwrap();
    for case in &cases {
        check(case);
    }
}

fn check(case: &Case) {
    let routers = case.routers.iter().map(|(name, router)| {
        let router = dynamic::Router {
            service: router.service.as_str().into(),
            parent_refs: router.parent_refs.clone().into(),
            entry_points: router.entrypoints.clone().into(),
            tls: router.tls.then(Default::default),
            observability: router.observability.then(Default::default),
            ..dynamic::Router::default()
        };
        (qualified(name).to_string(), router)
    });
    let routers: Elements<dynamic::Router> = routers.collect();
    let tree = RouterTree::new(&routers);
    for (name, status) in &case.statuses {
        let name_here = qualified(name);
        let verdict = tree.verdict(&name_here, &routers[name_here.as_str()]);
        let errors: Vec<_> = verdict
            .findings
            .iter()
            .map(|finding| finding.message.replace("@p", ""))
            .collect();
        let expected = case.errors.get(name).cloned().unwrap_or_default();
        assert_eq!(errors, expected, "{}: {name}", case.desc);
        assert_eq!(
            format!("{:?}", verdict.status()).to_lowercase(),
            *status,
            "{}: {name}",
            case.desc
        );
        let children: Vec<_> = tree
            .children(&qualified(name))
            .map(QualifiedName::name)
            .collect();
        if let Some(expected) = case.child_refs.get(name) {
            assert_eq!(children, *expected, "{}: {name}", case.desc);
        }
    }
}

#[test]
fn a_chain_of_routers_without_end_is_cut_off() {
    let name = |n: usize| qualified(&format!("{n:05}"));
    let routers = (0..10_000_usize).map(|n| {
        let parent_refs = n.checked_sub(1).map(|parent| name(parent).to_string());
        let router = dynamic::Router {
            parent_refs: parent_refs.into_iter().collect(),
            ..dynamic::Router::default()
        };
        (name(n).to_string(), router)
    });
    let routers: Elements<dynamic::Router> = routers.collect();
    let tree = RouterTree::new(&routers);
    let deep = name(MAX_DEPTH);
    let findings = tree.verdict(&deep, &routers[deep.as_str()]).findings;
    assert_eq!(
        findings[0].message,
        "router is more than 64 levels below its root"
    );
}

fn qualified(name: &str) -> QualifiedName {
    QualifiedName::new(name, "p")
}
