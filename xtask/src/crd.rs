//! `cargo xtask crd`: writes the Kubernetes definitions that the types of `traefikrs-crd` describe.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::Value;

/// Writes `deploy/crds/*.yaml`.
pub(crate) fn run() -> anyhow::Result<()> {
    std::fs::create_dir_all(directory())?;
    for (path, manifest) in manifests() {
        std::fs::write(&path, manifest).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/crds")
}

fn manifests() -> Vec<(PathBuf, String)> {
    traefikrs_crd::definitions()
        .iter()
        .map(|definition| {
            let name = definition["metadata"]["name"].as_str().unwrap_or_default();
            (
                directory().join(format!("{name}.yaml")),
                manifest(definition),
            )
        })
        .collect()
}

fn manifest(definition: &Value) -> String {
    let mut yaml = String::from("# Written by `cargo xtask crd` from the types of crates/crd.\n");
    block(definition, 0, &mut yaml);
    yaml
}

/// Writes a value as block-style YAML that YAML 1.1 and 1.2 read alike: `kubectl` reads 1.1, where a
/// plain `yes`, `n` or `1_000` is no text.
fn block(value: &Value, indent: usize, yaml: &mut String) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                let _ = write!(yaml, "{:indent$}{}:", "", text(key));
                nested(value, indent + 2, yaml);
            }
        }
        Value::Array(items) => {
            for item in items {
                let _ = write!(yaml, "{:indent$}-", "");
                nested(item, indent + 2, yaml);
            }
        }
        scalar => {
            let _ = writeln!(yaml, "{:indent$}{}", "", inline(scalar));
        }
    }
}

fn nested(value: &Value, indent: usize, yaml: &mut String) {
    match value {
        Value::Object(entries) if !entries.is_empty() => {
            yaml.push('\n');
            block(value, indent, yaml);
        }
        Value::Array(items) if !items.is_empty() => {
            yaml.push('\n');
            block(value, indent, yaml);
        }
        other => {
            let _ = writeln!(yaml, " {}", inline(other));
        }
    }
}

fn inline(value: &Value) -> String {
    match value {
        Value::String(value) => text(value),
        other => other.to_string(),
    }
}

/// A text without quotes where no YAML could take it for anything else; quoted as JSON otherwise.
fn text(value: &str) -> String {
    // Three letters and more rule out `y`, `no`, `on`; the words rule out the rest.
    let is_word = value.len() > 2
        && value.starts_with(|c: char| c.is_ascii_alphabetic())
        && value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '/'));
    let has_a_meaning = ["yes", "off", "true", "false", "null"]
        .iter()
        .any(|word| value.eq_ignore_ascii_case(word));
    if is_word && !has_a_meaning {
        value.to_owned()
    } else {
        Value::from(value).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::{block, manifests};
    use serde_json::json;

    #[test]
    fn the_written_definitions_are_current() {
        for (path, manifest) in manifests() {
            let written = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(
                written == manifest,
                "{}: run `cargo xtask crd`",
                path.display()
            );
        }
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        for ((_, manifest), definition) in manifests().iter().zip(traefikrs_crd::definitions()) {
            let read: serde_json::Value = serde_yaml::from_str(manifest).unwrap();
            assert_eq!(read, definition);
        }
    }

    #[test]
    fn words_with_a_meaning_in_yaml_are_quoted() {
        let mut yaml = String::new();
        block(
            &json!({ "n": "yes", "on": ["1_000", "010", "a: b", "No"], "plain": "text" }),
            0,
            &mut yaml,
        );
        assert_eq!(
            yaml,
            "\"n\": \"yes\"\n\"on\":\n  - \"1_000\"\n  - \"010\"\n  - \"a: b\"\n  - \"No\"\nplain: text\n"
        );
    }
}
