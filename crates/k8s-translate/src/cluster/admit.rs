//! What an API server would do to an object before it keeps it: fill in defaults, drop unknown fields.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::{Map, Value, json};
use traefikrs_config::diagnostic::Consequence;

use super::Kind;
use crate::hint::{did_you_mean, list};
use crate::problem::Problem;
use crate::reason;

/// Makes an object as a user wrote it into what an API server would keep of it.
pub(super) fn admit(kind: Kind, object: &mut Value, findings: &mut Vec<Problem>) {
    match kind {
        Kind::Service => default_service(object),
        Kind::Secret => merge_string_data(object),
        Kind::EndpointSlice => default_endpoint_slice(object),
        Kind::ConfigMap | Kind::Node => {}
        _ => {
            if let Some(schema) = schema(kind) {
                let mut check = Check { findings };
                check.object(object, schema);
            }
        }
    }
    let is_unnamed = |namespace: &Value| namespace.as_str().is_none_or(str::is_empty);
    if kind != Kind::Node
        && is_unnamed(&object["metadata"]["namespace"])
        && let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut)
    {
        metadata.insert("namespace".to_owned(), "default".into());
    }
}

fn default_service(object: &mut Value) {
    let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) else {
        return;
    };
    spec.entry("type").or_insert_with(|| "ClusterIP".into());
    for port in spec
        .get_mut("ports")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
    {
        port.entry("protocol").or_insert_with(|| "TCP".into());
        if let Some(number) = port.get("port").cloned() {
            port.entry("targetPort").or_insert(number);
        }
    }
}

fn default_endpoint_slice(object: &mut Value) {
    for port in object
        .get_mut("ports")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
    {
        port.entry("name").or_insert_with(|| "".into());
        port.entry("protocol").or_insert_with(|| "TCP".into());
    }
}

fn merge_string_data(object: &mut Value) {
    use base64::Engine as _;
    let Some(object) = object.as_object_mut() else {
        return;
    };
    object.entry("type").or_insert_with(|| "Opaque".into());
    let Some(Value::Object(texts)) = object.remove("stringData") else {
        return;
    };
    let data = object.entry("data").or_insert_with(|| json!({}));
    for (key, text) in texts {
        let encoded = text
            .as_str()
            .map(|text| base64::engine::general_purpose::STANDARD.encode(text));
        // Anything but text is left as it is and fails to decode, as it would fail to be admitted.
        if let Some(data) = data.as_object_mut() {
            data.insert(key, encoded.map_or(text, Value::from));
        }
    }
}

fn schema(kind: Kind) -> Option<&'static Value> {
    static SCHEMAS: OnceLock<BTreeMap<String, Value>> = OnceLock::new();
    SCHEMAS
        .get_or_init(|| {
            traefikrs_crd::definitions()
                .into_iter()
                .filter_map(|mut definition| {
                    let kind = definition["spec"]["names"]["kind"].as_str()?.to_owned();
                    let schema = &mut definition["spec"]["versions"][0]["schema"];
                    Some((kind, schema["openAPIV3Schema"]["properties"]["spec"].take()))
                })
                .collect()
        })
        .get(kind.as_str())
}

/// `kubectl` reads YAML 1.1, where these words are booleans.
fn read_old_boolean(value: &mut Value) {
    match value.as_str() {
        Some("y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON") => *value = true.into(),
        Some("n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF") => *value = false.into(),
        _ => {}
    }
}

struct Check<'a> {
    findings: &'a mut Vec<Problem>,
}

impl Check<'_> {
    fn object(&mut self, object: &mut Value, schema: &Value) {
        let known = ["apiVersion", "kind", "metadata", "spec", "status"];
        for name in object.as_object().into_iter().flat_map(Map::keys) {
            if !known.contains(&name.as_str()) {
                self.unknown(name, known, name.clone());
            }
        }
        match object.get_mut("spec") {
            Some(spec) => self.value(spec, schema, "spec"),
            None => self.refused("spec", "required, but missing"),
        }
    }

    fn value(&mut self, value: &mut Value, schema: &Value, path: &str) {
        match value {
            Value::Object(fields) => self.fields(fields, schema, path),
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.value(item, &schema["items"], &format!("{path}[{index}]"));
                }
            }
            scalar => {
                if schema["type"] == "boolean" {
                    read_old_boolean(scalar);
                }
                self.scalar(scalar, schema, path);
            }
        }
    }

    fn fields(&mut self, fields: &mut Map<String, Value>, schema: &Value, path: &str) {
        if schema["x-kubernetes-preserve-unknown-fields"] == true {
            return;
        }
        if schema["additionalProperties"].is_object() {
            for (name, value) in fields {
                self.value(
                    value,
                    &schema["additionalProperties"],
                    &format!("{path}.{name}"),
                );
            }
            return;
        }
        let Some(known) = schema["properties"].as_object() else {
            return;
        };
        fields.retain(|name, _| {
            let is_known = known.contains_key(name);
            if !is_known {
                let names = known.keys().map(String::as_str);
                self.unknown(name, names, format!("{path}.{name}"));
            }
            is_known
        });
        // Traefik: an API server drops a `null` where the schema does not ask for one.
        fields.retain(|_, value| !value.is_null());
        for (name, property) in known {
            match fields.get_mut(name) {
                Some(value) => self.value(value, property, &format!("{path}.{name}")),
                None => {
                    if let Some(default) = property.get("default") {
                        fields.insert(name.clone(), default.clone());
                    }
                }
            }
        }
        for name in schema["required"].as_array().into_iter().flatten() {
            if let Some(name) = name.as_str().filter(|name| !fields.contains_key(*name)) {
                self.refused(&format!("{path}.{name}"), "required, but missing");
            }
        }
    }

    /// Reports a field that the schema does not know.
    fn unknown<'a>(&mut self, name: &str, known: impl IntoIterator<Item = &'a str>, path: String) {
        let hint = did_you_mean(name, known);
        let message = format!("unknown field `{name}`, an API server drops it{hint}");
        let problem = Problem::warning(reason::UNKNOWN_FIELD, path, message);
        self.findings
            .push(problem.leads_to(Consequence::PartLeftOut));
    }

    fn scalar(&mut self, value: &Value, schema: &Value, path: &str) {
        if let Some(allowed) = schema["enum"].as_array()
            && !allowed.contains(value)
        {
            let allowed = list(allowed.iter().filter_map(Value::as_str), "nothing");
            self.refused(path, &format!("{value} is none of {allowed}"));
        }
        let Some(number) = value.as_f64() else {
            return;
        };
        if let Some(minimum) = schema["minimum"]
            .as_f64()
            .filter(|minimum| number < *minimum)
        {
            self.refused(path, &format!("{number} is less than {minimum}"));
        }
        if let Some(maximum) = schema["maximum"]
            .as_f64()
            .filter(|maximum| number > *maximum)
        {
            self.refused(path, &format!("{number} is more than {maximum}"));
        }
    }

    fn refused(&mut self, path: &str, problem: &str) {
        let problem = Problem::warning(
            reason::SCHEMA_VIOLATION,
            path,
            format!("{problem}; an API server would refuse the object"),
        );
        self.findings.push(problem.leads_to(Consequence::None));
    }
}
