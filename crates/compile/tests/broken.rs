//! What becomes of broken elements, compared with what Traefik 3.7.15 said of the same file.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use traefikrs_compile::reason::NOT_SERVED;
use traefikrs_compile::report::{Status, Verdict};
use traefikrs_compile::{Generation, Options, compile};
use traefikrs_config::QualifiedName;
use traefikrs_config::dynamic::Configuration;

/// Texts that differ on purpose: ours says the same in other words, or more.
const OTHER_WORDS: &[(&str, &str, &str)] = &[(
    "error parsing server URL http://[::1: parse \"http://[::1\": missing ']' in host",
    "error parsing server URL http://[::1: parse \"http://[::1\": invalid host in URL",
    "the text is of Go's URL parser",
)];

#[test]
fn elements_are_judged_as_traefik_judges_them() {
    check(&broken(), include_str!("../testdata/oracle/broken.json"));
}

#[test]
fn services_of_services_are_judged_as_traefik_judges_them() {
    check(
        &composition(),
        include_str!("../testdata/oracle/composition.json"),
    );
}

/// The recording has each URL, and how Traefik shows it where it takes it.
#[test]
fn urls_of_servers_are_judged_as_traefik_judges_them() {
    let recorded = include_str!("../testdata/oracle/servers.json");
    let recorded: Vec<(String, Option<String>)> = serde_json::from_str(recorded).unwrap();
    let services = recorded.iter().enumerate().map(|(n, (url, _))| {
        let servers = json!({ "servers": [{ "url": url }] });
        (format!("s{n}@file"), json!({ "loadBalancer": servers }))
    });
    let routers = (0..recorded.len()).map(|n| {
        let router =
            json!({ "entryPoints": ["web"], "rule": "Host(`x`)", "service": format!("s{n}") });
        (format!("r{n}@file"), router)
    });
    let configuration = json!({ "http": {
        "routers": routers.collect::<Map<_, _>>(),
        "services": services.collect::<Map<_, _>>(),
    } });
    let generation = compile(
        &serde_json::from_value(configuration).unwrap(),
        &web(),
        None,
    );
    for (n, (url, shown)) in recorded.iter().enumerate() {
        let service = &generation.report.services[format!("s{n}@file").as_str()];
        let shown_here = service.servers.first().map(|server| &*server.url);
        assert_eq!(shown_here, shown.as_deref(), "{url}");
        let is_refused = service.verdict.status() == Status::Disabled;
        assert_eq!(is_refused, shown.is_none(), "{url}");
    }
}

/// Compares what is recorded with what came of it here, but for what is said to be not served yet.
fn check(generation: &Generation, recorded: &str) {
    let expected: Value = serde_json::from_str(recorded).unwrap();
    let report = &generation.report;
    let routers = report
        .routers
        .iter()
        .map(|(name, router)| (name, &router.verdict, json!({ "using": router.using })));
    let services = report
        .services
        .iter()
        .map(|(name, service)| (name, &service.verdict, used_by(&service.used_by)));
    let middlewares = report
        .middlewares
        .iter()
        .map(|(name, middleware)| (name, &middleware.verdict, used_by(&middleware.used_by)));
    let actual = json!({
        "routers": judged(routers),
        "services": judged(services),
        "middlewares": judged(middlewares),
    });
    let mut differences = Vec::new();
    for kind in ["routers", "services", "middlewares"] {
        for (name, expected) in expected[kind].as_object().unwrap() {
            let actual = &actual[kind][name];
            if actual != expected {
                differences.push(format!(
                    "{kind} {name}\n  traefik: {expected}\n  ours:    {actual}"
                ));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn each_broken_element_has_a_diagnostic_with_place_and_consequence() {
    let generation = broken();
    let disabled = generation
        .report
        .routers
        .iter()
        .filter(|(_, router)| router.verdict.status() == Status::Disabled);
    for (name, _) in disabled {
        let about =
            |text: &String| text.contains(name.as_str()) && text.contains("router disabled");
        let diagnostics = generation
            .report
            .diagnostics
            .iter()
            .map(ToString::to_string);
        assert!(diagnostics.into_iter().any(|text| about(&text)), "{name}");
    }
}

#[test]
fn one_broken_router_among_a_thousand_harms_only_itself() {
    let routers: BTreeMap<_, _> = (0..1000)
        .map(|n| {
            let rule = if n == 500 {
                "Host(`h500`".to_owned()
            } else {
                format!("Host(`h{n}`)")
            };
            (
                format!("r{n}@file"),
                json!({ "entryPoints": ["web"], "rule": rule, "service": "s" }),
            )
        })
        .collect();
    let configuration = serde_json::from_value(json!({ "http": {
        "routers": routers,
        "services": { "s@file": { "loadBalancer": { "servers": [{ "url": "http://127.0.0.1:1" }] } } },
    }}));
    let generation = compile(&configuration.unwrap(), &web(), None);
    assert_eq!(generation.compiled.entry_points["web"].http.len(), 999);
    let [diagnostic] = generation.report.diagnostics.as_slice() else {
        panic!("{:?}", generation.report.diagnostics);
    };
    assert_eq!(
        diagnostic.to_string().lines().next().unwrap(),
        "error[InvalidRule] router r500@file at rule: error while parsing rule Host(`h500`: parsing rule Host(`h500`: \
         1:12: missing ',' before newline in argument list (router disabled)"
    );
}

fn broken() -> Generation {
    let text = include_str!("../testdata/oracle/broken.yml");
    let configuration: Value = serde_yaml::from_str(text).unwrap();
    compile(&qualified(configuration), &web(), None)
}

fn composition() -> Generation {
    let text = include_str!("../testdata/oracle/composition.yml");
    let mut configuration: Value = serde_yaml::from_str(text).unwrap();
    let services = configuration["http"]["services"].as_object().unwrap();
    let routers: Map<_, _> = services
        .keys()
        .map(|name| {
            (
                name.clone(),
                json!({ "rule": format!("Host(`{name}`)"), "service": name }),
            )
        })
        .collect();
    configuration["http"]["routers"] = routers.into();
    compile(&qualified(configuration), &web(), None)
}

fn web() -> Options {
    Options {
        entry_points: ["web", "traefik"]
            .map(|name| (name.to_owned(), Default::default()))
            .into(),
        ..Options::default()
    }
}

/// The file as merging leaves it: qualified names, default entry points for roots, and the built-in
/// elements.
fn qualified(mut configuration: Value) -> Configuration {
    for kind in ["routers", "services", "middlewares"] {
        let elements = configuration["http"][kind].as_object().unwrap();
        let elements: Map<_, _> = elements
            .iter()
            .map(|(name, element)| (format!("{name}@file"), element.clone()))
            .collect();
        configuration["http"][kind] = elements.into();
    }
    for (_, router) in configuration["http"]["routers"].as_object_mut().unwrap() {
        if router.get("parentRefs").is_none() && router.get("entryPoints").is_none() {
            router["entryPoints"] = json!(["web"]);
        }
    }
    let routers = &mut configuration["http"]["routers"];
    for internal in ["api", "ping"] {
        routers[format!("{internal}@internal")] = json!({
            "entryPoints": ["traefik"],
            "rule": format!("PathPrefix(`/{internal}`)"),
            "service": format!("{internal}@internal"),
            "priority": i64::MAX,
        });
    }
    for internal in ["api", "ping", "noop"] {
        configuration["http"]["services"][format!("{internal}@internal")] = json!({});
    }
    serde_json::from_value(configuration).unwrap()
}

fn judged<'a>(elements: impl Iterator<Item = (&'a QualifiedName, &'a Verdict, Value)>) -> Value {
    let elements = elements.map(|(name, verdict, mut json)| {
        let served = Verdict {
            findings: verdict
                .findings
                .iter()
                .filter(|finding| finding.reason != NOT_SERVED)
                .cloned()
                .collect(),
        };
        json["status"] = json!(served.status());
        let errors: Vec<_> = served
            .findings
            .iter()
            .map(|finding| in_traefiks_words(&finding.message))
            .collect();
        json["error"] = json!(errors);
        let fields = json.as_object_mut().unwrap();
        fields.retain(|_, value| value.as_array().is_none_or(|list| !list.is_empty()));
        (name.to_string(), json)
    });
    elements.collect::<Map<_, _>>().into()
}

fn in_traefiks_words(message: &str) -> String {
    let other = OTHER_WORDS.iter().find(|(_, ours, _)| message == *ours);
    other.map_or(message, |(theirs, _, _)| theirs).to_owned()
}

fn used_by(routers: &[QualifiedName]) -> Value {
    json!({ "usedBy": routers.iter().map(QualifiedName::as_str).collect::<Vec<_>>() })
}
