//! Texts and what Traefik's file provider makes of them.

use serde::Deserialize;
use serde_json::{Value, json};
use traefikrs_config::Format;
use traefikrs_config::diagnostic::Severity;
use traefikrs_config::dynamic::{Origin, decode_text};

#[derive(Deserialize)]
struct Recorded {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    format: String,
    text: String,
    /// What Traefik reads.
    configuration: Option<Value>,
    /// Why Traefik refuses the whole file.
    refused: Option<String>,
    /// Why we do otherwise: then we read this, or nothing.
    differs: Option<String>,
    ours: Option<Value>,
}

/// What we read and whether we found a mistake.
fn read(case: &Case) -> (Value, bool) {
    let format = match case.format.as_str() {
        "toml" => Format::Toml,
        _ => Format::Yaml,
    };
    let origin = Origin {
        provider: "file",
        file: "",
    };
    match decode_text(&case.text, format, origin) {
        Ok((configuration, diagnostics)) => {
            let configuration = configuration.without_key_material();
            let mut printed = serde_json::to_value(configuration).expect("a configuration prints");
            remove_empty(&mut printed);
            let mistaken = diagnostics
                .iter()
                .any(|diagnostic| diagnostic.severity == Severity::Error);
            (printed, mistaken)
        }
        Err(_) => (json!({}), true),
    }
}

/// Sections that nothing was said of print as nothing, or as empty.
fn remove_empty(configuration: &mut Value) {
    if let Value::Object(sections) = configuration {
        sections.retain(|_, section| *section != json!({}));
    }
}

fn check(case: &Case) -> Result<(), String> {
    let (printed, mistaken) = read(case);
    let expected = case.ours.as_ref().or(case.configuration.as_ref());
    match (&case.refused, &case.differs, expected) {
        (Some(refused), None, _) if !mistaken => Err(format!("Traefik refuses it: {refused}")),
        (None, _, Some(expected)) | (_, Some(_), Some(expected)) if *expected != printed => {
            Err(format!("read {printed}\n  not {expected}"))
        }
        _ => Ok(()),
    }
}

#[test]
fn texts_mean_what_they_mean_to_traefik() {
    let recorded = include_str!("../testdata/file-cases.json");
    let recorded: Recorded = serde_json::from_str(recorded).unwrap();
    assert!(recorded.cases.len() > 150);
    let failed: Vec<String> = recorded
        .cases
        .iter()
        .filter_map(|case| {
            let problem = check(case).err()?;
            Some(format!("{}\n  {problem}", case.text.trim_end()))
        })
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}
