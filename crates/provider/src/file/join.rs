//! Many files as one configuration.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use traefikrs_config::diagnostic::{Consequence, Diagnostic, Location, Subject};
use traefikrs_config::dynamic::{Configuration, Tls};
use traefikrs_config::elements::{Changes, Elements};
use traefikrs_config::reason;

/// What do files ask for together? Of elements with one name the first counts.
///
/// It keeps what it was made of, so that the next costs what has changed.
///
/// (Traefik: the first counts too, and it says so at level debug.)
#[derive(Debug, Default)]
pub(super) struct Joined {
    pub(super) configuration: Arc<Configuration>,
    parts: Parts,
    repeated: Repeated,
}

/// What each file asks for.
type Parts = BTreeMap<PathBuf, Arc<Configuration>>;

/// The files that define an element, of those elements that several define.
type Repeated = BTreeMap<(Kind, Arc<str>), Vec<PathBuf>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Router,
    Service,
    Middleware,
    ServersTransport,
    TlsOptions,
    TlsStore,
}

impl Joined {
    /// The files together, given what they were before.
    pub(super) fn next(&self, parts: Parts) -> Self {
        let mut repeated = self.repeated.clone();
        let mut http = self.configuration.http.clone().unwrap_or_default();
        let mut tls = self.configuration.tls.clone().unwrap_or_default();
        let mut joining = Joining {
            before: &self.parts,
            now: &parts,
            repeated: &mut repeated,
        };
        joining.follow(Kind::Router, &mut http.routers, |part| {
            Some(&part.http.as_ref()?.routers)
        });
        joining.follow(Kind::Service, &mut http.services, |part| {
            Some(&part.http.as_ref()?.services)
        });
        joining.follow(Kind::Middleware, &mut http.middlewares, |part| {
            Some(&part.http.as_ref()?.middlewares)
        });
        joining.follow(
            Kind::ServersTransport,
            &mut http.servers_transports,
            |part| Some(&part.http.as_ref()?.servers_transports),
        );
        joining.follow(Kind::TlsOptions, &mut tls.options, |part| {
            Some(&part.tls.as_ref()?.options)
        });
        joining.follow(Kind::TlsStore, &mut tls.stores, |part| {
            Some(&part.tls.as_ref()?.stores)
        });

        let mut whole = Configuration::default();
        tls.certificates.clear();
        for part in parts.values() {
            if let Some(Tls { certificates, .. }) = &part.tls {
                tls.certificates.extend(certificates.iter().cloned());
            }
            for (whole, part) in [(&mut whole.tcp, &part.tcp), (&mut whole.udp, &part.udp)] {
                if let Some(part) = part {
                    take_raw(whole.get_or_insert_default(), part);
                }
            }
        }
        whole.http = parts
            .values()
            .any(|part| part.http.is_some())
            .then_some(http);
        whole.tls = parts.values().any(|part| part.tls.is_some()).then_some(tls);
        Self {
            configuration: Arc::new(whole),
            parts,
            repeated,
        }
    }

    /// The elements that do not count because another file has one of the same name, file by file.
    pub(super) fn diagnostics(&self) -> Vec<Diagnostic> {
        let repeated = self.repeated.iter();
        let passed_over = repeated.flat_map(|((kind, name), files)| {
            let first = &files[0];
            files[1..]
                .iter()
                .map(move |file| (file, *kind, name, first))
        });
        let passed_over: BTreeSet<_> = passed_over.collect();
        let passed_over = passed_over.into_iter();
        passed_over
            .map(|(file, kind, name, first)| already_defined(kind, name, file, first))
            .collect()
    }
}

struct Joining<'p> {
    before: &'p Parts,
    now: &'p Parts,
    repeated: &'p mut Repeated,
}

impl<'p> Joining<'p> {
    /// Follows what has changed among the elements of one kind.
    fn follow<T: PartialEq>(
        &mut self,
        kind: Kind,
        whole: &mut Elements<T>,
        elements: fn(&Configuration) -> Option<&Elements<T>>,
    ) {
        let mut defined = self.changed(elements);
        if defined.is_empty() {
            return;
        }
        for (file, part) in self.now {
            for (name, element) in elements(part).into_iter().flatten() {
                if let Some(defined) = defined.get_mut(name) {
                    defined.push((file, element));
                }
            }
        }
        let mut present = Vec::new();
        for (name, defined) in defined {
            match defined.first() {
                Some((_, element)) => present.push((Arc::clone(name), Arc::clone(element))),
                None => drop(whole.remove(&**name)),
            }
            let key = (kind, Arc::clone(name));
            if defined.len() > 1 {
                let files = defined.iter().map(|(file, _)| (*file).clone());
                self.repeated.insert(key, files.collect());
            } else {
                self.repeated.remove(&key);
            }
        }
        whole.extend(present);
    }

    /// The names of which a file says something else than before.
    fn changed<T: PartialEq>(
        &self,
        elements: fn(&Configuration) -> Option<&Elements<T>>,
    ) -> HashMap<&'p Arc<str>, Vec<(&'p PathBuf, &'p Arc<T>)>> {
        let files: BTreeSet<_> = self.before.keys().chain(self.now.keys()).collect();
        let changes = files.into_iter().flat_map(|file| {
            let [before, now] = [self.before, self.now].map(|parts| elements(parts.get(file)?));
            Changes::between(before, now)
        });
        changes.map(|change| (change.name, Vec::new())).collect()
    }
}

fn already_defined(kind: Kind, name: &str, file: &Path, first: &Path) -> Diagnostic {
    let what = match kind {
        Kind::Router => "router",
        Kind::Service => "service",
        Kind::Middleware => "middleware",
        Kind::ServersTransport => "servers transport",
        Kind::TlsOptions => "TLS options",
        Kind::TlsStore => "TLS store",
    };
    let message = format!("already defined in {}: the first counts", first.display());
    let subject = Subject::named(what, format!("{name}@{}", super::NAME));
    let location = Location {
        file: file.display().to_string(),
        line: 0,
    };
    Diagnostic::error(subject, reason::DUPLICATE_NAME, message)
        .located(Some(location))
        .leads_to(Consequence::Overridden)
}

type Raw = serde_json::Map<String, serde_json::Value>;

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

#[cfg(test)]
mod tests;
