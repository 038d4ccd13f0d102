//! What do all providers ask for together?
//!
//! Elements get their full names, `name@provider`; routers get what their entry points give to all
//! of theirs. (Traefik: `pkg/server/aggregator.go`.)

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::diagnostic::{Consequence, Diagnostic, Subject};
use crate::dynamic::{Configuration, Http, Router, RouterTls, Tls, TlsOptions};
use crate::elements::Elements;
use crate::name::{QualifiedName, qualify};
use crate::reason;
use crate::static_config::{
    DefaultRuleSyntax, EntryPoint, EntryPointObservability, StaticConfiguration,
};

mod model;

/// The latest configuration of each provider, by the provider's name.
pub type Configurations = BTreeMap<String, Arc<Configuration>>;

/// What the static configuration says that matters for merging.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MergeOptions {
    /// Entry points of root routers that name none.
    pub default_entry_points: Vec<String>,
    /// What an entry point gives to its routers, for those that give anything.
    pub models: BTreeMap<String, Model>,
}

/// What an entry point gives to its routers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Model {
    /// In front of the router's own.
    pub middlewares: Vec<String>,
    /// Where the router says nothing of TLS.
    pub tls: Option<RouterTls>,
    /// Where the router says nothing of it.
    pub observability: Option<EntryPointObservability>,
    /// Where the router says nothing of it.
    pub rule_syntax: Option<DefaultRuleSyntax>,
    /// Whether it refuses encoded characters; which ones is said by the entry point.
    pub encoded_characters: bool,
}

impl Model {
    fn of(entry_point: &EntryPoint, rule_syntax: Option<DefaultRuleSyntax>) -> Self {
        Self {
            middlewares: entry_point.http.middlewares.clone(),
            tls: entry_point.http.tls.clone(),
            observability: entry_point.observability.clone(),
            rule_syntax,
            encoded_characters: entry_point.http.encoded_characters.is_some(),
        }
    }
}

impl From<&StaticConfiguration> for MergeOptions {
    fn from(configuration: &StaticConfiguration) -> Self {
        let rule_syntax = configuration.core.default_rule_syntax;
        let models = configuration.entry_points.iter();
        Self {
            default_entry_points: configuration.default_entry_points(),
            models: models
                .map(|(name, entry_point)| (name.clone(), Model::of(entry_point, rule_syntax)))
                .filter(|(_, model)| *model != Model::default())
                .collect(),
        }
    }
}

/// Joins the configurations of all providers into one, in which every name is qualified and every
/// root router has its entry points.
///
/// References inside elements stay as written: they mean the provider of the element that holds
/// them. The result depends on the configurations only, not on when they came.
///
/// ```
/// use std::sync::Arc;
/// use traefikrs_config::Format;
/// use traefikrs_config::dynamic::{Origin, decode_text};
/// use traefikrs_config::merge::{MergeOptions, merge};
///
/// let text = "http: {routers: {web: {rule: Path(`/`), service: app}}}";
/// let (file, _) = decode_text(text, Format::Yaml, Origin { provider: "file", file: "" })?;
/// let options = MergeOptions { default_entry_points: vec!["web".to_owned()], ..MergeOptions::default() };
/// let (merged, diagnostics) = merge(&[("file".to_owned(), Arc::new(file))].into(), &options);
/// assert_eq!(merged.http.unwrap().routers["web@file"].entry_points, ["web"]);
/// assert!(diagnostics.is_empty());
/// # Ok::<(), Box<traefikrs_config::Diagnostic>>(())
/// ```
pub fn merge(
    configurations: &Configurations,
    options: &MergeOptions,
) -> (Configuration, Vec<Diagnostic>) {
    let mut http = Http::default();
    let mut tls = Tls::default();
    let mut merged = Configuration::default();
    for (provider, configuration) in configurations {
        if let Some(own) = &configuration.http {
            add_http(&mut http, provider, own);
        }
        if let Some(own) = &configuration.tls {
            add_tls(&mut tls, provider, own);
        }
        for (whole, own) in [
            (&mut merged.tcp, &configuration.tcp),
            (&mut merged.udp, &configuration.udp),
        ] {
            if let Some(own) = own {
                add_raw(whole.get_or_insert_default(), provider, own);
            }
        }
    }
    let mut diagnostics = settle_defaults(&mut tls, configurations);
    give_default_entry_points(&mut http.routers, &options.default_entry_points);
    diagnostics.extend(model::apply(&mut http.routers, &options.models));
    merged.http = Some(http);
    merged.tls = Some(tls);
    (merged, diagnostics)
}

fn add_http(http: &mut Http, provider: &str, own: &Http) {
    add(&mut http.services, provider, &own.services);
    add(&mut http.middlewares, provider, &own.middlewares);
    add(
        &mut http.servers_transports,
        provider,
        &own.servers_transports,
    );
    for (name, router) in &own.routers {
        let mut router = Arc::clone(router);
        if !router.parent_refs.is_empty() {
            for parent in &mut Arc::make_mut(&mut router).parent_refs {
                *parent = qualify(parent, provider).into_owned();
            }
        }
        http.routers.insert(qualified(name, provider), router);
    }
}

fn add<T>(whole: &mut Elements<T>, provider: &str, own: &Elements<T>) {
    let own = own.iter();
    whole.extend(own.map(|(name, element)| (qualified(name, provider), Arc::clone(element))));
}

fn qualified(name: &str, provider: &str) -> String {
    QualifiedName::new(name, provider).to_string()
}

type Raw = serde_json::Map<String, serde_json::Value>;

fn add_raw(whole: &mut Raw, provider: &str, own: &Raw) {
    for (section, elements) in own {
        let serde_json::Value::Object(elements) = elements else {
            continue;
        };
        let section = whole.entry(section).or_insert_with(|| Raw::new().into());
        if let serde_json::Value::Object(section) = section {
            let elements = elements.iter();
            section.extend(
                elements.map(|(name, element)| (qualified(name, provider), element.clone())),
            );
        }
    }
}

/// The name that is everybody's: it means the same whoever says it.
const DEFAULT: &str = "default";

fn add_tls(tls: &mut Tls, provider: &str, own: &Tls) {
    let name_of = |name: &str| match name {
        DEFAULT => DEFAULT.to_owned(),
        name => qualified(name, provider),
    };
    tls.certificates.extend(own.certificates.iter().cloned());
    let options = own.options.iter();
    tls.options
        .extend(options.map(|(name, options)| (name_of(name), Arc::clone(options))));
    let stores = own.stores.iter();
    tls.stores
        .extend(stores.map(|(name, store)| (name_of(name), Arc::clone(store))));
}

/// Takes out a `default` that two providers define, and adds the built-in options where nobody does.
fn settle_defaults(tls: &mut Tls, configurations: &Configurations) -> Vec<Diagnostic> {
    let defined_by = |defines: fn(&Tls) -> bool| -> Vec<&str> {
        let configurations = configurations.iter();
        configurations
            .filter(|(_, configuration)| configuration.tls.as_ref().is_some_and(defines))
            .map(|(provider, _)| provider.as_str())
            .collect()
    };
    let mut found = Vec::new();
    let mut conflict = |kind: &str, providers: &[&str]| {
        let message = format!(
            "defined by {}: none of them counts",
            providers.join(" and ")
        );
        found.push(
            Diagnostic::error(
                Subject::named(kind, DEFAULT),
                reason::DUPLICATE_NAME,
                message,
            )
            .leads_to(Consequence::ObjectDropped),
        );
    };
    match &defined_by(|tls| tls.options.contains_key(DEFAULT))[..] {
        [] => {
            tls.options
                .insert(DEFAULT.to_owned(), TlsOptions::default());
        }
        [_] => {}
        providers => {
            tls.options.remove(DEFAULT);
            conflict("TLS options", providers);
        }
    }
    let stores = defined_by(|tls| tls.stores.contains_key(DEFAULT));
    if stores.len() > 1 {
        tls.stores.remove(DEFAULT);
        conflict("TLS store", &stores);
    }
    found
}

fn give_default_entry_points(routers: &mut Elements<Router>, names: &[String]) {
    for router in routers.values_mut() {
        if router.parent_refs.is_empty() && router.entry_points.is_empty() {
            router.entry_points = names.to_vec();
        }
    }
}

/// Names, for those that look whether something is there.
type Names = BTreeSet<String>;

#[cfg(test)]
mod tests;
