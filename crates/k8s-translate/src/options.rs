//! What the operator decides about translation.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use traefikrs_config::static_config::{KubernetesCrd, KubernetesManifests};

/// Which objects count, and what may they ask for?
///
/// The options of `providers.kubernetesCRD` that influence the result, under Traefik's names. The
/// default is Traefik's: every option at its zero value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Namespaces to look into; empty means all.
    pub namespaces: Vec<String>,
    /// Which objects of `traefik.io` count.
    pub label_selector: LabelSelector,
    /// Class of IngressRoutes to translate; empty takes those without a class and those of `traefik`.
    pub ingress_class: String,
    /// Let objects refer to objects of other namespaces.
    pub allow_cross_namespace: bool,
    /// Let routes point to Services of type ExternalName.
    pub allow_external_name_services: bool,
    /// Let routes have the pods of any Service checked, not only what an ExternalName leads to: in
    /// Traefik such a route is an error.
    pub allow_service_health_checks: bool,
    /// Make a balancer without servers, which answers 503, of a Service without endpoints.
    pub allow_empty_services: bool,
    /// What `nativeLB` means where a service reference does not say.
    pub native_lb_by_default: bool,
    /// Never look at Nodes.
    pub disable_cluster_scope_resources: bool,
    /// Namespaces whose objects may refer to other providers (`name@provider`): unset means all,
    /// an empty list none.
    pub cross_provider_namespaces: Option<Vec<String>>,
    /// Join the parts of names by `_`, so that two objects never share one.
    pub safe_naming: bool,
    /// The only namespace whose `default` TLSOption and TLSStore count; empty means any.
    pub default_tls_resources_namespace: String,
}

/// Traefik's provider options, as the static configuration has them, to ours.
macro_rules! from_static {
    ($provider:ty) => {
        impl TryFrom<&$provider> for Options {
            type Error = InvalidSelector;

            fn try_from(provider: &$provider) -> Result<Self, InvalidSelector> {
                Ok(Self {
                    namespaces: provider.namespaces.clone(),
                    label_selector: provider.label_selector.parse()?,
                    ingress_class: provider.ingress_class.clone(),
                    allow_cross_namespace: provider.allow_cross_namespace,
                    allow_external_name_services: provider.allow_external_name_services,
                    allow_service_health_checks: provider.allow_service_health_checks,
                    allow_empty_services: provider.allow_empty_services,
                    native_lb_by_default: provider.native_lb_by_default,
                    disable_cluster_scope_resources: provider.disable_cluster_scope_resources,
                    cross_provider_namespaces: provider.cross_provider_namespaces.clone(),
                    safe_naming: provider.safe_naming,
                    default_tls_resources_namespace: provider
                        .default_tls_resources_namespace
                        .clone(),
                })
            }
        }
    };
}

from_static!(KubernetesCrd);
from_static!(KubernetesManifests);

impl Options {
    pub(crate) fn watches(&self, namespace: &str) -> bool {
        self.namespaces.is_empty() || self.namespaces.iter().any(|watched| watched == namespace)
    }

    pub(crate) fn lets_use_other_providers(&self, namespace: &str) -> bool {
        self.cross_provider_namespaces
            .as_ref()
            .is_none_or(|allowed| allowed.iter().any(|name| name == namespace))
    }
}

/// Which labels must an object have? Kubernetes' selector syntax.
///
/// ```
/// use std::collections::BTreeMap;
/// use traefikrs_k8s_translate::LabelSelector;
///
/// let selector: LabelSelector = "app=traefik,tier in (edge, inner),!canary".parse()?;
/// let labels = BTreeMap::from([("app".to_owned(), "traefik".to_owned()), ("tier".to_owned(), "edge".to_owned())]);
/// assert!(selector.selects(&labels));
/// # Ok::<(), traefikrs_k8s_translate::InvalidSelector>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelSelector(Vec<Requirement>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Exists,
    Absent,
    In(Vec<String>),
    NotIn(Vec<String>),
}

impl LabelSelector {
    /// Whether an object with these labels counts.
    pub fn selects(&self, labels: &BTreeMap<String, String>) -> bool {
        self.0.iter().all(|requirement| requirement.holds(labels))
    }
}

impl Requirement {
    fn holds(&self, labels: &BTreeMap<String, String>) -> bool {
        let value = labels.get(&self.key);
        match &self.test {
            Test::Exists => value.is_some(),
            Test::Absent => value.is_none(),
            Test::In(values) => value.is_some_and(|value| values.contains(value)),
            Test::NotIn(values) => value.is_none_or(|value| !values.contains(value)),
        }
    }
}

/// Says why a text is not a label selector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid label selector {text:?}: {problem}")]
pub struct InvalidSelector {
    text: String,
    problem: String,
}

impl FromStr for LabelSelector {
    type Err = InvalidSelector;

    fn from_str(text: &str) -> Result<Self, InvalidSelector> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        split_outside_parentheses(text)
            .into_iter()
            .map(|part| requirement(part.trim()))
            .collect::<Result<_, _>>()
            .map(Self)
            .map_err(|problem| InvalidSelector {
                text: text.to_owned(),
                problem,
            })
    }
}

fn split_outside_parentheses(text: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    text.split(|c| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    })
    .collect()
}

fn requirement(part: &str) -> Result<Requirement, String> {
    if let Some(key) = part.strip_prefix('!') {
        return Ok(Requirement {
            key: label_key(key)?,
            test: Test::Absent,
        });
    }
    // The order matters: `!=` and `==` contain `=`.
    for (operator, negated) in [("!=", true), ("==", false), ("=", false)] {
        if let Some((key, value)) = part.split_once(operator) {
            let values = vec![label_value(value)?];
            return Ok(Requirement {
                key: label_key(key)?,
                test: if negated {
                    Test::NotIn(values)
                } else {
                    Test::In(values)
                },
            });
        }
    }
    match part.split_once(char::is_whitespace) {
        None => Ok(Requirement {
            key: label_key(part)?,
            test: Test::Exists,
        }),
        Some((key, set)) => set_requirement(key, set.trim()),
    }
}

fn set_requirement(key: &str, set: &str) -> Result<Requirement, String> {
    let (operator, values) = set
        .split_once('(')
        .and_then(|(operator, values)| Some((operator.trim(), values.strip_suffix(')')?)))
        .ok_or_else(|| format!("expected `{key} in (…)` or `{key} notin (…)`"))?;
    let values = values
        .split(',')
        .map(label_value)
        .collect::<Result<Vec<_>, _>>()?;
    let test = match operator {
        "in" => Test::In(values),
        "notin" => Test::NotIn(values),
        other => {
            return Err(format!(
                "unknown operator {other:?}, expected `in` or `notin`"
            ));
        }
    };
    Ok(Requirement {
        key: label_key(key)?,
        test,
    })
}

fn label_key(text: &str) -> Result<String, String> {
    let key = text.trim();
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    if key.is_empty() || !key.chars().all(allowed) {
        return Err(format!("{key:?} is not a label"));
    }
    Ok(key.to_owned())
}

fn label_value(text: &str) -> Result<String, String> {
    let value = text.trim();
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if value.len() > 63 || !value.chars().all(allowed) {
        return Err(format!("{value:?} is not a label value"));
    }
    Ok(value.to_owned())
}

impl fmt::Display for LabelSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, Requirement { key, test }) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str(",")?;
            }
            match test {
                Test::Exists => f.write_str(key)?,
                Test::Absent => write!(f, "!{key}")?,
                Test::In(values) => write!(f, "{key} in ({})", values.join(","))?,
                Test::NotIn(values) => write!(f, "{key} notin ({})", values.join(","))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{LabelSelector, Options};
    use std::collections::BTreeMap;

    fn check(selector: &str, labels: &[(&str, &str)], expected: bool) {
        let labels: BTreeMap<String, String> = labels
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let parsed: LabelSelector = selector.parse().unwrap();
        assert_eq!(
            parsed.selects(&labels),
            expected,
            "{selector} on {labels:?}"
        );
        let reparsed: LabelSelector = parsed.to_string().parse().unwrap();
        assert_eq!(reparsed, parsed, "{selector}");
    }

    #[test]
    fn selectors_mean_what_kubectl_means() {
        check("", &[], true);
        check("app", &[("app", "")], true);
        check("app", &[], false);
        check("!app", &[], true);
        check("!app", &[("app", "x")], false);
        check("app=x", &[("app", "x")], true);
        check("app==x", &[("app", "y")], false);
        check("app!=x", &[], true);
        check("app!=x", &[("app", "x")], false);
        check("app in (x, y),tier notin (z)", &[("app", "y")], true);
        check(
            "app in (x, y),tier notin (z)",
            &[("app", "y"), ("tier", "z")],
            false,
        );
        check("example.com/app=", &[("example.com/app", "")], true);
    }

    #[test]
    fn a_selector_with_an_unknown_operator_is_refused() {
        for text in ["app is (x)", "a b", ",", "=x", "app=x y", "app in x"] {
            assert!(text.parse::<LabelSelector>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_empty_list_of_cross_provider_namespaces_is_not_an_unset_one() {
        let unset = Options::default();
        let empty = Options {
            cross_provider_namespaces: Some(vec![]),
            ..Options::default()
        };
        assert!(unset.lets_use_other_providers("apps"));
        assert!(!empty.lets_use_other_providers("apps"));
    }
}
