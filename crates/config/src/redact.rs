//! Values that must not show up in logs.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::dynamic::Configuration;

/// A secret: prints as `REDACTED`, and only [`expose`](Self::expose) gives it away.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sensitive(String);

impl Sensitive {
    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Sensitive {
    fn from(secret: String) -> Self {
        Self(secret)
    }
}

impl fmt::Debug for Sensitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("REDACTED")
    }
}

/// PEM text, or the path of a file that holds it: content prints as `CONTENT`, a path as itself.
///
/// Traefik opens a file when one of that name exists and takes the text for PEM otherwise
/// (`pkg/types.FileOrContent`). Text from a cluster is content whatever it looks like: see
/// [`from_content`](Self::from_content).
#[derive(Clone, Default)]
pub struct FileOrContent {
    text: String,
    origin: Origin,
}

#[derive(Clone, Default)]
enum Origin {
    /// A file if there is one of that name, or else content.
    Written,
    #[default]
    Content,
    /// A file, which could not be read for this reason.
    Unreadable(Arc<str>),
}

impl FileOrContent {
    /// Text that is content even where a file of that name exists.
    pub fn from_content(content: String) -> Self {
        Self {
            text: content,
            origin: Origin::Content,
        }
    }

    /// The text as written.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The file to open if there is one of that name, for text that a person wrote.
    ///
    /// ```
    /// use traefikrs_config::redact::FileOrContent;
    ///
    /// let written = FileOrContent::from("/etc/ca.pem".to_owned());
    /// assert_eq!(written.path(), Some("/etc/ca.pem".as_ref()));
    /// // What a tenant of a cluster puts into a Secret opens no file of ours.
    /// assert_eq!(FileOrContent::from_content("/etc/ca.pem".to_owned()).path(), None);
    /// ```
    pub fn path(&self) -> Option<&Path> {
        let named = !matches!(self.origin, Origin::Content) && self.looks_like_a_path();
        named.then(|| Path::new(&self.text))
    }

    /// Puts the content of the file in the place of its path; `read` is asked only if the text may be a path.
    ///
    /// The path of a file that cannot be read stays, with the reason: see [`content`](Self::content).
    pub fn read(&mut self, read: impl FnOnce(&Path) -> io::Result<String>) {
        let Some(path) = self.path() else {
            return;
        };
        match read(path) {
            Ok(content) => *self = Self::from_content(content),
            Err(error) => self.origin = Origin::Unreadable(error.to_string().into()),
        }
    }

    /// The content; what names a file that was not or could not be read has none.
    ///
    /// ```
    /// use traefikrs_config::redact::FileOrContent;
    ///
    /// let mut written = FileOrContent::from("/etc/ca.pem".to_owned());
    /// written.read(|_| Err(std::io::ErrorKind::PermissionDenied.into()));
    /// assert_eq!(written.content(), Err("cannot read /etc/ca.pem: permission denied".to_owned()));
    /// written.read(|_| Ok("-----BEGIN CERTIFICATE-----".to_owned()));
    /// assert_eq!(written.content(), Ok("-----BEGIN CERTIFICATE-----"));
    /// ```
    ///
    /// # Errors
    ///
    /// The reason, fit to be shown.
    pub fn content(&self) -> Result<&str, String> {
        let Some(path) = self.path() else {
            return Ok(&self.text);
        };
        let reason = match &self.origin {
            Origin::Unreadable(reason) => reason,
            Origin::Written | Origin::Content => "it was not looked for",
        };
        Err(format!("cannot read {}: {reason}", path.display()))
    }

    fn looks_like_a_path(&self) -> bool {
        !self.text.is_empty()
            && self.text.len() < 4096
            && !self.text.contains(['\n', '\r', '\0'])
            && !self.text.contains("-----")
    }
}

// Two of one text say the same; where they come from only decides how far they are trusted.
impl PartialEq for FileOrContent {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for FileOrContent {}

impl From<String> for FileOrContent {
    fn from(text: String) -> Self {
        Self {
            text,
            origin: Origin::Written,
        }
    }
}

impl Serialize for FileOrContent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for FileOrContent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

impl fmt::Debug for FileOrContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path() {
            Some(path) => fmt::Debug::fmt(path, f),
            None => f.write_str("CONTENT"),
        }
    }
}

impl Configuration {
    /// The configuration without certificates, keys and authorities, fit to be printed.
    ///
    /// Traefik: its "Configuration received" log line blanks the same parts, except for the keys and
    /// passwords of middlewares, which it prints.
    #[must_use]
    pub fn without_key_material(mut self) -> Self {
        if let Some(tls) = &mut self.tls {
            tls.certificates.clear();
            for options in tls.options.values_mut() {
                options.client_auth.ca_files.clear();
            }
            for store in tls.stores.values_mut() {
                store.default_certificate = None;
            }
        }
        if let Some(http) = &mut self.http {
            for transport in http.servers_transports.values_mut() {
                transport.certificates.clear();
                transport.root_cas.clear();
            }
            // Traefik prints these, but nobody needs a private key or a password in a log.
            for middleware in http.middlewares.values_mut() {
                let redis = middleware
                    .rate_limit
                    .as_mut()
                    .and_then(|limit| limit.redis.as_mut());
                let auth = middleware.forward_auth.as_mut();
                let tls = auth.and_then(|auth| auth.tls.as_mut());
                if let Some(tls) = tls {
                    tls.key = FileOrContent::default();
                }
                if let Some(redis) = redis {
                    redis.password = Sensitive::default();
                    if let Some(tls) = &mut redis.tls {
                        tls.key = FileOrContent::default();
                    }
                }
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::{FileOrContent, Sensitive};

    #[test]
    fn secrets_do_not_print() {
        assert_eq!(
            format!("{:?}", Sensitive::from("hunter2".to_owned())),
            "REDACTED"
        );
        let pem = FileOrContent::from("-----BEGIN PRIVATE KEY-----\nabc".to_owned());
        assert_eq!(format!("{pem:?}"), "CONTENT");
        assert_eq!(
            format!("{:?}", FileOrContent::from("/etc/ca.pem".to_owned())),
            "\"/etc/ca.pem\""
        );
        let content = FileOrContent::from_content("/etc/ca.pem".to_owned());
        assert_eq!(format!("{content:?}"), "CONTENT");
    }
}
