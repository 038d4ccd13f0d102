//! What of the cluster counts under the options, and how to find it.

use std::collections::{BTreeMap, BTreeSet};

use traefikrs_config::diagnostic::Reason;

use crate::cluster::{ConfigMap, EndpointSlice, Secret, Service};
use crate::cluster::{Key, Object, Objects};
use crate::hint::closest;
use crate::name::Names;
use crate::problem::{Path, Problem};
use crate::{Cluster, Options, reason};

/// The cluster as the options show it: watched namespaces and selected labels only.
#[derive(Debug)]
pub(crate) struct View<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) options: &'a Options,
    pub(crate) names: Names,
    /// By namespace and name of the Service.
    slices: BTreeMap<&'a str, BTreeMap<&'a str, Vec<&'a EndpointSlice>>>,
    /// Namespace and name of every IngressRoute that another one names as its parent.
    pub(crate) parents: BTreeSet<(&'a str, &'a str)>,
}

impl<'a> View<'a> {
    pub(crate) fn new(cluster: &'a Cluster, options: &'a Options) -> Self {
        Self {
            cluster,
            options,
            names: Names {
                safe: options.safe_naming,
            },
            slices: slices_by_service(&cluster.endpoint_slices),
            parents: named_parents(cluster),
        }
    }

    /// The objects of one of Traefik's kinds that count, the one that wins a name coming last.
    pub(crate) fn selected<T>(&self, objects: &'a Objects<T>) -> Vec<(&'a Key, &'a Object<T>)> {
        let mut selected: Vec<_> = objects
            .iter()
            .filter(|(key, object)| self.selects(key, object))
            .collect();
        // The sort is stable: of objects of one age, the first by name comes last.
        selected.reverse();
        selected.sort_by(|(_, a), (_, b)| b.metadata.created.cmp(&a.metadata.created));
        selected
    }

    pub(crate) fn selects<T>(&self, key: &Key, object: &Object<T>) -> bool {
        self.options.watches(&key.namespace)
            && self.options.label_selector.selects(&object.metadata.labels)
    }

    /// Whether an object of `parent` may refer to one of `namespace`.
    pub(crate) fn allows(&self, parent: &str, namespace: &str) -> bool {
        self.options.allow_cross_namespace || parent == namespace
    }

    pub(crate) fn service(
        &self,
        namespace: &str,
        name: &str,
        path: Path<'_>,
    ) -> Result<&'a Service, Problem> {
        let objects = &self.cluster.services;
        self.find(
            objects,
            "Service",
            namespace,
            name,
            reason::SERVICE_NOT_FOUND,
            path,
        )
    }

    pub(crate) fn secret(
        &self,
        namespace: &str,
        name: &str,
        path: Path<'_>,
    ) -> Result<&'a Secret, Problem> {
        let objects = &self.cluster.secrets;
        // Traefik: it does not see the Secrets of Helm's releases, which can be large and many.
        let is_of_helm = objects.get(&key(namespace, name)).is_some_and(|object| {
            object
                .metadata
                .labels
                .get("owner")
                .is_some_and(|owner| owner == "helm")
        });
        if is_of_helm {
            let message = format!(
                "Secret {namespace}/{name} is not visible: it has the label `owner: helm`; use another Secret"
            );
            return Err(Problem::error(reason::SECRET_NOT_FOUND, path, message));
        }
        self.find(
            objects,
            "Secret",
            namespace,
            name,
            reason::SECRET_NOT_FOUND,
            path,
        )
    }

    pub(crate) fn config_map(
        &self,
        namespace: &str,
        name: &str,
        path: Path<'_>,
    ) -> Result<&'a ConfigMap, Problem> {
        let objects = &self.cluster.config_maps;
        self.find(
            objects,
            "ConfigMap",
            namespace,
            name,
            reason::CONFIG_MAP_NOT_FOUND,
            path,
        )
    }

    /// The slices of a Service, oldest first.
    pub(crate) fn slices(&self, namespace: &str, service: &str) -> &[&'a EndpointSlice] {
        self.slices
            .get(namespace)
            .and_then(|slices| slices.get(service))
            .map_or(&[], Vec::as_slice)
    }

    fn find<T>(
        &self,
        objects: &'a Objects<T>,
        kind: &str,
        namespace: &str,
        name: &str,
        missing: Reason,
        path: Path<'_>,
    ) -> Result<&'a T, Problem> {
        if !self.options.watches(namespace) {
            let message = format!(
                "{kind} {namespace}/{name} is in a namespace that is not watched; add it to `namespaces`"
            );
            return Err(Problem::error(reason::NAMESPACE_NOT_WATCHED, path, message));
        }
        match objects.get(&key(namespace, name)) {
            Some(object) => object.content.as_ref().ok_or_else(|| {
                let message =
                    format!("{kind} {namespace}/{name} cannot be decoded; see its own diagnostic");
                Problem::error(missing, path, message)
            }),
            None => {
                let hint = near(objects, namespace, name);
                let message = format!("{kind} {namespace}/{name} does not exist{hint}");
                Err(Problem::error(missing, path, message))
            }
        }
    }

    /// Says that a reference of an object of Traefik's kinds leads nowhere.
    pub(crate) fn dangling<T>(
        &self,
        objects: &'a Objects<T>,
        kind: &str,
        namespace: &str,
        name: &str,
        missing: Reason,
        path: Path<'_>,
    ) -> Option<Problem> {
        let message = match objects.get_key_value(&key(namespace, name)) {
            Some((key, object)) if self.selects(key, object) => return None,
            Some(_) => format!(
                "{kind} {namespace}/{name} is not looked at: its namespace or its labels are not selected"
            ),
            None => {
                let hint = near(objects, namespace, name);
                format!("{kind} {namespace}/{name} does not exist{hint}")
            }
        };
        Some(Problem::error(missing, path, message))
    }
}

pub(crate) fn key(namespace: &str, name: &str) -> Key {
    Key {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

/// What to say about an object that does not exist: the same name elsewhere, or a similar one here.
fn near<T>(objects: &Objects<T>, namespace: &str, name: &str) -> String {
    if let Some(elsewhere) = objects.keys().find(|key| key.name == name) {
        return format!("; there is one in namespace `{}`", elsewhere.namespace);
    }
    let here = objects
        .keys()
        .filter(|key| key.namespace == namespace)
        .map(|key| key.name.as_str());
    match closest(name, here) {
        Some(similar) => format!("; did you mean `{similar}`?"),
        None => "; create it or correct the reference".to_owned(),
    }
}

const SERVICE_NAME: &str = "kubernetes.io/service-name";

fn slices_by_service(
    objects: &Objects<EndpointSlice>,
) -> BTreeMap<&str, BTreeMap<&str, Vec<&EndpointSlice>>> {
    let mut sorted: Vec<_> = objects.iter().collect();
    sorted.sort_by(|(_, a), (_, b)| a.metadata.created.cmp(&b.metadata.created));
    let mut by_service: BTreeMap<_, BTreeMap<_, Vec<_>>> = BTreeMap::new();
    for (key, object) in sorted {
        if let (Some(service), Some(slice)) =
            (object.metadata.labels.get(SERVICE_NAME), &object.content)
        {
            by_service
                .entry(key.namespace.as_str())
                .or_default()
                .entry(service.as_str())
                .or_default()
                .push(slice);
        }
    }
    by_service
}

fn named_parents(cluster: &Cluster) -> BTreeSet<(&str, &str)> {
    cluster
        .ingress_routes
        .iter()
        .filter_map(|(key, object)| Some((key, object.content.as_ref()?)))
        .flat_map(|(key, route)| {
            route.spec.parent_refs.iter().map(|parent| {
                let namespace = match parent.namespace.as_str() {
                    "" => key.namespace.as_str(),
                    given => given,
                };
                (namespace, parent.name.as_str())
            })
        })
        .collect()
}
