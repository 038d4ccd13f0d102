//! The authorities to trust.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, LazyLock};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

use crate::OnDemand;
use crate::certificate::{CertificateError, certificates_among};

/// Which authorities are trusted? Clones share them.
///
/// Those that are read on demand are equal to themselves only.
#[derive(Clone)]
pub struct Roots(Arc<Source>);

enum Source {
    Known(Inner),
    OnDemand(OnDemand<Inner>),
}

pub(crate) struct Inner {
    store: RootCertStore,
    certificates: HashSet<CertificateDer<'static>>,
}

impl Roots {
    /// Nobody is trusted.
    #[must_use]
    pub fn none() -> Self {
        Inner::empty().into()
    }

    /// These certificates are trusted, as far as they can be read: a system's collection has odd ones.
    #[must_use]
    pub fn of(trusted: impl IntoIterator<Item = CertificateDer<'static>>) -> Self {
        Inner::of(trusted).into()
    }

    /// The same of certificates that are read when they are first needed, which may be never: those of a system are
    /// many.
    #[must_use]
    pub fn on_demand(read: impl FnOnce() -> Vec<CertificateDer<'static>> + Send + 'static) -> Self {
        let roots = LazyLock::new(Box::new(|| Inner::of(read())) as Box<_>);
        Self(Arc::new(Source::OnDemand(roots)))
    }

    /// The certificates in these texts, and what is wrong with a text, by its number: what can be read of it
    /// counts.
    ///
    /// If all of them are broken, nobody is trusted.
    pub fn parse<'a>(
        texts: impl IntoIterator<Item = &'a str>,
    ) -> (Self, Vec<(usize, CertificateError)>) {
        let mut roots = Inner::empty();
        let mut problems = Vec::new();
        for (index, text) in texts.into_iter().enumerate() {
            let (certificates, problem) = certificates_among(text);
            let added = certificates
                .into_iter()
                .map(|certificate| roots.add(certificate))
                .fold(Ok(()), Result::and);
            let problem = problem.or_else(|| added.err().map(CertificateError::Unreadable));
            problems.extend(problem.map(|problem| (index, problem)));
        }
        (roots.into(), problems)
    }

    /// How many authorities are trusted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.store().len()
    }

    /// Whether nobody is trusted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.store().is_empty()
    }

    pub(crate) fn store(&self) -> &RootCertStore {
        &self.read().store
    }

    /// Reads them unless that is done.
    pub(crate) fn read(&self) -> &Inner {
        match &*self.0 {
            Source::Known(roots) => roots,
            Source::OnDemand(roots) => roots,
        }
    }

    /// Whether this very certificate is trusted.
    pub(crate) fn contain(&self, certificate: &CertificateDer<'_>) -> bool {
        self.read().certificates.contains(certificate)
    }
}

impl Inner {
    fn empty() -> Self {
        Self {
            store: RootCertStore::empty(),
            certificates: HashSet::new(),
        }
    }

    fn of(trusted: impl IntoIterator<Item = CertificateDer<'static>>) -> Self {
        let mut roots = Self::empty();
        for certificate in trusted {
            // One that cannot be read signs nothing.
            roots.add(certificate).ok();
        }
        roots
    }

    fn add(&mut self, certificate: CertificateDer<'static>) -> Result<(), rustls::Error> {
        if !self.certificates.contains(&certificate) {
            self.store.add(certificate.clone())?;
            self.certificates.insert(certificate);
        }
        Ok(())
    }
}

impl From<Inner> for Roots {
    fn from(roots: Inner) -> Self {
        Self(Arc::new(Source::Known(roots)))
    }
}

impl PartialEq for Roots {
    fn eq(&self, other: &Self) -> bool {
        match (&*self.0, &*other.0) {
            (Source::Known(own), Source::Known(other)) => own.certificates == other.certificates,
            _ => Arc::ptr_eq(&self.0, &other.0),
        }
    }
}

impl Eq for Roots {}

impl Default for Roots {
    fn default() -> Self {
        Self::none()
    }
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = match &*self.0 {
            Source::Known(roots) => Some(roots.store.len()),
            Source::OnDemand(_) => None,
        };
        f.debug_struct("Roots")
            .field("len", &known)
            .finish_non_exhaustive()
    }
}
