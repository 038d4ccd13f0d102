//! What do all providers ask for together?
//!
//! Elements get their full names, `name@provider`; routers get what their entry points give to all
//! of theirs. (Traefik: `pkg/server/aggregator.go`.)

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::diagnostic::{Consequence, Diagnostic, Subject};
use crate::dynamic::{Configuration, Http, RouterTls, Tls, TlsOptions};
use crate::elements::{Change, Changes, Elements};
use crate::name::QualifiedName;
use crate::reason;
use crate::static_config::{
    DefaultRuleSyntax, EntryPoint, EntryPointObservability, StaticConfiguration,
};

mod model;
mod routers;

use routers::Routers;

/// The latest configuration of each provider, by the provider's name.
pub type Configurations = BTreeMap<String, Arc<Configuration>>;

/// What the static configuration says that matters for merging.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MergeOptions {
    /// Entry points of root routers that name none.
    pub default_entry_points: Arc<[String]>,
    /// What an entry point gives to its routers, for those that give anything.
    pub models: BTreeMap<String, Model>,
}

/// What an entry point gives to its routers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Model {
    /// In front of the router's own.
    pub middlewares: Vec<String>,
    /// Where the router says nothing of TLS.
    pub tls: Option<Arc<RouterTls>>,
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
            tls: entry_point.http.tls.clone().map(Arc::new),
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
            default_entry_points: configuration.default_entry_points().into(),
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
/// let options = MergeOptions { default_entry_points: ["web".to_owned()].into(), ..MergeOptions::default() };
/// let (merged, diagnostics) = merge(&[("file".to_owned(), Arc::new(file))].into(), &options);
/// assert_eq!(*merged.http.unwrap().routers["web@file"].entry_points, ["web"]);
/// assert!(diagnostics.is_empty());
/// # Ok::<(), Box<traefikrs_config::Diagnostic>>(())
/// ```
pub fn merge(
    configurations: &Configurations,
    options: &MergeOptions,
) -> (Configuration, Vec<Diagnostic>) {
    let merged = Merged::default().next(configurations, options);
    (merged.configuration, merged.diagnostics)
}

/// What did all providers ask for together, and what do they ask for now?
///
/// It keeps what it was made of, so that the next costs what has changed. Elements that did not change
/// are the same `Arc`s.
///
/// ```
/// use std::sync::Arc;
/// use traefikrs_config::Format;
/// use traefikrs_config::dynamic::{Origin, decode_text};
/// use traefikrs_config::merge::{MergeOptions, Merged};
///
/// let options = MergeOptions::default();
/// let after = |merged: &Merged, text| {
///     let (file, _) = decode_text(text, Format::Yaml, Origin { provider: "file", file: "" })?;
///     Ok::<_, Box<traefikrs_config::Diagnostic>>(merged.next(&[("file".to_owned(), Arc::new(file))].into(), &options))
/// };
/// let first = after(&Merged::default(), "http: {middlewares: {a: {compress: {}}, b: {compress: {}}}}")?;
/// let second = after(&first, "http: {middlewares: {b: {compress: {}}, c: {compress: {}}}}")?;
///
/// let [first, second] = [first, second].map(|merged| merged.configuration.http.unwrap().middlewares);
/// assert!(Arc::ptr_eq(&first["b@file"], &second["b@file"]));
/// assert!(!second.contains_key("a@file") && second.contains_key("c@file"));
/// # Ok::<(), Box<traefikrs_config::Diagnostic>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Merged {
    /// What all ask for.
    pub configuration: Configuration,
    /// What of it cannot be had together.
    pub diagnostics: Vec<Diagnostic>,
    inputs: Configurations,
    options: MergeOptions,
    routers: Routers,
}

impl Merged {
    /// The configurations of all providers, given what was merged before.
    #[must_use]
    pub fn next(&self, configurations: &Configurations, options: &MergeOptions) -> Self {
        let nothing = Self::default();
        let base = if self.options == *options {
            self
        } else {
            &nothing
        };
        let mut http = base.configuration.http.clone().unwrap_or_default();
        for provider in providers(&base.inputs, configurations) {
            let (before, now) = (&base.inputs, configurations);
            let services = changes_of(provider, before, now, |http| &http.services);
            follow(&mut http.services, provider, services);
            let middlewares = changes_of(provider, before, now, |http| &http.middlewares);
            follow(&mut http.middlewares, provider, middlewares);
            let transports = changes_of(provider, before, now, |http| &http.servers_transports);
            follow(&mut http.servers_transports, provider, transports);
        }
        let routers = base.routers.next(&base.inputs, configurations, options);
        http.routers = routers.routers.clone();

        let mut tls = Tls::default();
        let mut merged = Configuration::default();
        for (provider, configuration) in configurations {
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
        diagnostics.extend(routers.diagnostics.iter().cloned());
        merged.http = Some(http);
        merged.tls = Some(tls);
        Self {
            configuration: merged,
            diagnostics,
            inputs: configurations.clone(),
            options: options.clone(),
            routers,
        }
    }
}

/// The names of all providers.
fn providers<'c>(before: &'c Configurations, now: &'c Configurations) -> BTreeSet<&'c str> {
    before
        .keys()
        .chain(now.keys())
        .map(String::as_str)
        .collect()
}

/// What has changed among the elements of a provider.
fn changes_of<'c, T: PartialEq>(
    provider: &str,
    before: &'c Configurations,
    now: &'c Configurations,
    elements: fn(&Http) -> &Elements<T>,
) -> Changes<'c, T> {
    let of = |configurations: &'c Configurations| {
        let http = configurations.get(provider)?.http.as_ref();
        http.map(elements)
    };
    Changes::between(of(before), of(now))
}

/// Makes the same changes to the elements of all providers.
fn follow<'c, T: PartialEq + 'c>(
    whole: &mut Elements<T>,
    provider: &str,
    changes: impl Iterator<Item = Change<'c, T>>,
) {
    let mut present = Vec::new();
    for change in changes {
        let name = qualified(change.name, provider);
        match change.now {
            Some(element) => present.push((name, Arc::clone(element))),
            None => drop(whole.remove(name.as_str())),
        }
    }
    whole.extend(present);
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

/// Names, for those that look whether something is there.
type Names = BTreeSet<String>;

#[cfg(test)]
mod tests;
