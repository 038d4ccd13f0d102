//! Many files as one configuration.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use traefikrs_config::diagnostic::{Consequence, Diagnostic, Location, Subject};
use traefikrs_config::dynamic::Configuration;
use traefikrs_config::elements::Elements;
use traefikrs_config::reason;

/// Joins what files ask for; of elements with one name the first counts.
///
/// (Traefik: so does it, and says so at level debug.)
pub(super) fn join<'a>(
    parts: impl Iterator<Item = (&'a Path, &'a Configuration)>,
) -> (Configuration, Vec<Diagnostic>) {
    let mut whole = Configuration::default();
    let mut joiner = Joiner::default();
    for (path, part) in parts {
        joiner.path = path;
        if let Some(part) = &part.http {
            let http = whole.http.get_or_insert_default();
            joiner.take("router", &mut http.routers, &part.routers);
            joiner.take("service", &mut http.services, &part.services);
            joiner.take("middleware", &mut http.middlewares, &part.middlewares);
            let transports = &mut http.servers_transports;
            joiner.take("servers transport", transports, &part.servers_transports);
        }
        if let Some(part) = &part.tls {
            let tls = whole.tls.get_or_insert_default();
            tls.certificates.extend(part.certificates.iter().cloned());
            joiner.take("TLS options", &mut tls.options, &part.options);
            joiner.take("TLS store", &mut tls.stores, &part.stores);
        }
        for (whole, part) in [(&mut whole.tcp, &part.tcp), (&mut whole.udp, &part.udp)] {
            if let Some(part) = part {
                take_raw(whole.get_or_insert_default(), part);
            }
        }
    }
    (whole, joiner.found)
}

struct Joiner<'a> {
    path: &'a Path,
    /// Where each element comes from, by kind and name.
    first: BTreeMap<(String, String), &'a Path>,
    found: Vec<Diagnostic>,
}

impl Default for Joiner<'_> {
    fn default() -> Self {
        Self {
            path: Path::new(""),
            first: BTreeMap::new(),
            found: Vec::new(),
        }
    }
}

type Raw = serde_json::Map<String, serde_json::Value>;

impl Joiner<'_> {
    fn take<T>(&mut self, kind: &str, whole: &mut Elements<T>, part: &Elements<T>) {
        for (name, element) in part {
            if self.is_first(kind, name) {
                whole.insert(Arc::clone(name), Arc::clone(element));
            }
        }
    }

    fn is_first(&mut self, kind: &str, name: &str) -> bool {
        let key = (kind.to_owned(), name.to_owned());
        let Some(first) = self.first.get(&key) else {
            self.first.insert(key, self.path);
            return true;
        };
        let message = format!("already defined in {}: the first counts", first.display());
        let subject = Subject::named(kind, format!("{name}@{}", super::NAME));
        let location = Location {
            file: self.path.display().to_string(),
            line: 0,
        };
        self.found.push(
            Diagnostic::error(subject, reason::DUPLICATE_NAME, message)
                .located(Some(location))
                .leads_to(Consequence::Overridden),
        );
        false
    }
}

/// Joins what is not typed yet: of elements with one name the first counts.
fn take_raw(whole: &mut Raw, part: &Raw) {
    for (section, elements) in part {
        let own = whole.entry(section).or_insert_with(|| Raw::new().into());
        let (Some(own), Some(elements)) = (own.as_object_mut(), elements.as_object()) else {
            continue;
        };
        for (name, element) in elements {
            own.entry(name).or_insert_with(|| element.clone());
        }
    }
}
