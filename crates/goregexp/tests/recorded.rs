//! The crate's answers against those of Go's regexp.

use std::ops::Range;

use serde::Deserialize;
use traefikrs_goregexp::{Regex, RegexSet, Template};

#[derive(Deserialize)]
struct Case {
    #[serde(rename = "p")]
    pattern: String,
    #[serde(rename = "e")]
    error: Option<String>,
    #[serde(rename = "s", default)]
    searches: Vec<Search>,
    #[serde(rename = "r")]
    template: Option<String>,
    #[serde(rename = "o", default)]
    replaced: String,
}

#[derive(Deserialize)]
struct Search {
    #[serde(rename = "t")]
    text: String,
    #[serde(rename = "g", default)]
    groups: Vec<i64>,
}

fn cases() -> Vec<Case> {
    let read = |line| serde_json::from_str(line).expect("a case a line");
    include_str!("../testdata/go-regexp.json")
        .lines()
        .map(read)
        .collect()
}

/// The recording writes bytes as the first 256 characters.
fn bytes(text: &str) -> Vec<u8> {
    text.chars()
        .map(|char| u8::try_from(u32::from(char)).expect("a byte"))
        .collect()
}

fn group(pair: &[i64]) -> Option<Range<usize>> {
    Some(usize::try_from(pair[0]).ok()?..usize::try_from(pair[1]).ok()?)
}

#[test]
fn the_same_patterns_are_refused_with_the_same_words() {
    for case in cases() {
        let seen = Regex::new(&case.pattern)
            .err()
            .map(|error| error.to_string());
        assert_eq!(seen, case.error, "{}", case.pattern);
    }
}

#[test]
fn matches_and_groups_are_where_go_finds_them() {
    for case in cases() {
        let Ok(regex) = Regex::new(&case.pattern) else {
            continue;
        };
        for search in &case.searches {
            let text = bytes(&search.text);
            let expected: Vec<_> = search.groups.chunks(2).map(group).collect();
            let context = format!("{} in {text:?}", case.pattern);
            let captures = regex.captures(&text);
            let seen: Vec<_> = captures
                .iter()
                .flat_map(|captures| (0..=regex.groups()).map(|index| captures.get(index)))
                .collect();
            assert_eq!(seen, expected, "{context}");
            assert_eq!(regex.is_match(&text), !expected.is_empty(), "{context}");
            assert_eq!(
                regex.find(&text),
                expected.first().cloned().flatten(),
                "{context}"
            );
            if !expected.is_empty() {
                assert!(text.starts_with(regex.required_prefix()), "{context}");
                assert!(text.ends_with(regex.required_suffix()), "{context}");
            }
        }
    }
}

#[test]
fn replacing_gives_what_go_gives() {
    for case in cases() {
        let (Some(template), Some(last)) = (&case.template, case.searches.last()) else {
            continue;
        };
        let regex = Regex::new(&case.pattern).unwrap();
        let seen = regex
            .replace_all(&bytes(&last.text), &Template::new(template))
            .into_owned();
        assert_eq!(
            seen,
            bytes(&case.replaced),
            "{} {template} {}",
            case.pattern,
            last.text
        );
    }
}

#[test]
fn a_set_finds_what_its_patterns_find_alone() {
    let cases: Vec<_> = cases()
        .into_iter()
        .filter(|case| case.error.is_none())
        .step_by(9)
        .collect();
    let set = RegexSet::new(cases.iter().map(|case| &case.pattern)).unwrap();
    let alone: Vec<_> = cases
        .iter()
        .map(|case| Regex::new(&case.pattern).unwrap())
        .collect();
    let mut matches = set.create_matches();
    for search in cases.iter().flat_map(|case| &case.searches).step_by(3) {
        let text = bytes(&search.text);
        set.search(&text, &mut matches);
        let expected: Vec<_> = (0..alone.len())
            .filter(|&index| alone[index].is_match(&text))
            .collect();
        assert_eq!(matches.iter().collect::<Vec<_>>(), expected, "{text:?}");
    }
}
