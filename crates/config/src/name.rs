//! Names that say which provider an element comes from.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// Which element of which provider? `name@provider`.
///
/// Elements refer to each other by name; a reference without `@` means the provider of the element
/// that contains it. (Traefik: `pkg/server/provider`.)
///
/// ```
/// use traefikrs_config::name::QualifiedName;
///
/// let router = QualifiedName::new("web", "file");
/// assert_eq!(router.resolve("auth").to_string(), "auth@file");
/// assert_eq!(router.resolve("auth@kubernetescrd").to_string(), "auth@kubernetescrd");
/// ```
#[derive(Clone)]
pub struct QualifiedName {
    text: Arc<str>,
    at: usize,
}

impl QualifiedName {
    /// `name@provider`.
    pub fn new(name: &str, provider: &str) -> Self {
        Self {
            text: format!("{name}@{provider}").into(),
            at: name.len(),
        }
    }

    /// Reads `name@provider`, split at the last `@`; a text without one gets the given provider.
    pub fn parse(text: &str, default_provider: &str) -> Self {
        match text.rfind('@') {
            Some(at) => Self {
                text: text.into(),
                at,
            },
            None => Self::new(text, default_provider),
        }
    }

    /// Reads `name@provider` like [`parse`](Self::parse), and shares the text if it has a provider.
    pub fn of(text: &Arc<str>, default_provider: &str) -> Self {
        match text.rfind('@') {
            Some(at) => Self {
                text: Arc::clone(text),
                at,
            },
            None => Self::new(text, default_provider),
        }
    }

    /// What a reference inside this element means.
    #[must_use]
    pub fn resolve(&self, reference: &str) -> Self {
        Self::parse(reference, self.provider())
    }

    /// The part before the last `@`.
    pub fn name(&self) -> &str {
        &self.text[..self.at]
    }

    /// The part after the last `@`.
    pub fn provider(&self) -> &str {
        &self.text[self.at + 1..]
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The whole name, to be shared.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// Whether the element is one of the built-in ones.
    pub fn is_internal(&self) -> bool {
        self.provider() == "internal"
    }
}

// Equality, order and hash are those of the text, as `Borrow<str>` promises.
impl PartialEq for QualifiedName {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for QualifiedName {}

impl PartialOrd for QualifiedName {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for QualifiedName {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}

impl std::hash::Hash for QualifiedName {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl fmt::Display for QualifiedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for QualifiedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::borrow::Borrow<str> for QualifiedName {
    fn borrow(&self) -> &str {
        &self.text
    }
}

/// Qualifies a name unless it already is.
///
/// TLS options and stores called `default` are global: leave those to the caller.
pub fn qualify<'a>(name: &'a str, provider: &str) -> Cow<'a, str> {
    if name.contains('@') {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(format!("{name}@{provider}"))
    }
}
