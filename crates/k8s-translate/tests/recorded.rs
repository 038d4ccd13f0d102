//! What Traefik made of 77 clusters under ten sets of options, against what we make of them.
//!
//! `testdata/README.md` tells where the recordings come from. A difference is only accepted when
//! `testdata/differences.json` lists it under the defect that explains it, and when it really is that
//! defect; an entry that is no longer needed fails.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;
use traefikrs_config::Diagnostic;
use traefikrs_config::diagnostic::{Reason, Severity};
use traefikrs_k8s_translate::{Cluster, Options, Translation, reason, translate};

#[derive(Deserialize)]
struct Recorded {
    options: BTreeMap<String, Vec<String>>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    objects: Vec<Value>,
    expect: Vec<Expectation>,
}

#[derive(Deserialize)]
struct Expectation {
    options: Vec<String>,
    config: Value,
    log: Vec<BTreeMap<String, String>>,
}

/// One element that we translate differently on purpose.
#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Difference {
    case: String,
    options: String,
    element: String,
    defect: String,
}

fn recorded() -> Recorded {
    serde_json::from_str(include_str!("../testdata/recorded.json")).expect("recordings are JSON")
}

fn listed_differences() -> Vec<Difference> {
    serde_json::from_str(include_str!("../testdata/differences.json"))
        .expect("entries are complete")
}

/// Runs every case under every set of options.
fn for_each(mut check: impl FnMut(&Case, &str, &Expectation, Translation)) {
    let recorded = recorded();
    for case in &recorded.cases {
        let mut cluster = Cluster::new();
        for object in &case.objects {
            assert!(cluster.apply(object.clone()), "{object}");
        }
        for expectation in &case.expect {
            for name in &expectation.options {
                let translation = translate(&cluster, &options(&recorded.options[name]));
                check(case, name, expectation, translation);
            }
        }
    }
}

fn options(flags: &[String]) -> Options {
    let mut options = Options::default();
    for flag in flags {
        let (name, value) = flag.rsplit_once('=').expect("every flag has a value");
        match name.trim_start_matches("--providers.kubernetescrd.") {
            "allowcrossnamespace" => options.allow_cross_namespace = value == "true",
            "allowexternalnameservices" => options.allow_external_name_services = value == "true",
            "allowemptyservices" => options.allow_empty_services = value == "true",
            "nativelbbydefault" => options.native_lb_by_default = value == "true",
            "safenaming" => options.safe_naming = value == "true",
            "disableclusterscoperesources" => {
                options.disable_cluster_scope_resources = value == "true";
            }
            "crossprovidernamespaces" => options.cross_provider_namespaces = Some(list(value)),
            "defaulttlsresourcesnamespace" => {
                value.clone_into(&mut options.default_tls_resources_namespace);
            }
            "ingressclass" => value.clone_into(&mut options.ingress_class),
            "namespaces" => options.namespaces = list(value),
            other => unreachable!("unknown flag {other}"),
        }
    }
    options
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::to_owned).collect()
}

#[test]
fn every_cluster_gives_what_traefik_makes_of_it() {
    let listed = listed_differences();
    let mut unused: BTreeSet<&Difference> = listed.iter().collect();
    assert_eq!(unused.len(), listed.len(), "an entry is there twice");
    let (mut equal, mut accepted, mut failures) = (0, 0, Vec::new());
    for_each(|case, options, expectation, translation| {
        let ours = serde_json::to_value(translation.configuration.without_key_material())
            .expect("a configuration is JSON");
        let theirs = &expectation.config;
        let differences = differences(&ours, theirs);
        let unexplained: Vec<_> = differences
            .iter()
            .filter(|(element, ours_element, theirs_element)| {
                let entry = listed.iter().find(|entry| {
                    entry.case == case.name && entry.options == options && entry.element == *element
                });
                let explained = entry.is_some_and(|entry| {
                    unused.remove(entry);
                    is_explained(
                        &entry.defect,
                        element,
                        (ours_element, theirs_element),
                        &ours,
                    )
                });
                !explained
            })
            .collect();
        match (differences.is_empty(), unexplained.is_empty()) {
            (true, _) => equal += 1,
            (false, true) => accepted += 1,
            (false, false) => failures.push(format!("{} {options}: {unexplained:#?}", case.name)),
        }
    });
    println!(
        "{} translations: {equal} equal, {accepted} with accepted differences, {} failed",
        equal + accepted + failures.len(),
        failures.len()
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(unused.is_empty(), "no longer needed: {unused:#?}");
}

/// Elements that differ, as `/http/services/name`, with ours and theirs; `null` where there is none.
fn differences(ours: &Value, theirs: &Value) -> Vec<(String, Value, Value)> {
    let mut differences = Vec::new();
    for half in keys(ours, theirs) {
        for kind in keys(&ours[&half], &theirs[&half]) {
            let (ours, theirs) = (&ours[&half][&kind], &theirs[&half][&kind]);
            for name in keys(ours, theirs) {
                if ours[&name] != theirs[&name] {
                    differences.push((
                        format!("/{half}/{kind}/{name}"),
                        ours[&name].clone(),
                        theirs[&name].clone(),
                    ));
                }
            }
        }
    }
    // An absent half or kind is not an empty one.
    if differences.is_empty() && ours != theirs {
        differences.push((String::new(), ours.clone(), theirs.clone()));
    }
    differences
}

fn keys(ours: &Value, theirs: &Value) -> BTreeSet<String> {
    [ours, theirs]
        .into_iter()
        .filter_map(Value::as_object)
        .flat_map(|object| object.keys().cloned())
        .collect()
}

/// Whether a difference is what the defect of that number makes.
fn is_explained(
    defect: &str,
    element: &str,
    (ours, theirs): (&Value, &Value),
    configuration: &Value,
) -> bool {
    match defect {
        // A service that stays behind although the object that brought it was dropped.
        "B-12" => {
            let name = element.trim_start_matches("/http/services/");
            ours.is_null() && !is_referred_to(name, configuration)
        }
        // The same, where it took the place of the service of an object that works.
        "B-12 override" => !ours.is_null() && !theirs.is_null(),
        // Servers about to end serve nobody, although there are no others.
        "B-13" => {
            let mut unfenced = theirs.clone();
            for server in unfenced["loadBalancer"]["servers"]
                .as_array_mut()
                .into_iter()
                .flatten()
            {
                let fenced = server
                    .as_object_mut()
                    .and_then(|server| server.remove("fenced"));
                assert_eq!(fenced, Some(Value::Bool(true)));
            }
            unfenced == *ours
        }
        // Two definitions of one name in two objects, of which an arbitrary one counts.
        "N-17" => !ours.is_null() && !theirs.is_null(),
        other => unreachable!("unknown defect {other}"),
    }
}

/// Whether anything in our configuration refers to this service.
fn is_referred_to(service: &str, configuration: &Value) -> bool {
    fn mentions(value: &Value, text: &str) -> bool {
        match value {
            Value::String(value) => value == text,
            Value::Array(items) => items.iter().any(|item| mentions(item, text)),
            Value::Object(fields) => fields.values().any(|field| mentions(field, text)),
            _ => false,
        }
    }
    let http = &configuration["http"];
    let services = http["services"].as_object().into_iter().flatten();
    mentions(&http["routers"], service)
        || mentions(&http["middlewares"], service)
        || services
            .into_iter()
            .any(|(_, other)| mentions(other, service))
}

/// Which reason stands for a line of Traefik's log, told by what it contains.
const REASONS: &[(&str, Reason)] = &[
    ("is not in crossProviderNamespaces", reason::CROSS_PROVIDER),
    (
        "can only be defined in the",
        reason::DEFAULT_IN_OTHER_NAMESPACE,
    ),
    ("nodes lookup is disabled", reason::NODES_NOT_WATCHED),
    ("kubernetes.io/ingress.class", reason::DEPRECATED),
    ("RootCAsSecrets option is deprecated", reason::DEPRECATED),
    (
        "Name collision: TLS option \"default\"",
        reason::SEVERAL_DEFAULTS,
    ),
    ("Name collision", reason::NAME_COLLISION),
    (
        "is ignored in cross-provider context",
        reason::NAMESPACE_IGNORED,
    ),
    ("Empty match rule", reason::EMPTY_RULE),
    (
        "not in the parent resource namespace",
        reason::CROSS_NAMESPACE,
    ),
    ("cross-namespace are disallowed", reason::CROSS_NAMESPACE),
    (
        "cross-namespace reference to parent",
        reason::CROSS_NAMESPACE,
    ),
    (
        "@kubernetescrd references are disallowed",
        reason::CROSS_NAMESPACE,
    ),
    (
        "format is not allowed when crossnamespace is disallowed",
        reason::CROSS_NAMESPACE,
    ),
    (
        "namespace is not within watched namespaces",
        reason::NAMESPACE_NOT_WATCHED,
    ),
    ("parent IngressRoute", reason::PARENT_NOT_FOUND),
    (
        "externalName services not allowed",
        reason::EXTERNAL_NAME_FORBIDDEN,
    ),
    ("no clusterIP on headless service", reason::NO_CLUSTER_IP),
    (
        "healthCheck allowed only for ExternalName",
        reason::HEALTH_CHECK_FORBIDDEN,
    ),
    ("service port not defined", reason::SERVICE_PORT_MISSING),
    ("service port not found", reason::SERVICE_PORT_NOT_FOUND),
    ("invalid scheme", reason::INVALID_SCHEME),
    ("kubernetes service not found", reason::SERVICE_NOT_FOUND),
    ("no servers found for", reason::NO_ENDPOINTS),
    ("unable to parse flushInterval", reason::INVALID_DURATION),
    ("unspecified service type", reason::TRAEFIK_SERVICE_EMPTY),
    (
        "Default TLS Options defined in multiple",
        reason::SEVERAL_DEFAULTS,
    ),
    (
        "is missing the following TLS data entries",
        reason::SECRET_INCOMPLETE,
    ),
    (
        "contains neither tls.ca nor ca.crt",
        reason::SECRET_INCOMPLETE,
    ),
    ("must be single element exactly", reason::SECRET_INCOMPLETE),
    ("does not exist", reason::SECRET_NOT_FOUND),
    ("' not found", reason::SECRET_NOT_FOUND),
];

/// The object that a line of Traefik's log names; lines without one fit any object.
fn subject(line: &BTreeMap<String, String>) -> Option<(&'static str, &str)> {
    // This line names the reference, not the object that holds it.
    if line
        .get("message")
        .is_some_and(|message| message.contains("cross-provider context"))
    {
        return None;
    }
    [
        ("ingress", "IngressRoute"),
        ("serviceName", "TraefikService"),
        ("middlewareName", "Middleware"),
        ("serversTransport", "ServersTransport"),
        ("tlsOption", "TLSOption"),
        ("TLSStore", "TLSStore"),
    ]
    .into_iter()
    .find_map(|(field, kind)| Some((kind, line.get(field)?.as_str())))
}

fn fits(diagnostic: &Diagnostic, line: &BTreeMap<String, String>, wanted: Reason) -> bool {
    let is_subject = subject(line).is_none_or(|(kind, name)| {
        let subject = &diagnostic.subject;
        // Some lines name the object, others what became of it.
        let names = [
            subject.name.clone(),
            format!("{}-{}", subject.namespace, subject.name),
            format!("{}_{}", subject.namespace, subject.name),
        ];
        subject.kind == kind
            && names.iter().any(|known| known == name)
            && line
                .get("namespace")
                .is_none_or(|namespace| *namespace == subject.namespace)
    });
    let is_as_severe = line["level"] == "warn" || diagnostic.severity == Severity::Error;
    is_subject && is_as_severe && diagnostic.reason == wanted
}

/// Whether a name collides only with what stays behind of a dropped object, which we do not keep.
fn is_of_a_dropped_object(text: &str, case: &Case, options: &str, listed: &[Difference]) -> bool {
    listed.iter().any(|entry| {
        let name = entry.element.trim_start_matches("/http/services/");
        entry.case == case.name
            && entry.options == options
            && entry.defect.starts_with("B-12")
            && text.contains(&format!("\"{name}\""))
    })
}

#[test]
fn everything_that_traefik_logs_has_a_diagnostic() {
    let listed = listed_differences();
    let mut lines = 0;
    for_each(|case, options, expectation, translation| {
        // Traefik says some things twice, as a warning and as an error; one diagnostic is enough.
        let mut wanted: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
        for line in &expectation.log {
            let text = format!(
                "{} {}",
                line.get("message").map_or("", String::as_str),
                line.get("error").map_or("", String::as_str)
            );
            let Some((_, reason)) = REASONS.iter().find(|(part, _)| text.contains(part)) else {
                panic!("{} {options}: no reason stands for {line:?}", case.name);
            };
            if text.starts_with("Name collision")
                && is_of_a_dropped_object(&text, case, options, &listed)
            {
                continue;
            }
            lines += 1;
            let found = translation
                .diagnostics
                .iter()
                .filter(|diagnostic| fits(diagnostic, line, *reason))
                .count();
            let said = wanted
                .entry((subject(line), line.get("namespace"), *reason))
                .or_default();
            said.insert(text);
            assert!(
                found >= said.len(),
                "{} {options}: {found} for {said:?}: {:#?}",
                case.name,
                translation.diagnostics
            );
        }
    });
    println!("{lines} lines of log have their diagnostics");
}
