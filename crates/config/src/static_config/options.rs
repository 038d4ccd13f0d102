//! Which options exist?
//!
//! One list says which options exist, which may stand alone on the command line, and which are not
//! served yet. What a served one means is said by its type.

use std::collections::BTreeMap;

use crate::decode::{Path, Problem, ProblemKind, closest};
use crate::node::{Node, Value};

const LIST: &str = include_str!("options.txt");

/// Options that exist and have no effect: they leave the tree with a warning.
///
/// A `*` stands for any name.
const LEFT_OUT: &[&str] = &[
    "accesslog",
    "core.stricttlsoptions",
    "experimental",
    "global.checknewversion",
    "global.notappendxforwardedfor",
    "global.sendanonymoususage",
    "hostresolver",
    "hub",
    "log.compress",
    "log.maxage",
    "log.maxbackups",
    "log.maxsize",
    "log.otlp",
    "metrics",
    "ocsp",
    "providers.consul",
    "providers.consulcatalog",
    "providers.docker",
    "providers.ecs",
    "providers.etcd",
    "providers.knative",
    "providers.kubernetesgateway",
    "providers.kubernetesingress",
    "providers.kubernetesingressnginx",
    "providers.nomad",
    "providers.plugin",
    "providers.redis",
    "providers.rest",
    "providers.swarm",
    "providers.zookeeper",
    "serverstransport.spiffe",
    "spiffe",
    "tcpserverstransport",
    "tracing",
];

/// Options that are typed already and not served yet: they stay, with a warning.
const NOT_SERVED: &[&str] = &[
    "certificatesresolvers",
    "entrypoints.*.allowacmebypass",
    "entrypoints.*.http.aliasheadersstrategy",
    "entrypoints.*.http.tls",
    "entrypoints.*.http.underscoreheadersstrategy",
    "entrypoints.*.http2.maxdecoderheadertablesize",
    "entrypoints.*.http2.maxencoderheadertablesize",
    "entrypoints.*.http3",
    "providers.kubernetescrd",
];

/// Options of earlier versions, and what became of them.
const REMOVED: &[(&str, &str)] = &[
    ("pilot", "Pilot was removed in Traefik 3"),
    (
        "providers.marathon",
        "the provider was removed in Traefik 3",
    ),
    ("providers.rancher", "the provider was removed in Traefik 3"),
    ("providers.docker.swarmmode", "use `providers.swarm`"),
    ("experimental.http3", "use `entryPoints.<name>.http3`"),
    ("metrics.influxdb", "use `metrics.influxDB2`"),
    ("tracing.datadog", "use `tracing.otlp`"),
    ("tracing.elastic", "use `tracing.otlp`"),
    ("tracing.haystack", "use `tracing.otlp`"),
    ("tracing.instana", "use `tracing.otlp`"),
    ("tracing.jaeger", "use `tracing.otlp`"),
    ("tracing.zipkin", "use `tracing.otlp`"),
];

/// An option, or a group of them.
#[derive(Debug, Default)]
pub(super) struct Options {
    children: BTreeMap<&'static str, Self>,
    /// What stands below any name.
    named: Option<Box<Self>>,
    /// What stands in each item of a list.
    items: Option<Box<Self>>,
    takes_anything: bool,
    is_switch: bool,
}

/// Something to tell about an option.
#[derive(Debug, PartialEq)]
pub(super) enum Finding {
    Unknown(Problem),
    NotServed { path: String, line: usize },
}

impl Options {
    pub(super) fn all() -> Self {
        let mut root = Self::default();
        for line in LIST.lines().filter(|line| !line.starts_with('#')) {
            let (name, kind) = line.split_once(' ').unwrap_or((line, ""));
            let option = root.make(name);
            option.is_switch = kind == "switch";
            option.takes_anything = kind == "any";
        }
        root
    }

    fn make(&mut self, name: &'static str) -> &mut Self {
        let mut option = self;
        for segment in name.split('.') {
            let (segment, is_list) = match segment.strip_suffix("[n]") {
                Some(segment) => (segment, true),
                None => (segment, false),
            };
            option = match segment {
                "<name>" => option.named.get_or_insert_default(),
                segment => option.children.entry(segment).or_default(),
            };
            if is_list {
                option = option.items.get_or_insert_default();
            }
        }
        option
    }

    fn is_group(&self) -> bool {
        !self.children.is_empty() || self.named.is_some()
    }

    /// Whether it may stand alone on the command line.
    pub(super) fn is_switch(&self) -> bool {
        self.is_switch
    }

    /// The option of this name below it.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        if self.takes_anything {
            return Some(self);
        }
        let found = self
            .children
            .get(name.to_ascii_lowercase().as_str())
            .or(self.named.as_deref());
        if found.is_some() {
            return found;
        }
        // The items of a list by their number; those of a list of texts are texts.
        let is_index = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
        match &self.items {
            Some(items) if is_index => Some(items),
            None if is_index && !self.is_group() && !self.is_switch => Some(self),
            _ => None,
        }
    }

    /// Takes out of the tree what does not exist or has no effect, and says so.
    pub(super) fn check(&self, node: &mut Node, path: Path<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        self.check_into(node, path, "", &mut findings);
        findings
    }

    fn check_into(&self, node: &mut Node, path: Path<'_>, key: &str, findings: &mut Vec<Finding>) {
        if self.takes_anything {
            return;
        }
        self.list_from_numbers(node);
        match &mut node.value {
            Value::Map(entries) => {
                let before = entries.len();
                entries.retain_mut(|(name, child)| self.keeps(name, child, path, key, findings));
                // What is left of a group is nothing that anybody wrote.
                if entries.is_empty() && before > 0 {
                    node.value = Value::Null;
                }
            }
            Value::Seq(children) => {
                let items = self.items.as_deref().unwrap_or(self);
                for (index, child) in children.iter_mut().enumerate() {
                    items.check_into(child, Path::Index(&path, index), key, findings);
                }
            }
            Value::Null | Value::Scalar(_) => {}
        }
    }

    /// Checks what stands below this name; says whether it stays in the tree.
    fn keeps(
        &self,
        name: &str,
        child: &mut Node,
        path: Path<'_>,
        key: &str,
        findings: &mut Vec<Finding>,
    ) -> bool {
        let path = Path::Field(&path, name);
        let key = self.key_below(key, name);
        let Some(option) = self.child(name) else {
            let unknown = self.unknown(name, &key, path, child.line);
            findings.push(Finding::Unknown(unknown));
            return false;
        };
        let left_out = LEFT_OUT.contains(&key.as_str());
        if (left_out || NOT_SERVED.contains(&key.as_str())) && asks_for_something(child) {
            findings.push(Finding::NotServed {
                path: path.to_string(),
                line: child.line,
            });
        }
        option.check_into(child, path, &key, findings);
        !left_out
    }

    fn key_below(&self, key: &str, name: &str) -> String {
        let lower = name.to_ascii_lowercase();
        let segment = match self.children.contains_key(lower.as_str()) {
            true => lower.as_str(),
            false if self.named.is_some() => "*",
            false => lower.as_str(),
        };
        match key {
            "" => segment.to_owned(),
            key => format!("{key}.{segment}"),
        }
    }

    /// `domains[0].main` and `DOMAINS_0_MAIN` make an object of numbers out of a list.
    fn list_from_numbers(&self, node: &mut Node) {
        let is_list = self.items.is_some() || !self.is_group();
        let Value::Map(entries) = &mut node.value else {
            return;
        };
        if !is_list || entries.is_empty() {
            return;
        }
        let numbered: Option<Vec<usize>> =
            entries.iter().map(|(key, _)| key.parse().ok()).collect();
        let Some(numbers) = numbered else { return };
        let mut items: Vec<_> = numbers.into_iter().zip(std::mem::take(entries)).collect();
        items.sort_by_key(|(number, _)| *number);
        node.value = Value::Seq(items.into_iter().map(|(_, (_, item))| item).collect());
    }

    fn unknown(&self, name: &str, key: &str, path: Path<'_>, line: usize) -> Problem {
        let names: Vec<&str> = self.children.keys().copied().collect();
        let removed = REMOVED.iter().find(|(removed, _)| *removed == key);
        let hint = match (removed, closest(name, &names)) {
            (Some((_, hint)), _) => format!(": {hint}"),
            (None, Some(near)) => format!(", did you mean {near:?}?"),
            (None, None) => String::new(),
        };
        Problem {
            kind: ProblemKind::UnknownField,
            path: path.to_string(),
            line,
            message: format!("there is no option {name:?}{hint}"),
        }
    }
}

/// Whether it is not merely switched off.
fn asks_for_something(node: &Node) -> bool {
    match &node.value {
        Value::Null => false,
        Value::Scalar(scalar) => !scalar.text.eq_ignore_ascii_case("false"),
        Value::Seq(_) | Value::Map(_) => true,
    }
}
