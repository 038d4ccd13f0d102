//! What holds for every cluster: no panic, one answer, and no matter in which order objects arrive.

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};
use traefikrs_k8s_translate::{Cluster, Options, translate};

static RECORDED: LazyLock<Vec<Vec<Value>>> = LazyLock::new(|| {
    let recorded: Value = serde_json::from_str(include_str!("../testdata/recorded.json"))
        .expect("recordings are JSON");
    let cases = recorded["cases"].as_array().expect("there are cases");
    cases
        .iter()
        .map(|case| {
            case["objects"]
                .as_array()
                .expect("a case has objects")
                .clone()
        })
        .collect()
});

fn permissive() -> Options {
    Options {
        allow_cross_namespace: true,
        allow_external_name_services: true,
        ..Options::default()
    }
}

fn cluster(objects: &[Value], from_files: bool) -> Cluster {
    let mut cluster = Cluster::new();
    for object in objects {
        if from_files {
            cluster.apply_manifest(object.clone(), None);
        } else {
            cluster.apply(object.clone());
        }
    }
    cluster
}

/// What to put in the place of some value of an object.
fn replacement() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!("")),
        Just(json!(0)),
        Just(json!(-1)),
        Just(json!(i64::MAX)),
        Just(json!(1.5)),
        Just(json!(true)),
        Just(json!([])),
        Just(json!({})),
        Just(json!([null, {}, "x"])),
        Just(json!("x@kubernetescrd")),
        Just(json!("@")),
        "\\PC{0,12}".prop_map(Value::from),
    ]
}

/// All places in an object, counted from the root.
fn places(value: &mut Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter_mut().map(places).sum(),
        Value::Object(fields) => fields.values_mut().map(places).sum(),
        _ => 0,
    }
}

fn replace(value: &mut Value, place: &mut usize, with: &Value) {
    if *place == 0 {
        *value = with.clone();
    }
    // Past zero it wraps, and nothing else is replaced.
    *place = place.wrapping_sub(1);
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, place, with)),
        Value::Object(fields) => fields
            .values_mut()
            .for_each(|field| replace(field, place, with)),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn mutated_objects_never_panic(
        case in any::<Index>(),
        mutations in prop::collection::vec((any::<Index>(), any::<Index>(), replacement()), 1..12),
        safe_naming: bool,
        from_files: bool,
    ) {
        let mut objects = case.get(&RECORDED).clone();
        for (object, place, with) in mutations {
            let at = object.index(objects.len());
            let n_places = places(&mut objects[at]);
            let mut place = place.index(n_places);
            replace(&mut objects[at], &mut place, &with);
        }
        let options = Options { safe_naming, ..permissive() };
        let cluster = cluster(&objects, from_files);
        let first = translate(&cluster, &options);
        let second = translate(&cluster, &options);
        prop_assert_eq!(&first.configuration, &second.configuration);
        prop_assert_eq!(&first.diagnostics, &second.diagnostics);
        // Whatever comes out can be handed on as JSON.
        serde_json::to_value(&first.configuration).expect("a configuration is JSON");
    }

    #[test]
    fn the_order_of_arrival_does_not_matter(
        (objects, shuffled) in any::<Index>()
            .prop_map(|case| case.get(&RECORDED).clone())
            .prop_flat_map(|objects| (Just(objects.clone()), Just(objects).prop_shuffle())),
    ) {
        let once = translate(&cluster(&objects, false), &permissive());
        let again = translate(&cluster(&shuffled, false), &permissive());
        prop_assert_eq!(once.configuration, again.configuration);
        prop_assert_eq!(once.diagnostics, again.diagnostics);
    }

    #[test]
    fn an_object_that_came_and_went_leaves_nothing_behind(case in any::<Index>(), gone in any::<Index>()) {
        let mut objects = case.get(&RECORDED).clone();
        let mut with = cluster(&objects, false);
        let removed = objects.remove(gone.index(objects.len()));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let kind = traefikrs_k8s_translate::Kind::of(&text(&removed["apiVersion"]), &text(&removed["kind"]));
        let metadata = &removed["metadata"];
        with.delete(kind.expect("all are of our kinds"), &text(&metadata["namespace"]), &text(&metadata["name"]));
        let without = translate(&cluster(&objects, false), &permissive());
        prop_assert_eq!(translate(&with, &permissive()).configuration, without.configuration);
    }

    #[test]
    fn no_text_makes_the_loader_panic(text in "[-a-z:\\[\\]{}&*!#%|>'\"\n ]{0,200}") {
        let mut cluster = Cluster::new();
        for document in traefikrs_k8s_translate::manifest::documents(&text) {
            if let Ok(object) = document.object {
                cluster.apply_manifest(object, None);
            }
        }
    }
}

/// Files and a real cluster give the same result: what an API server has filled in already is not
/// changed by filling it in again.
#[test]
fn a_manifest_of_a_stored_object_gives_the_same() {
    for objects in RECORDED.iter() {
        let stored = translate(&cluster(objects, false), &permissive());
        let written = translate(&cluster(objects, true), &permissive());
        assert_eq!(stored.configuration, written.configuration);
    }
}
