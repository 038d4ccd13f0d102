//! Our definitions against Traefik's own, field by field.

use std::collections::BTreeMap;

use serde_json::Value;

/// What one field may hold, by path; `[]` stands for the items of a list, `{}` for the values of a map.
type Fields = BTreeMap<String, String>;

fn official() -> BTreeMap<String, Value> {
    serde_json::from_str(include_str!("../testdata/traefik-3.7.9.json"))
        .expect("the recorded definitions are JSON")
}

fn fields(schema: &Value) -> Fields {
    let mut fields = Fields::new();
    collect(schema, "", false, &mut fields);
    fields
}

fn collect(schema: &Value, path: &str, required: bool, fields: &mut Fields) {
    fields.insert(path.to_owned(), constraints(schema, required));
    if let Some(properties) = schema["properties"].as_object() {
        for (name, property) in properties {
            let required = schema["required"]
                .as_array()
                .is_some_and(|required| required.iter().any(|entry| entry == name));
            collect(property, &format!("{path}.{name}"), required, fields);
        }
    }
    if schema["items"].is_object() {
        collect(&schema["items"], &format!("{path}[]"), false, fields);
    }
    if schema["additionalProperties"].is_object() {
        collect(
            &schema["additionalProperties"],
            &format!("{path}{{}}"),
            false,
            fields,
        );
    }
}

fn constraints(schema: &Value, required: bool) -> String {
    let mut text = String::new();
    if required {
        text.push_str("required ");
    }
    // An int-or-string has no type; the alternatives that some generators add say nothing more.
    for keyword in [
        "type",
        "enum",
        "default",
        "pattern",
        "minimum",
        "maximum",
        "x-kubernetes-int-or-string",
        "x-kubernetes-preserve-unknown-fields",
        "x-kubernetes-validations",
    ] {
        match &schema[keyword] {
            Value::Null => {}
            // An API server keeps bounds as floating point numbers.
            Value::Number(number) => text.push_str(&format!("{keyword}={:?} ", number.as_f64())),
            other => text.push_str(&format!("{keyword}={other} ")),
        }
    }
    text
}

#[test]
fn every_field_is_the_official_one() {
    let definitions = traefikrs_crd::definitions();
    assert_eq!(definitions.len(), official().len());
    for definition in definitions {
        let kind = definition["spec"]["names"]["kind"].as_str().unwrap();
        let official = &official()[kind];
        assert_eq!(definition["spec"]["names"], official["names"], "{kind}");
        assert_eq!(definition["spec"]["scope"], official["scope"], "{kind}");
        let ours = fields(&definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]);
        let theirs = fields(&official["schema"]);
        let missing: Vec<_> = theirs
            .keys()
            .filter(|path| !ours.contains_key(*path))
            .collect();
        let extra: Vec<_> = ours
            .keys()
            .filter(|path| !theirs.contains_key(*path))
            .collect();
        assert_eq!((missing, extra), (vec![], vec![]), "{kind}");
        for (path, theirs) in &theirs {
            assert_eq!(&ours[path], theirs, "{kind} {path}");
        }
    }
}

/// An object that sets every field of a schema.
fn example(schema: &Value) -> Value {
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    match schema["type"].as_str() {
        Some("object") => match schema["additionalProperties"].as_object() {
            Some(_) => serde_json::json!({ "key": example(&schema["additionalProperties"]) }),
            None => schema["properties"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, property)| (name.clone(), example(property)))
                .collect(),
        },
        Some("array") => Value::Array(vec![example(&schema["items"])]),
        Some("boolean") => true.into(),
        Some("integer") => 5.into(),
        Some("string") => "text".into(),
        _ => 30.into(),
    }
}

fn survives_a_round_trip<Spec: serde::de::DeserializeOwned + serde::Serialize>(kind: &str) {
    let spec = example(&official()[kind]["schema"]["properties"]["spec"]);
    let decoded: Spec = serde_json::from_value(spec.clone()).expect(kind);
    assert_eq!(serde_json::to_value(decoded).expect(kind), spec, "{kind}");
}

#[test]
fn the_types_hold_every_field_of_the_official_schema() {
    survives_a_round_trip::<traefikrs_crd::IngressRouteSpec>("IngressRoute");
    survives_a_round_trip::<traefikrs_crd::MiddlewareSpec>("Middleware");
    survives_a_round_trip::<traefikrs_crd::TraefikServiceSpec>("TraefikService");
    survives_a_round_trip::<traefikrs_crd::ServersTransportSpec>("ServersTransport");
    survives_a_round_trip::<traefikrs_crd::TLSOptionSpec>("TLSOption");
    survives_a_round_trip::<traefikrs_crd::TLSStoreSpec>("TLSStore");
}
