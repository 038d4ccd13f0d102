//! The definitions as an API server takes them.

use kube_core::CustomResourceExt;
use serde_json::Value;

use crate::{IngressRoute, Middleware, ServersTransport, TLSOption, TLSStore, TraefikService};

/// Which definitions does a cluster need? One `CustomResourceDefinition` per kind, to be applied
/// before any object of it.
///
/// Equal in structure to Traefik's own: objects made for one fit the other.
pub fn definitions() -> Vec<Value> {
    vec![
        definition::<IngressRoute>(),
        definition::<Middleware>(),
        definition::<ServersTransport>(),
        definition::<TLSOption>(),
        definition::<TLSStore>(),
        definition::<TraefikService>(),
    ]
}

/// What may an object of this kind hold? The OpenAPI schema of the definition.
///
/// ```
/// let schema = traefikrs_crd::schema("TLSOption").expect("it is one of the kinds");
/// assert_eq!(schema["properties"]["spec"]["properties"]["sniStrict"]["type"], "boolean");
/// ```
pub fn schema(kind: &str) -> Option<Value> {
    definitions()
        .into_iter()
        .find(|definition| definition["spec"]["names"]["kind"] == kind)
        .map(|mut definition| definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"].take())
}

fn definition<K: CustomResourceExt>() -> Value {
    let mut definition =
        serde_json::to_value(K::crd()).expect("a definition has text keys and finite numbers only");
    let names = &mut definition["spec"]["names"];
    names["listKind"] = format!("{}List", names["kind"].as_str().unwrap_or_default()).into();
    if let Some(names) = names.as_object_mut() {
        names.retain(|_, name| !is_empty(name));
    }
    let version = &mut definition["spec"]["versions"][0];
    if let Some(version) = version.as_object_mut() {
        version.retain(|_, part| !is_empty(part));
    }
    let schema = &mut version["schema"]["openAPIV3Schema"];
    tidy(schema);
    // The API server adds these to every object; saying so lets `kubectl explain` show them.
    schema["properties"]["apiVersion"] = serde_json::json!({ "type": "string" });
    schema["properties"]["kind"] = serde_json::json!({ "type": "string" });
    schema["properties"]["metadata"] = serde_json::json!({ "type": "object" });
    schema["required"] = serde_json::json!(["metadata", "spec"]);
    definition
}

/// Takes out what Rust knows and Traefik's definitions do not say: that an unset field may be `null`,
/// how wide an integer is, and defaults that stand for "unset".
fn tidy(schema: &mut Value) {
    let Some(keywords) = schema.as_object_mut() else {
        return;
    };
    keywords.remove("nullable");
    keywords.remove("format");
    keywords.remove("title");
    if keywords.get("default").is_some_and(is_empty) {
        keywords.remove("default");
    }
    for nested in ["items", "additionalProperties"] {
        if let Some(schema) = keywords.get_mut(nested) {
            tidy(schema);
        }
    }
    if let Some(Value::Object(properties)) = keywords.get_mut("properties") {
        properties.values_mut().for_each(tidy);
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(value) => value.as_f64() == Some(0.0),
        Value::String(value) => value.is_empty(),
        Value::Array(value) => value.is_empty(),
        Value::Object(value) => value.values().all(is_empty),
    }
}
