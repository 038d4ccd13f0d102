//! One object: what it is called, what it says, and what is wrong with it by itself.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::Value;
use traefikrs_config::diagnostic::{Consequence, Location};
use traefikrs_crd as crd;

use crate::problem::Problem;
use crate::reason;

/// Which one of its kind?
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Object<T> {
    pub(crate) metadata: Metadata,
    pub(crate) location: Option<Location>,
    /// What the object says; `None` when it could not be decoded, which a finding tells.
    pub(crate) content: Option<T>,
    pub(crate) findings: Vec<Problem>,
}

/// What translation reads of an object's metadata.
#[derive(Debug, Clone, Default)]
pub(crate) struct Metadata {
    pub(crate) name: String,
    pub(crate) namespace: String,
    /// In RFC 3339, so that texts compare as times.
    pub(crate) created: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
}

impl Metadata {
    pub(super) fn of(object: &Value) -> Self {
        let metadata = &object["metadata"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let texts = |value: &Value| {
            value
                .as_object()
                .into_iter()
                .flatten()
                .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
                .collect()
        };
        Self {
            name: text(&metadata["name"]),
            namespace: text(&metadata["namespace"]),
            created: text(&metadata["creationTimestamp"]),
            labels: texts(&metadata["labels"]),
            annotations: texts(&metadata["annotations"]),
        }
    }

    pub(super) fn key(&self) -> Key {
        Key {
            namespace: self.namespace.clone(),
            name: self.name.clone(),
        }
    }
}

/// Types that one object decodes into.
pub(crate) trait Content: Sized {
    /// Takes what can be used out of the object, and says what cannot.
    fn decode(object: Value, findings: &mut Vec<Problem>) -> Option<Self>;
}

impl<T> Object<T> {
    pub(crate) fn decode(
        metadata: Metadata,
        location: Option<Location>,
        object: Value,
        mut findings: Vec<Problem>,
    ) -> Self
    where
        T: Content,
    {
        let content = T::decode(object, &mut findings);
        Self {
            metadata,
            location,
            content,
            findings,
        }
    }
}

/// Decodes the part of an object at `path`; what fails drops the whole object.
fn part<T: DeserializeOwned>(part: Value, path: &str, findings: &mut Vec<Problem>) -> Option<T> {
    match serde_path_to_error::deserialize(part) {
        Ok(content) => Some(content),
        Err(error) => {
            findings.push(undecodable(path, &error).leads_to(Consequence::ObjectDropped));
            None
        }
    }
}

fn undecodable(path: &str, error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let inner = error.path().to_string();
    let path = match (path, inner.as_str()) {
        (path, ".") => path.to_owned(),
        ("", inner) => inner.to_owned(),
        (path, inner) if inner.starts_with('[') => format!("{path}{inner}"),
        (path, inner) => format!("{path}.{inner}"),
    };
    let message = error.inner().to_string();
    let message = match message.strip_prefix("invalid type: ") {
        Some(mismatch) => {
            let mismatch = mismatch
                .replace("expected i64", "expected a number")
                .replace("expected i32", "expected a number")
                .replace("expected a sequence", "expected a list")
                .replace("expected a map", "expected an object");
            format!("wrong type: {mismatch}; write that")
        }
        None => message,
    };
    Problem::error(reason::UNDECODABLE, path, message)
}

macro_rules! decoded_as_a_whole {
    ($($content:ty),+) => {$(
        impl Content for $content {
            fn decode(object: Value, findings: &mut Vec<Problem>) -> Option<Self> {
                part(object, "", findings)
            }
        }
    )+};
}

decoded_as_a_whole!(
    super::core::Service,
    super::core::EndpointSlice,
    super::core::Secret,
    super::core::ConfigMap,
    super::core::Node
);

macro_rules! decoded_by_spec {
    ($($content:ty),+) => {$(
        impl Content for $content {
            fn decode(object: Value, findings: &mut Vec<Problem>) -> Option<Self> {
                part(spec_of(object), "spec", findings)
            }
        }
    )+};
}

decoded_by_spec!(
    crd::MiddlewareSpec,
    crd::TraefikServiceSpec,
    crd::ServersTransportSpec,
    crd::TLSOptionSpec,
    crd::TLSStoreSpec
);

fn spec_of(mut object: Value) -> Value {
    match object.get_mut("spec").map(Value::take) {
        None | Some(Value::Null) => Value::Object(serde_json::Map::new()),
        Some(spec) => spec,
    }
}

/// An IngressRoute whose routes are decoded one by one: a broken one leaves the others alone.
#[derive(Debug, Clone)]
pub(crate) struct IngressRoute {
    /// All but the routes.
    pub(crate) spec: crd::IngressRouteSpec,
    /// The routes at their places; `None` is one that could not be decoded.
    pub(crate) routes: Vec<Option<crd::Route>>,
}

impl Content for IngressRoute {
    fn decode(object: Value, findings: &mut Vec<Problem>) -> Option<Self> {
        let mut spec = spec_of(object);
        let routes = match spec.get_mut("routes").map(Value::take) {
            Some(Value::Array(routes)) => {
                spec["routes"] = Value::Array(Vec::new());
                routes
            }
            // Something else in their place fails with the rest of the object.
            Some(other) => {
                spec["routes"] = other;
                Vec::new()
            }
            None => Vec::new(),
        };
        let spec = part(spec, "spec", findings)?;
        let routes = routes
            .into_iter()
            .enumerate()
            .map(|(index, route)| {
                serde_path_to_error::deserialize(route)
                    .map_err(|error| {
                        findings.push(
                            undecodable(&format!("spec.routes[{index}]"), &error)
                                .leads_to(Consequence::RouteDropped),
                        );
                    })
                    .ok()
            })
            .collect();
        Some(Self { spec, routes })
    }
}
