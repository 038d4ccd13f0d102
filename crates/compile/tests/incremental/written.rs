//! What is configured, and what each element of it is made of.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use traefikrs_config::QualifiedName;
use traefikrs_config::dynamic::Configuration;

use crate::Step;

/// Elements by kind and name.
#[derive(Default, Clone)]
pub(crate) struct Written(BTreeMap<&'static str, BTreeMap<String, Value>>);

/// Kind and name.
type Key = (&'static str, String);

impl Written {
    pub(crate) fn take(&mut self, step: &Step) {
        match step {
            Step::Set(kind, name, Some(element)) => {
                let elements = self.0.entry(kind).or_default();
                elements.insert(name.clone(), element.clone());
            }
            Step::Set(kind, name, None) => {
                self.0.entry(kind).or_default().remove(name);
            }
            Step::Touch(name) => {
                let service = self.0.get_mut("services");
                let service = service.and_then(|services| services.get_mut(name));
                let balancer = service.and_then(|service| service.get_mut("loadBalancer"));
                if let Some(Value::Object(balancer)) = balancer {
                    let passes = balancer.get("passHostHeader") == Some(&json!(true));
                    balancer.insert("passHostHeader".to_owned(), json!(!passes));
                }
            }
            Step::All(steps) => steps.iter().for_each(|step| self.take(step)),
        }
    }

    pub(crate) fn configuration(&self) -> Configuration {
        let elements = |kind| self.0.get(kind).cloned().unwrap_or_default();
        let mut http = serde_json::Map::new();
        for kind in ["routers", "services", "middlewares", "serversTransports"] {
            http.insert(kind.to_owned(), json!(elements(kind)));
        }
        http["services"]["noop@internal"] = json!({});
        let tls = json!({ "options": elements("tlsOptions") });
        serde_json::from_value(json!({ "http": http, "tls": tls })).unwrap()
    }

    fn get(&self, (kind, name): &Key) -> Option<&Value> {
        self.0.get(kind)?.get(name)
    }

    /// An element and all that it refers to, as far as it is there.
    pub(crate) fn source(&self, kind: &'static str, name: &str) -> BTreeMap<Key, Option<&Value>> {
        let mut source = BTreeMap::new();
        let mut open = vec![(kind, name.to_owned())];
        while let Some(key) = open.pop() {
            let element = self.get(&key);
            if let Entry::Vacant(place) = source.entry(key) {
                open.extend(references(place.key(), element));
                place.insert(element);
            }
        }
        source
    }

    /// Whether an element refers to itself, by way of others.
    pub(crate) fn has_circles(&self) -> bool {
        ["services", "middlewares"].iter().any(|kind| {
            let elements = self.0.get(kind).into_iter().flatten();
            let mut names = elements.map(|(name, _)| (*kind, name.clone()));
            names.any(|key| {
                let next = references(&key, self.get(&key)).into_iter();
                let mut next = next.filter(|(other, _)| other == kind);
                next.any(|(kind, name)| self.source(kind, &name).contains_key(&key))
            })
        })
    }

    /// Routers that are parents or have some, as far as they say.
    pub(crate) fn relatives(&self) -> BTreeSet<String> {
        let routers = self.0.get("routers").into_iter().flatten();
        let relatives = routers.flat_map(|(name, router)| {
            let parents = names(&router["parentRefs"]).map(|parent| resolved(name, parent));
            let parents: Vec<_> = parents.collect();
            let child = (!parents.is_empty()).then(|| name.clone());
            parents.into_iter().chain(child)
        });
        relatives.collect()
    }

    pub(crate) fn tls_options(&self) -> Option<&BTreeMap<String, Value>> {
        let options = self.0.get("tlsOptions");
        options.filter(|options| !options.is_empty())
    }
}

/// What an element refers to.
fn references((kind, of): &Key, element: Option<&Value>) -> Vec<Key> {
    let element = element.unwrap_or(&Value::Null);
    let mut found = Vec::new();
    let mut add = |kind, name: &str| {
        if !name.is_empty() {
            found.push((kind, resolved(of, name)));
        }
    };
    for name in names(&element["middlewares"]).chain(names(&element["chain"]["middlewares"])) {
        add("middlewares", name);
    }
    if *kind == "routers" {
        add("services", text(&element["service"]));
    }
    if let Some(balancer) = element.get("loadBalancer") {
        let servers = balancer["servers"].as_array();
        let is_asked = servers.is_some_and(|servers| !servers.is_empty())
            || !balancer["healthCheck"].is_null();
        match text(&balancer["serversTransport"]) {
            name if is_asked && !name.is_empty() => add("serversTransports", name),
            _ => add("serversTransports", "default@internal"),
        }
    }
    for list in [
        &element["weighted"]["services"],
        &element["highestRandomWeight"]["services"],
        &element["mirroring"]["mirrors"],
    ] {
        for child in list.as_array().into_iter().flatten() {
            add("services", text(&child["name"]));
        }
    }
    add("services", text(&element["mirroring"]["service"]));
    add("services", text(&element["failover"]["service"]));
    add("services", text(&element["failover"]["fallback"]));
    found
}

fn resolved(of: &str, reference: &str) -> String {
    let of = QualifiedName::parse(of, "");
    of.resolve(reference).as_str().to_owned()
}

fn names(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().map(text)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
