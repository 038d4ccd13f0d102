//! What Traefik 3.7.15 answered for the same configuration, field by field.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::sync::Arc;

use http::Method;
use serde::Deserialize;
use serde_json::Value;
use traefikrs_api::{Api, Facts};
use traefikrs_compile::{Generation, Options, compile};
use traefikrs_config::Format;
use traefikrs_config::dynamic::{Origin, decode_text};
use traefikrs_config::internal::internal_configuration;
use traefikrs_config::merge::{MergeOptions, merge};
use traefikrs_config::static_config::{StaticConfiguration, Surroundings};

/// Differences that are meant: where, and why.
const ACCEPTED: &[(&str, &str)] = &[
    (
        "/api/overview",
        "the dashboard is left out of the recorded lists, not of its counts",
    ),
    (
        "error parsing server URL http://[::1",
        "the end of the text is of Go's URL parser",
    ),
];

#[derive(Deserialize)]
struct Recorded {
    method: String,
    path: String,
    status: u16,
    content_type: Option<String>,
    next_page: Option<String>,
    body: Value,
}

#[test]
fn answers_are_those_of_traefik() {
    let recorded: Vec<Recorded> =
        serde_json::from_str(include_str!("../testdata/answers.json")).unwrap();
    let (api, generation) = site();
    let mut differences = Vec::new();
    for recorded in recorded
        .iter()
        .filter(|recorded| !is_cut_within_the_dashboard(&recorded.path))
    {
        let method = Method::from_bytes(recorded.method.as_bytes()).unwrap();
        let (path, query) = match recorded.path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (recorded.path.as_str(), None),
        };
        let answer = api.answer(&method, path, query, &generation.report);
        let header = |name| {
            answer
                .headers()
                .get(name)
                .map(|value: &http::HeaderValue| value.to_str().unwrap().to_owned())
        };
        assert_eq!(answer.status(), recorded.status, "{path}");
        assert_eq!(header("content-type"), recorded.content_type, "{path}");
        assert_eq!(
            header("x-next-page"),
            recorded.next_page,
            "{}",
            recorded.path
        );
        let text = std::str::from_utf8(answer.body()).unwrap();
        let body = serde_json::from_str(text).unwrap_or_else(|_| text.into());
        compare(&recorded.path, &recorded.body, &body, &mut differences);
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// The dashboard's elements are left out of the recording after pages were cut.
fn is_cut_within_the_dashboard(path: &str) -> bool {
    ["page=2", "sortBy=provider", "sortBy=type"]
        .iter()
        .any(|cut| path.contains(cut))
}

fn compare(path: &str, expected: &Value, actual: &Value, differences: &mut Vec<String>) {
    let accepted = ACCEPTED
        .iter()
        .any(|(place, _)| path.starts_with(place) || expected.to_string().contains(place));
    if expected == actual {
        return;
    }
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            for name in expected
                .keys()
                .chain(actual.keys())
                .collect::<BTreeSet<_>>()
            {
                let of = |fields: &serde_json::Map<String, Value>| {
                    fields.get(name).cloned().unwrap_or_default()
                };
                compare(
                    &format!("{path} {name}"),
                    &of(expected),
                    &of(actual),
                    differences,
                );
            }
        }
        (Value::Array(expected), Value::Array(actual)) if expected.len() == actual.len() => {
            for (index, (expected, actual)) in expected.iter().zip(actual).enumerate() {
                compare(&format!("{path} [{index}]"), expected, actual, differences);
            }
        }
        _ if accepted => {}
        _ => differences.push(format!(
            "{path}\n  traefik: {expected}\n  ours:    {actual}"
        )),
    }
}

fn site() -> (Api, Generation) {
    let args = [
        "--entrypoints.web.address=127.0.0.1:32080",
        "--entrypoints.traefik.address=127.0.0.1:32081",
        "--api.insecure",
        "--ping",
    ]
    .map(str::to_owned);
    let loaded = StaticConfiguration::load(&Surroundings {
        args: &args,
        env: &[],
        read: &|_| Err(std::io::ErrorKind::NotFound.into()),
    });
    let settings = loaded.unwrap().configuration;
    let origin = Origin {
        provider: "file",
        file: "routes.yml",
    };
    let (file, findings) =
        decode_text(include_str!("../testdata/routes.yml"), Format::Yaml, origin).unwrap();
    assert_eq!(findings, []);
    let providers = [
        ("file".to_owned(), Arc::new(file)),
        (
            "internal".to_owned(),
            Arc::new(internal_configuration(&settings)),
        ),
    ];
    let (merged, _) = merge(&providers.into(), &MergeOptions::from(&settings));
    let options = Options {
        entry_points: settings
            .entry_points
            .keys()
            .map(|name| (name.clone(), Default::default()))
            .collect(),
        ..Options::default()
    };
    let entry_points = settings.entry_points.iter().map(|(name, entry_point)| {
        let mut json = serde_json::to_value(entry_point).unwrap();
        json["name"] = name.as_str().into();
        json
    });
    let api = Api::new(Facts {
        entry_points: entry_points.collect(),
        providers: vec!["File".to_owned()],
        ..Facts::default()
    });
    (api, compile(&merged, &options, None))
}
