use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::Elements;

#[derive(Debug, Clone)]
enum Step {
    Insert(String, u8),
    Remove(String),
}

fn step() -> impl Strategy<Value = Step> {
    let name = || (0..300_u16).prop_map(|number| format!("n{number}"));
    prop_oneof![
        3 => (name(), 0..3_u8).prop_map(|(name, value)| Step::Insert(name, value)),
        1 => name().prop_map(Step::Remove),
    ]
}

fn take(step: &Step, elements: &mut Elements<u8>, model: &mut BTreeMap<String, u8>) {
    match step {
        Step::Insert(name, value) => {
            let replaced = elements.insert(name.as_str(), *value);
            assert_eq!(
                replaced.as_deref(),
                model.insert(name.clone(), *value).as_ref()
            );
        }
        Step::Remove(name) => {
            let removed = elements.remove(name.as_str());
            assert_eq!(removed.as_deref(), model.remove(name).as_ref());
        }
    }
}

fn content(elements: &Elements<u8>) -> Vec<(&str, u8)> {
    let elements = elements.iter();
    elements.map(|(name, value)| (&**name, **value)).collect()
}

fn model_content(model: &BTreeMap<String, u8>) -> Vec<(&str, u8)> {
    let model = model.iter();
    model.map(|(name, value)| (name.as_str(), *value)).collect()
}

proptest! {
    #[test]
    fn elements_are_a_map_and_know_what_changed(
        first in prop::collection::vec(step(), 0..400),
        then in prop::collection::vec(step(), 0..40),
    ) {
        let (mut elements, mut model) = (Elements::default(), BTreeMap::new());
        for step in &first {
            take(step, &mut elements, &mut model);
        }
        let (before, model_before) = (elements.clone(), model.clone());
        for step in &then {
            take(step, &mut elements, &mut model);
        }
        prop_assert_eq!(content(&elements), model_content(&model));
        prop_assert_eq!(content(&before), model_content(&model_before));
        prop_assert_eq!(elements.len(), model.len());
        for name in model.keys().chain(model_before.keys()) {
            prop_assert_eq!(elements.get(name.as_str()).map(|value| **value), model.get(name).copied());
        }

        let collected: Elements<u8> = model_content(&model).into_iter().rev().collect();
        prop_assert_eq!(&collected, &elements);

        let changed: Vec<_> = elements
            .changes_since(&before)
            .map(|change| (change.name.to_string(), change.before.map(|value| **value), change.now.map(|value| **value)))
            .collect();
        let mut names: Vec<_> = model.keys().chain(model_before.keys()).collect();
        names.sort();
        names.dedup();
        let expected: Vec<_> = names
            .into_iter()
            .map(|name| (name.clone(), model_before.get(name).copied(), model.get(name).copied()))
            .filter(|(_, before, now)| before != now)
            .collect();
        prop_assert_eq!(changed, expected);
        prop_assert_eq!(elements == before, model == model_before);

        let shared = collected.shared_with(&before);
        prop_assert_eq!(&shared, &elements);
        for (name, value) in &shared {
            if let Some(before) = before.get(&**name).filter(|before| *before == value) {
                prop_assert!(Arc::ptr_eq(before, value));
            }
        }
    }
}

#[test]
fn of_several_with_one_name_the_last_counts() {
    let elements: Elements<u8> = [("a", 1_u8), ("b", 2), ("a", 3), ("a", 4)]
        .into_iter()
        .collect();
    assert_eq!(content(&elements), [("a", 4), ("b", 2)]);
}

#[test]
fn it_prints_and_reads_like_a_map() {
    let text = r#"{"a":1,"b":2}"#;
    let elements: Elements<u8> = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&elements).unwrap(), text);
}
