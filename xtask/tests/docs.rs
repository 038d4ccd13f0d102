//! What documents must mention: they are read by people who look for one word.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

#[test]
fn every_option_has_a_row_in_the_compatibility_page() {
    let page = read("docs/compatibility.md");
    let rows: Vec<(&str, &str)> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|row| row.split_once("` | "))
        .collect();
    let covered = |option: &str| {
        rows.iter().any(|(prefix, rest)| {
            let prefix = prefix.replace('*', "<name>");
            let below = option.strip_prefix(prefix.as_str());
            match below {
                Some("") => rest.contains("(itself"),
                Some(below) if below.starts_with(['.', '[']) => {
                    rest.contains("all below")
                        || rest.contains(&format!("`{}`", below[1..].replace("<name>", "*")))
                }
                _ => false,
            }
        })
    };
    let options = read("crates/config/src/static_config/options.txt");
    let missing: Vec<_> = options
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|option| !covered(option))
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn every_field_is_in_the_compatibility_page() {
    let page = read("docs/compatibility.md");
    let mut missing = Vec::new();
    for file in ["http", "middleware", "tls"] {
        for field in json_fields(&read(&format!("crates/config/src/dynamic/{file}.rs"))) {
            if !page.contains(&format!("`{field}`")) {
                missing.push(field);
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new());
}

/// The names of a source file's public fields as they are written in JSON.
fn json_fields(source: &str) -> BTreeSet<String> {
    let mut fields = BTreeSet::new();
    let mut renamed = None;
    for line in source.lines().map(str::trim) {
        if let Some((_, rest)) = line.split_once("rename = \"") {
            renamed = rest.split('"').next().map(str::to_owned);
        } else if let Some(field) = line.strip_prefix("pub ").filter(|_| line.ends_with(',')) {
            let name = field.split(':').next().unwrap();
            fields.insert(renamed.take().unwrap_or_else(|| camel_case(name)));
        }
    }
    fields
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap().to_owned();
    words.fold(first, |name, word| {
        name + &word[..1].to_uppercase() + &word[1..]
    })
}

#[test]
fn every_reason_is_documented() {
    let page = read("docs/diagnostics.md");
    let mut missing = BTreeSet::new();
    for source in sources(&root().join("crates")) {
        for (_, rest) in source
            .split("Reason::new(\"")
            .skip(1)
            .filter_map(|rest| Some(((), rest.split('"').next()?)))
        {
            if !page.contains(&format!("`{rest}`")) && rest != "Test" {
                missing.insert(rest.to_owned());
            }
        }
    }
    assert_eq!(missing, BTreeSet::new());
}

/// The text of every Rust file in the `src` folders below a folder.
fn sources(folder: &Path) -> Vec<String> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            texts.push(fs::read_to_string(path).unwrap());
        }
    }
    texts
}
