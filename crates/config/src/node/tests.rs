use proptest::prelude::*;

use super::{Format, Node, Scalar, ScalarKind, Value, parse};

/// The tree on one line, with the line number behind each leaf and key.
fn written(node: &Node) -> String {
    match &node.value {
        Value::Null => format!("null@{}", node.line),
        Value::Scalar(Scalar { text, kind }) => match kind {
            ScalarKind::Text => format!("{text:?}@{}", node.line),
            ScalarKind::Bool | ScalarKind::Number => format!("{text}@{}", node.line),
        },
        Value::Seq(items) => {
            let items: Vec<_> = items.iter().map(written).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value)| format!("{key}: {}", written(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

fn check(format: Format, text: &str, expected: &str) {
    let parsed = parse(text, format).map(|parsed| written(&parsed.root));
    assert_eq!(parsed.as_deref(), Ok(expected), "{text}");
}

#[test]
fn yaml_scalars_are_those_of_go() {
    for (text, expected) in [
        ("010", "8"),
        ("'010'", "\"010\""),
        ("08", "8"),
        ("1_000", "1000"),
        ("\"1_000\"", "\"1_000\""),
        ("-0x10", "-16"),
        ("1_000.5", "1000.500000"),
        ("1.0", "1"),
        ("1e3", "1000"),
        ("1.5", "1.500000"),
        ("true", "true"),
        ("yes", "\"yes\""),
        ("on", "\"on\""),
        ("0x", "\"0x\""),
        ("1.2.3", "\"1.2.3\""),
        ("_1", "\"_1\""),
        ("12:30:00", "\"12:30:00\""),
        ("500-599", "\"500-599\""),
        ("!!str 010", "\"010\""),
        ("!foo x", "\"x\""),
    ] {
        check(
            Format::Yaml,
            &format!("a: {text}"),
            &format!("{{a: {expected}@1}}"),
        );
    }
}

#[test]
fn every_value_knows_its_line() {
    check(
        Format::Yaml,
        "# c\na:\n  b: x\n  c: [1,\n    2]\n  d:\n  - e: 1\n    f:\n      |\n      t\n",
        r#"{a: {b: "x"@3, c: [1@4, 2@5], d: [{e: 1@7, f: "t\n"@8}]}}"#,
    );
    check(
        Format::Toml,
        "[a]\nb = 1_0\n[[c]]\nd = \"x\"\n[[c]]\ne = [1.5,\n true]\n",
        r#"{a: {b: 10@2}, c: [{d: "x"@4}, {e: [1.500000@6, true@7]}]}"#,
    );
    check(
        Format::Json,
        "{\"a\":\n\t{\"b\": \"x\",\n\"c\": [1, null]}}",
        r#"{a: {b: "x"@2, c: [1@3, null@3]}}"#,
    );
}

#[test]
fn merged_keys_are_found_where_they_are_merged() {
    check(
        Format::Yaml,
        "base: &b {x: 1}\nother:\n  <<: *b\n  y: 010\nthird: *b\n",
        "{base: {x: 1@1}, other: {y: 8@4, x: 1@2}, third: {x: 1@1}}",
    );
}

#[test]
fn a_key_given_twice_is_refused() {
    for (format, text, line) in [
        (Format::Yaml, "a:\n  b: 1\n  b: 2\n", 2),
        (Format::Toml, "[a]\nb = 1\nb = 2\n", 3),
        (Format::Json, "{\"a\": 1,\n\"a\": 2}", 2),
    ] {
        let error = parse(text, format).unwrap_err();
        assert_eq!(error.line, line, "{format}: {}", error.problem);
    }
}

#[test]
fn hostile_texts_are_refused_without_harm() {
    let deep = "[".repeat(50_000);
    for format in [Format::Yaml, Format::Toml, Format::Json] {
        assert!(parse(&deep, format).is_err(), "{format}");
        assert!(parse(&format!("a = {deep}"), format).is_err() || format == Format::Yaml);
    }
    let mut bomb = String::from("a0: &a0 [x]\n");
    for level in 1..30 {
        let previous = level - 1;
        bomb.push_str(&format!(
            "a{level}: &a{level} [*a{previous}, *a{previous}, *a{previous}]\n"
        ));
    }
    assert!(parse(&bomb, Format::Yaml).is_err());
}

#[test]
fn only_the_first_document_counts() {
    let parsed = parse("a: 1\n---\nb: 2\n", Format::Yaml).unwrap();
    assert_eq!(written(&parsed.root), "{a: 1@1}");
    assert!(parsed.has_more_documents);
    assert!(!parse("a: 1\n", Format::Yaml).unwrap().has_more_documents);
}

proptest! {
    #[test]
    fn no_text_panics(text in "[\\[\\]{}:,&*a<'\"|>#%!?\n\t \\-=0-9.]{0,60}") {
        for format in [Format::Yaml, Format::Toml, Format::Json] {
            drop(parse(&text, format));
        }
    }

    #[test]
    fn lines_of_block_yaml_are_exact(keys in prop::collection::btree_set("[a-z]{1,8}", 1..20)) {
        let text: String = keys.iter().map(|key| format!("{key}: x\n")).collect();
        let Value::Map(entries) = parse(&text, Format::Yaml).unwrap().root.value else { panic!() };
        for (line, (_, node)) in (1..).zip(&entries) {
            prop_assert_eq!(node.line, line);
        }
    }
}
