//! Certificates, authorities and credentials out of Secrets and ConfigMaps.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};
use traefikrs_config::dynamic::Certificate;
use traefikrs_config::redact::{FileOrContent, Sensitive};

use crate::cluster::Secret;
use crate::hint::list;
use crate::problem::{Path, Problem};
use crate::reason;
use crate::view::View;

const CA_KEYS: [&str; 2] = ["tls.ca", "ca.crt"];

impl View<'_> {
    /// The certificate and key in a Secret.
    pub(crate) fn key_pair(
        &self,
        namespace: &str,
        name: &str,
        path: Path<'_>,
    ) -> Result<Certificate, Problem> {
        let secret = self.secret(namespace, name, path)?;
        let incomplete = |what: &str, keys: &[&str]| {
            let keys = list(keys.iter().copied(), "");
            let message =
                format!("Secret {namespace}/{name} {what}: {keys}; a TLS Secret needs both");
            Problem::error(reason::SECRET_INCOMPLETE, path, message)
        };
        let lacking = |test: &dyn Fn(&str) -> bool| -> Vec<&str> {
            ["tls.crt", "tls.key"]
                .into_iter()
                .filter(|key| test(key))
                .collect()
        };
        let missing = lacking(&|key| !secret.data.contains_key(key));
        if !missing.is_empty() {
            return Err(incomplete("lacks", &missing));
        }
        let empty = lacking(&|key| secret.data[key].0.is_empty());
        if !empty.is_empty() {
            return Err(incomplete("has empty values", &empty));
        }
        Ok(Certificate {
            cert_file: content(secret.data["tls.crt"].text()),
            key_file: content(secret.data["tls.key"].text()),
        })
    }

    /// The authority in a Secret; one of a single key may call it as it likes.
    pub(crate) fn authority(
        &self,
        namespace: &str,
        name: &str,
        path: Path<'_>,
    ) -> Result<FileOrContent, Problem> {
        let secret = self.secret(namespace, name, path)?;
        let only = secret
            .data
            .values()
            .next()
            .filter(|_| secret.data.len() == 1);
        authority_of(secret)
            .or_else(|| only.map(|value| content(value.text())))
            .ok_or_else(|| no_authority(reason::SECRET_INCOMPLETE, "Secret", namespace, name, path))
    }

    /// The authority of client certificates in a Secret.
    pub(crate) fn client_authority(
        &self,
        namespace: &str,
        name: &str,
        path: Path<'_>,
    ) -> Result<FileOrContent, Problem> {
        let secret = self.secret(namespace, name, path)?;
        authority_of(secret)
            .ok_or_else(|| no_authority(reason::SECRET_INCOMPLETE, "Secret", namespace, name, path))
    }

    /// The authority in a ConfigMap.
    pub(crate) fn public_authority(
        &self,
        namespace: &str,
        name: &str,
        path: Path<'_>,
    ) -> Result<FileOrContent, Problem> {
        let config_map = self.config_map(namespace, name, path)?;
        CA_KEYS
            .iter()
            .find_map(|key| config_map.data.get(*key))
            .map(|text| content(text.clone()))
            .ok_or_else(|| {
                no_authority(
                    reason::CONFIG_MAP_INCOMPLETE,
                    "ConfigMap",
                    namespace,
                    name,
                    path,
                )
            })
    }

    /// The users of a basic-auth middleware.
    pub(crate) fn basic_users(
        &self,
        namespace: &str,
        name: &str,
        path: Path<'_>,
    ) -> Result<Vec<Sensitive>, Problem> {
        let secret = self.secret(namespace, name, path)?;
        if secret.secret_type != "kubernetes.io/basic-auth" {
            return user_lines(secret, namespace, name, path);
        }
        let (username, password) = self.credentials(namespace, name, path)?;
        let digest = STANDARD.encode(Sha1::digest(&password));
        Ok(vec![format!("{username}:{{SHA}}{digest}").into()])
    }

    /// The users of a digest-auth middleware.
    pub(crate) fn digest_users(
        &self,
        namespace: &str,
        name: &str,
        path: Path<'_>,
    ) -> Result<Vec<Sensitive>, Problem> {
        user_lines(self.secret(namespace, name, path)?, namespace, name, path)
    }

    /// Name and password in a Secret.
    pub(crate) fn credentials(
        &self,
        namespace: &str,
        name: &str,
        path: Path<'_>,
    ) -> Result<(String, Vec<u8>), Problem> {
        let secret = self.secret(namespace, name, path)?;
        match (secret.data.get("username"), secret.data.get("password")) {
            (Some(username), Some(password)) => Ok((username.text(), password.0.clone())),
            _ => {
                let message = format!(
                    "Secret {namespace}/{name} must have the keys `username` and `password`"
                );
                Err(Problem::error(reason::SECRET_INCOMPLETE, path, message))
            }
        }
    }
}

// Text from a cluster is content even where a file of that name exists: otherwise whoever may write
// a Secret could read the proxy's files.
fn content(text: String) -> FileOrContent {
    FileOrContent::from_content(text)
}

fn authority_of(secret: &Secret) -> Option<FileOrContent> {
    CA_KEYS
        .iter()
        .find_map(|key| secret.data.get(*key))
        .map(|value| content(value.text()))
}

fn no_authority(
    reason: traefikrs_config::diagnostic::Reason,
    kind: &str,
    namespace: &str,
    name: &str,
    path: Path<'_>,
) -> Problem {
    let message = format!("{kind} {namespace}/{name} must have the key `tls.ca` or `ca.crt`");
    Problem::error(reason, path, message)
}

fn user_lines(
    secret: &Secret,
    namespace: &str,
    name: &str,
    path: Path<'_>,
) -> Result<Vec<Sensitive>, Problem> {
    let problem = |message| Err(Problem::error(reason::SECRET_INCOMPLETE, path, message));
    let mut values = secret.data.values();
    let (Some(value), None) = (values.next(), values.next()) else {
        return problem(format!(
            "Secret {namespace}/{name} must have exactly one key, which holds the users, but has {}",
            secret.data.len()
        ));
    };
    let text = value.text();
    let lines: Vec<&str> = text
        .split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line))
        .filter(|line| !line.is_empty())
        .collect();
    // Traefik: its line reader stops at 64 KiB.
    if lines.iter().any(|line| line.len() >= 64 * 1024) {
        return problem(format!(
            "Secret {namespace}/{name} has a line of more than 64 KiB"
        ));
    }
    if lines.is_empty() {
        return problem(format!("Secret {namespace}/{name} holds no users"));
    }
    Ok(lines
        .into_iter()
        .map(|line| Sensitive::from(line.to_owned()))
        .collect())
}
