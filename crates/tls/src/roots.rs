//! The authorities to trust.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

use crate::certificate::{CertificateError, certificates_among};

/// Which authorities are trusted? Clones share them.
#[derive(Clone)]
pub struct Roots(Arc<Inner>);

struct Inner {
    store: RootCertStore,
    certificates: HashSet<CertificateDer<'static>>,
}

impl Roots {
    /// Nobody is trusted.
    #[must_use]
    pub fn none() -> Self {
        Self(Arc::new(Inner::empty()))
    }

    /// These certificates are trusted, as far as they can be read: a system's collection has odd ones.
    #[must_use]
    pub fn of(trusted: impl IntoIterator<Item = CertificateDer<'static>>) -> Self {
        let mut roots = Inner::empty();
        for certificate in trusted {
            // One that cannot be read signs nothing.
            roots.add(certificate).ok();
        }
        Self(Arc::new(roots))
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
        (Self(Arc::new(roots)), problems)
    }

    /// How many authorities are trusted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.store.len()
    }

    /// Whether nobody is trusted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.store.is_empty()
    }

    pub(crate) fn store(&self) -> &RootCertStore {
        &self.0.store
    }

    /// Whether this very certificate is trusted.
    pub(crate) fn contain(&self, certificate: &CertificateDer<'_>) -> bool {
        self.0.certificates.contains(certificate)
    }
}

impl Inner {
    fn empty() -> Self {
        Self {
            store: RootCertStore::empty(),
            certificates: HashSet::new(),
        }
    }

    fn add(&mut self, certificate: CertificateDer<'static>) -> Result<(), rustls::Error> {
        if !self.certificates.contains(&certificate) {
            self.store.add(certificate.clone())?;
            self.certificates.insert(certificate);
        }
        Ok(())
    }
}

impl PartialEq for Roots {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.certificates == other.0.certificates
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
        f.debug_struct("Roots")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}
