use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use proptest::prelude::*;
use traefikrs_config::Format;
use traefikrs_config::dynamic::{Origin, decode_text};

use super::{Joined, Parts};

/// What each file says: elements by kind and name, of few values.
fn files() -> impl Strategy<Value = Parts> {
    let element = (
        prop::sample::select(vec!["routers", "services"]),
        "[a-c]",
        "[x-y]",
    );
    let file = prop::collection::vec(element, 0..4);
    prop::collection::btree_map("[1-4]", file, 0..4).prop_map(|files| {
        let files = files.into_iter();
        files
            .map(|(file, elements)| (PathBuf::from(file), Arc::new(part(&elements))))
            .collect()
    })
}

fn part(elements: &[(&str, String, String)]) -> super::Configuration {
    let mut by_kind: BTreeMap<&str, BTreeMap<&str, String>> = BTreeMap::new();
    for (kind, name, value) in elements {
        let element = match *kind {
            "routers" => format!("{{\"rule\": {value:?}}}"),
            _ => format!("{{\"failover\": {{\"service\": {value:?}}}}}"),
        };
        by_kind.entry(kind).or_default().insert(name, element);
    }
    let kinds = by_kind.iter().map(|(kind, elements)| {
        let elements = elements
            .iter()
            .map(|(name, element)| format!("{name:?}: {element}"));
        let elements: Vec<_> = elements.collect();
        format!("{kind:?}: {{{}}}", elements.join(", "))
    });
    let kinds: Vec<_> = kinds.collect();
    let text = format!("{{\"http\": {{{}}}}}", kinds.join(", "));
    let origin = Origin {
        provider: "file",
        file: "",
    };
    decode_text(&text, Format::Json, origin).unwrap().0
}

proptest! {
    #[test]
    fn what_is_joined_after_something_is_joined_as_if_from_nothing(
        steps in prop::collection::vec(files(), 1..8),
    ) {
        let mut joined = Joined::default();
        for parts in steps {
            joined = joined.next(parts.clone());
            let expected = Joined::default().next(parts);
            prop_assert_eq!(&joined.configuration, &expected.configuration);
            prop_assert_eq!(joined.diagnostics(), expected.diagnostics());
        }
    }
}
