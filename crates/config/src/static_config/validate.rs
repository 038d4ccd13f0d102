//! From what is written to what the process works with.

use super::load::Written;
use super::{Address, EntryPoint, INTERNAL_ENTRY_POINT, StaticConfiguration};
use crate::diagnostic::{Consequence, Diagnostic, Reason, Subject};
use crate::reason;

/// Fills in what is not written, and says what cannot work.
pub(super) fn complete(written: Written) -> (StaticConfiguration, Vec<Diagnostic>) {
    let mut configuration = StaticConfiguration {
        entry_points: written.entry_points,
        providers: written.providers,
        api: written.api,
        ping: written.ping,
        log: written.log,
        servers_transport: written.servers_transport,
        core: written.core,
        certificates_resolvers: written.certificates_resolvers.into_keys().collect(),
    };
    add_missing_entry_points(&mut configuration);
    let diagnostics = [
        check_entry_points(&configuration),
        check_providers(&mut configuration),
        check_answers(&configuration),
    ];
    (configuration, diagnostics.into_iter().flatten().collect())
}

fn add_missing_entry_points(configuration: &mut StaticConfiguration) {
    let entry_points = &mut configuration.entry_points;
    if entry_points.is_empty() {
        entry_points.insert("http".to_owned(), EntryPoint::new(Address::any(80)));
    }
    let wants_api = configuration.api.as_ref().is_some_and(|api| api.insecure);
    let wants_ping = configuration
        .ping
        .as_ref()
        .is_some_and(|ping| !ping.manual_routing && ping.entry_point == INTERNAL_ENTRY_POINT);
    if wants_api || wants_ping {
        entry_points
            .entry(INTERNAL_ENTRY_POINT.to_owned())
            .or_insert_with(|| EntryPoint::new(Address::any(8080)));
    }
}

fn check_entry_points(configuration: &StaticConfiguration) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (name, entry_point) in &configuration.entry_points {
        let subject = || Subject::named("entry point", name);
        if name.is_empty()
            || name.contains(|c: char| c.is_whitespace() || c.is_control() || c == ',')
        {
            found.push(
                Diagnostic::error(
                    subject(),
                    reason::INVALID_VALUE,
                    "a name has no blanks and no commas",
                )
                .leads_to(Consequence::StartRefused),
            );
        }
        if entry_point.is_udp() {
            found.push(
                Diagnostic::warning(
                    subject(),
                    reason::NOT_SERVED,
                    "UDP is known, but not served yet",
                )
                .leads_to(Consequence::NotServed),
            );
        }
        if let Some(redirection) = &entry_point.http.redirections.entry_point {
            found.extend(check_redirection(configuration, name, &redirection.to));
        }
    }
    found
}

/// Traefik: a redirection to nowhere is an error in the log, and the rest is served.
fn check_redirection(
    configuration: &StaticConfiguration,
    name: &str,
    to: &str,
) -> Option<Diagnostic> {
    let (reason, message): (Reason, String) = if to.is_empty() {
        let message = "unable to create redirection: the entry point or the port is missing";
        (reason::INVALID_VALUE, message.to_owned())
    } else if let Some(port) = to.strip_prefix(':') {
        if port.parse::<u16>().is_ok() {
            return None;
        }
        (reason::INVALID_VALUE, format!("invalid port {port:?}"))
    } else if configuration.entry_points.contains_key(to) {
        return None;
    } else {
        let message = format!("'to' entry point field references a non-existing entry point: {to}");
        (reason::NOT_FOUND, message)
    };
    let subject = Subject::named("entry point", name);
    let diagnostic = Diagnostic::error(subject, reason, message)
        .at("http.redirections.entryPoint.to")
        .leads_to(Consequence::PartLeftOut);
    Some(diagnostic)
}

/// Traefik's names of providers, as they stand behind `@`.
const PROVIDER_NAMES: &[&str] = &[
    "consul",
    "consulcatalog",
    "docker",
    "ecs",
    "etcd",
    "file",
    "http",
    "knative",
    "kubernetes",
    "kubernetescrd",
    "kubernetesgateway",
    "kubernetesingressnginx",
    "nomad",
    "redis",
    "rest",
    "swarm",
    "zookeeper",
];

fn check_providers(configuration: &mut StaticConfiguration) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let providers = &mut configuration.providers;
    let mut refuse = |option: &str, reason, message: String| {
        let subject = Subject::named("option", option);
        let refused = Diagnostic::error(subject, reason, message);
        found.push(refused.leads_to(Consequence::StartRefused));
    };
    for name in &mut providers.precedence {
        *name = name.to_lowercase();
        if !PROVIDER_NAMES.contains(&name.as_str()) && !name.starts_with("plugin-") {
            let message = format!("provider {name:?} is not a valid provider name");
            refuse("providers.precedence", reason::NOT_FOUND, message);
        }
    }
    if let Some(file) = &providers.file
        && file.filename.is_empty()
        && file.directory.is_empty()
    {
        let message = "neither `filename` nor `directory` is given".to_owned();
        refuse("providers.file", reason::INVALID_VALUE, message);
    }
    // Traefik: goes on without the provider.
    if let Some(http) = &providers.http {
        if http.endpoint.expose().is_empty() {
            let message = "non-empty endpoint is required".to_owned();
            refuse("providers.http.endpoint", reason::INVALID_VALUE, message);
        }
        if http.poll_interval.positive().is_none() {
            let message = "poll interval must be greater than 0".to_owned();
            refuse(
                "providers.http.pollInterval",
                reason::INVALID_VALUE,
                message,
            );
        }
    }
    if let Some(manifests) = &providers.kubernetes_manifests {
        if manifests.path.is_empty() && manifests.directory.is_empty() {
            let message = "neither `path` nor `directory` is given".to_owned();
            refuse(
                "providers.kubernetesManifests",
                reason::INVALID_VALUE,
                message,
            );
        }
        if providers.kubernetes_crd.is_some() {
            let message =
                "it names its elements as `kubernetesCRD` does: use one of them".to_owned();
            refuse(
                "providers.kubernetesManifests",
                reason::DUPLICATE_NAME,
                message,
            );
        }
    }
    found
}

fn check_answers(configuration: &StaticConfiguration) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    if let Some(api) = &configuration.api
        && !api.base_path.starts_with('/')
    {
        let subject = Subject::named("option", "api.basePath");
        let message = "API basePath must be a valid absolute URL path";
        found.push(
            Diagnostic::error(subject, reason::INVALID_VALUE, message)
                .leads_to(Consequence::StartRefused),
        );
    }
    if let Some(ping) = &configuration.ping
        && !ping.manual_routing
        && !configuration.entry_points.contains_key(&ping.entry_point)
    {
        let subject = Subject::named("option", "ping.entryPoint");
        let message = format!("there is no entry point {:?}", ping.entry_point);
        found.push(
            Diagnostic::error(subject, reason::NOT_FOUND, message)
                .leads_to(Consequence::PartLeftOut),
        );
    }
    found
}
