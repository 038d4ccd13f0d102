//! Files that a configuration names.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::{Configuration, ServersTransport};
use crate::redact::FileOrContent;

impl Configuration {
    /// Puts the content of files in the place of their paths, and tells whether it names any.
    ///
    /// It is the border's part to do so, where the configuration is read: what compiles it does no I/O. Those of servers
    /// transports are read; the other certificates are not served yet.
    ///
    /// (Traefik: its file provider does the same, in `pkg/provider/file`.)
    ///
    /// ```
    /// use traefikrs_config::dynamic::Configuration;
    ///
    /// let mut configuration: Configuration = serde_json::from_value(serde_json::json!({
    ///     "http": { "serversTransports": { "t": { "rootCAs": ["/etc/ca.pem"] } } },
    /// }))?;
    /// assert!(configuration.read_files(|path| Ok(format!("what {} holds", path.display()))));
    /// let transports = configuration.http.unwrap_or_default().servers_transports;
    /// assert_eq!(transports["t"].root_cas[0].content(), Ok("what /etc/ca.pem holds"));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn read_files(&mut self, read: impl Fn(&Path) -> io::Result<String>) -> bool {
        let Some(http) = &mut self.http else {
            return false;
        };
        let transports = &mut http.servers_transports;
        let naming: Vec<_> = transports
            .iter()
            .filter(|(_, transport)| names_files(transport))
            .map(|(name, transport)| (Arc::clone(name), ServersTransport::clone(transport)))
            .collect();
        let any = !naming.is_empty();
        for (name, mut transport) in naming {
            parts(&mut transport).for_each(|part| part.read(&read));
            transports.insert(name, transport);
        }
        any
    }
}

fn names_files(transport: &ServersTransport) -> bool {
    let certificates = transport.certificates.iter();
    let certificates = certificates.flat_map(|pair| [&pair.cert_file, &pair.key_file]);
    let mut parts = transport.root_cas.iter().chain(certificates);
    parts.any(|part| part.path().is_some())
}

fn parts(transport: &mut ServersTransport) -> impl Iterator<Item = &mut FileOrContent> {
    let pairs = transport.certificates.iter_mut();
    let certificates = pairs.flat_map(|pair| [&mut pair.cert_file, &mut pair.key_file]);
    transport.root_cas.iter_mut().chain(certificates)
}
