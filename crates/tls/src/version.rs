//! Versions of TLS, by the names that Go gives them.

use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};

/// A version that Traefik can be told to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// TLS 1.0, which is not spoken.
    Tls10,
    /// TLS 1.1, which is not spoken.
    Tls11,
    /// TLS 1.2.
    Tls12,
    /// TLS 1.3.
    Tls13,
}

impl Version {
    /// The version of this name: `VersionTLS10` to `VersionTLS13`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "VersionTLS10" => Self::Tls10,
            "VersionTLS11" => Self::Tls11,
            "VersionTLS12" => Self::Tls12,
            "VersionTLS13" => Self::Tls13,
            _ => return None,
        })
    }

    /// Whether it is spoken here: older versions have been broken or disallowed since (RFC 8996).
    #[must_use]
    pub fn is_spoken(self) -> bool {
        self >= Self::Tls12
    }
}

/// Which versions may be spoken: at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions {
    lowest: Version,
    highest: Version,
}

/// Why do two bounds leave no version to speak?
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoVersion {
    /// The lowest is above the highest.
    #[error("the lowest TLS version is above the highest")]
    Crossed,
    /// The highest is one that is not spoken.
    #[error("no version below TLS 1.2 is spoken")]
    TooOld,
}

impl Versions {
    /// What lies between two bounds; one that is not given is no bound.
    ///
    /// A lowest version that is not spoken is as good as none: what is spoken lies above it.
    /// Traefik takes a missing highest version for the lowest there is, and then drops all that the transport says of
    /// TLS.
    ///
    /// ```
    /// use traefikrs_tls::{NoVersion, Version, Versions};
    ///
    /// let only_13 = Versions::between(Some(Version::Tls13), None)?;
    /// assert_eq!(only_13, Versions::between(Some(Version::Tls13), Some(Version::Tls13))?);
    /// assert_eq!(Versions::between(None, Some(Version::Tls11)), Err(NoVersion::TooOld));
    /// # Ok::<_, NoVersion>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When nothing lies between them.
    pub fn between(lowest: Option<Version>, highest: Option<Version>) -> Result<Self, NoVersion> {
        let lowest = lowest.unwrap_or(Version::Tls12);
        let highest = highest.unwrap_or(Version::Tls13);
        if !highest.is_spoken() {
            return Err(NoVersion::TooOld);
        }
        if lowest > highest {
            return Err(NoVersion::Crossed);
        }
        Ok(Self {
            lowest: lowest.max(Version::Tls12),
            highest,
        })
    }

    pub(crate) fn supported(self) -> &'static [&'static SupportedProtocolVersion] {
        static BOTH: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];
        match (self.lowest, self.highest) {
            (_, Version::Tls12) => &BOTH[..1],
            (Version::Tls13, _) => &BOTH[1..],
            _ => &BOTH,
        }
    }
}

impl Default for Versions {
    /// All that are spoken.
    fn default() -> Self {
        Self {
            lowest: Version::Tls12,
            highest: Version::Tls13,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_leave_what_is_between_them() {
        for (lowest, highest, expected) in [
            ("", "", Ok("12 13")),
            ("VersionTLS10", "", Ok("12 13")),
            ("VersionTLS10", "VersionTLS12", Ok("12")),
            ("VersionTLS12", "", Ok("12 13")),
            ("VersionTLS13", "", Ok("13")),
            ("", "VersionTLS12", Ok("12")),
            ("VersionTLS12", "VersionTLS12", Ok("12")),
            ("VersionTLS13", "VersionTLS12", Err(NoVersion::Crossed)),
            ("VersionTLS10", "VersionTLS11", Err(NoVersion::TooOld)),
            ("VersionTLS12", "VersionTLS11", Err(NoVersion::TooOld)),
        ] {
            let versions = Versions::between(Version::named(lowest), Version::named(highest));
            let spoken = versions.map(|versions| {
                let names = versions.supported().iter().map(|supported| {
                    if supported.version == rustls::ProtocolVersion::TLSv1_2 {
                        "12"
                    } else {
                        "13"
                    }
                });
                names.collect::<Vec<_>>().join(" ")
            });
            assert_eq!(spoken, expected.map(str::to_owned), "{lowest} to {highest}");
        }
    }
}
