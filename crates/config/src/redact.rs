//! Values that must not show up in logs.

use std::fmt;

use serde::{Deserialize, Serialize};

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
/// (`pkg/types.FileOrContent`). Text from a cluster is always content: see
/// [`from_content`](Self::from_content).
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FileOrContent(String);

impl FileOrContent {
    /// Text that is content even where a file of that name exists.
    pub fn from_content(content: String) -> Self {
        Self(content)
    }

    /// The text as written.
    pub fn expose(&self) -> &str {
        &self.0
    }

    fn looks_like_a_path(&self) -> bool {
        self.0.len() < 4096 && !self.0.contains(['\n', '\r']) && !self.0.contains("-----")
    }
}

impl From<String> for FileOrContent {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for FileOrContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.looks_like_a_path() {
            write!(f, "{:?}", self.0)
        } else {
            f.write_str("CONTENT")
        }
    }
}

impl Configuration {
    /// The configuration without certificates, keys and authorities, fit to be printed.
    ///
    /// Traefik: the same parts are blanked in its "Configuration received" log line.
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
    }
}
