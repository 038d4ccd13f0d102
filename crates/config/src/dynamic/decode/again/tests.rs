use std::sync::Arc;

use proptest::prelude::*;

use super::Decoder;
use crate::Format;
use crate::dynamic::{Origin, decode_text};

const ORIGIN: Origin<'_> = Origin {
    provider: "file",
    file: "f",
};

/// Lines that a text may have, right, wrong and odd.
const LINES: &[&str] = &[
    "http:",
    "http: &top",
    "HTTP:",
    "tls:",
    "x-more: &base {rule: z}",
    "tcp: {routers: {a: {rule: x}}}",
    "  routers:",
    "  routers: # more",
    "  Routers:",
    "  services:",
    "  middlewares:",
    "  middlewares: {m: {compress: {}}}",
    "  serversTransports:",
    "  options:",
    "  router:",
    "  services: {}",
    "    a:",
    "    b:",
    "    c: {rule: x}",
    "    c: {rul: x}",
    "    d: {rule: x,",
    "    e: \"rule",
    "    e: |",
    "    f: >-",
    "    f: &anchor",
    "    g: *anchor",
    "    h: *base",
    "    i: !tag",
    "    \"q\":",
    "    01: {rule: x}",
    "    true:",
    "    ? k",
    "    : {rule: x}",
    "    - item",
    "    j:",
    "    j: {service: y}}",
    "   odd:",
    "      rule: x",
    "      rule: Host(`a`) && Path(`/b`)",
    "      rule: \"two",
    "        lines\"",
    "      rule: |",
    "        text",
    "      rul: x",
    "      priority: 010",
    "      priority: many",
    "      service: s # which",
    "      <<: *base",
    "      <<: {service: t}",
    "      entryPoints:",
    "      - web",
    "        - web",
    "      tls: {}",
    "      tls: {option: x}",
    "      loadBalancer:",
    "        servers:",
    "        - url: http://a",
    "      loadBalancer: {}",
    "      addPrefix: {prefix: /x}",
    "      insecureSkipVerify: true",
    "",
    "   ",
    "# note",
    "    # note",
    "      # note",
    "\tx: y",
    "---",
    "...",
    "%YAML 1.2",
    "x: \u{2028}",
];

/// A text that is mostly well formed, with some lines put in, taken out or doubled.
fn text() -> impl Strategy<Value = Vec<&'static str>> {
    let section = prop_oneof![
        Just(("  routers:", "      rule: x")),
        Just((
            "  services:",
            "      loadBalancer: {servers: [{url: http://a}]}"
        )),
        Just(("  middlewares:", "      addPrefix: {prefix: /x}")),
        Just(("  serversTransports:", "      maxIdleConnsPerHost: 7")),
    ];
    let names = vec![
        ("    a:", true),
        ("    b:", true),
        ("    j:", true),
        ("    f: &anchor", true),
        ("    g: *anchor", false),
    ];
    let names = prop::collection::vec(prop::sample::select(names), 0..5);
    let sections = prop::collection::vec((section, names), 0..4);
    let edits = prop::collection::vec(
        (
            any::<prop::sample::Index>(),
            prop::sample::select(LINES),
            0..4_u8,
        ),
        0..5,
    );
    (sections, edits).prop_map(|(sections, edits)| {
        let mut lines = vec!["http:"];
        for ((section, content), mut names) in sections {
            lines.push(section);
            names.dedup();
            for (name, has_content) in names {
                lines.push(name);
                lines.extend(has_content.then_some(content));
            }
        }
        edited(lines, &edits)
    })
}

type Edit = (prop::sample::Index, &'static str, u8);

fn edited(mut lines: Vec<&'static str>, edits: &[Edit]) -> Vec<&'static str> {
    for (index, line, edit) in edits {
        let at = index.index(lines.len() + 1);
        match edit {
            0 if at < lines.len() => drop(lines.remove(at)),
            1 if at < lines.len() => lines[at] = line,
            _ => lines.insert(at, line),
        }
    }
    lines
}

fn check(decoder: &mut Decoder, text: &str) {
    let text: Arc<str> = text.into();
    let decoded = decoder.decode(&text, Format::Yaml, ORIGIN);
    assert_eq!(decoded, decode_text(&text, Format::Yaml, ORIGIN), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_read_again_is_what_is_read_at_once(
        lines in text(),
        edits in prop::collection::vec(
            prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(LINES), 0..4_u8), 0..3),
            0..4,
        ),
        newline in any::<bool>(),
    ) {
        let mut decoder = Decoder::default();
        let end = if newline { "\n" } else { "" };
        check(&mut decoder, &(lines.join("\n") + end));
        for edits in &edits {
            let lines = edited(lines.clone(), edits);
            check(&mut decoder, &(lines.join("\n") + end));
        }
    }
}

#[test]
fn entries_that_stay_are_not_decoded_again() {
    let text = |entries: &[(&str, &str)]| -> Arc<str> {
        let entries = entries.iter();
        let entries = entries.map(|(name, rule)| format!("    {name}:\n      rule: {rule}\n"));
        format!(
            "# routes\nhttp:\n  routers:\n{}",
            entries.collect::<String>()
        )
        .into()
    };
    let before = text(&[("a", "x"), ("b", "y"), ("c", "z"), ("d", "z")]);
    let now = text(&[("new", "x"), ("c", "z"), ("b", "other"), ("a", "x")]);
    let mut decoder = Decoder::default();
    let [before, now] = [before, now].map(|text| {
        let (configuration, _) = decoder.decode(&text, Format::Yaml, ORIGIN).unwrap();
        configuration.http.unwrap().routers
    });
    for name in ["a", "c"] {
        assert!(Arc::ptr_eq(&before[name], &now[name]), "{name}");
    }
    assert_eq!(&*now["b"].rule, "other");
    assert!(!now.contains_key("d"));
}
