//! Names of configuration elements, made from those of objects.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// How are elements named after objects?
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names {
    /// Joined by `_`, which no object's name contains, so that two objects never share a name.
    pub(crate) safe: bool,
}

impl Names {
    /// The element of an object that has a name of its own: middleware, service, transport, option.
    pub(crate) fn object(self, namespace: &str, name: &str) -> String {
        if self.safe {
            format!("{namespace}_{name}")
        } else {
            normalise(&id(namespace, name))
        }
    }

    /// The router of a route.
    pub(crate) fn router(self, namespace: &str, name: &str, index: usize, rule: &str) -> String {
        if self.safe {
            format!("{namespace}_{name}_{index}")
        } else {
            normalise(&id(namespace, &format!("{name}-{}", rule_hash(rule))))
        }
    }

    /// The service of a route that has one Kubernetes Service.
    pub(crate) fn balancer(self, router: &str) -> String {
        self.suffixed(router, "lb")
    }

    /// The service of a route that has several.
    pub(crate) fn list(self, router: &str) -> String {
        self.suffixed(router, "wrr")
    }

    fn suffixed(self, router: &str, suffix: &str) -> String {
        if self.safe {
            format!("{router}_{suffix}")
        } else {
            router.to_owned()
        }
    }

    /// A Kubernetes Service inside another service.
    pub(crate) fn child(self, slot: Slot<'_>, namespace: &str, name: &str, port: &str) -> String {
        if self.safe {
            format!("{slot}_{namespace}_{name}_{port}")
        } else {
            normalise(&format!("{namespace}-{name}-{port}"))
        }
    }

    /// A TLSStore, whose name is never normalised.
    pub(crate) fn store(self, namespace: &str, name: &str) -> String {
        if self.safe {
            self.object(namespace, name)
        } else {
            id(namespace, name)
        }
    }
}

/// A place in the service or router of this name that is made of others.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Slot<'a> {
    /// One of a weighted list that has a name of its own already.
    Listed(&'a str, usize),
    /// One of a weighted list.
    Weighted(&'a str, usize),
    /// One of a highest-random-weight list.
    Hashed(&'a str, usize),
    /// The one that answers and is mirrored.
    Mirrored(&'a str),
    /// One that gets copies.
    Mirror(&'a str, usize),
    /// The main one of a failover.
    Main(&'a str),
    /// The one that stands in.
    Fallback(&'a str),
}

impl fmt::Display for Slot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listed(list, index) => write!(f, "{list}_{index}"),
            Self::Weighted(parent, index) => write!(f, "{parent}_wrr_{index}"),
            Self::Hashed(parent, index) => write!(f, "{parent}_hrw_{index}"),
            Self::Mirrored(parent) => write!(f, "{parent}_mirroring"),
            Self::Mirror(parent, index) => write!(f, "{parent}_mirror_{index}"),
            Self::Main(parent) => write!(f, "{parent}_failover"),
            Self::Fallback(parent) => write!(f, "{parent}_fallback"),
        }
    }
}

/// Letters and digits, with one hyphen for anything else between them.
pub(crate) fn normalise(text: &str) -> String {
    let mut normal = String::with_capacity(text.len());
    for piece in text.split(|c: char| !c.is_alphanumeric()) {
        if piece.is_empty() {
            continue;
        }
        if !normal.is_empty() {
            normal.push('-');
        }
        normal.push_str(piece);
    }
    normal
}

fn id(namespace: &str, name: &str) -> String {
    if namespace.is_empty() {
        name.to_owned()
    } else {
        format!("{namespace}-{name}")
    }
}

/// The first ten bytes of the rule's SHA-256, in hexadecimal.
fn rule_hash(rule: &str) -> String {
    let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
    Sha256::digest(rule.as_bytes())
        .iter()
        .take(10)
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Names, Slot, normalise};

    const LEGACY: Names = Names { safe: false };
    const SAFE: Names = Names { safe: true };

    fn check(namespace: &str, name: &str, rule: &str, expected: &str) {
        assert_eq!(LEGACY.router(namespace, name, 0, rule), expected);
    }

    #[test]
    fn routers_are_named_as_traefik_names_them() {
        check(
            "default",
            "test.route",
            "Host(`foo.com`) && PathPrefix(`/bar`)",
            "default-test-route-6b204d94623b3df4370c",
        );
        check(
            "default",
            "test.route",
            "/prefix",
            "default-test-route-02719a68b11e915a4b23",
        );
        check(
            "default",
            "test.route",
            "Host(`foo.com`)",
            "default-test-route-6f97418635c7e18853da",
        );
        check(
            "default",
            "test.route.native-disabled",
            "Host(`foo.com`)",
            "default-test-route-native-disabled-6f97418635c7e18853da",
        );
        check(
            "ns-b",
            "child-cross-allowed",
            "Path(`/cross`)",
            "ns-b-child-cross-allowed-0bad04de665623bf2362",
        );
        check(
            "apps",
            "test-name",
            "Host(`test.example.com`)",
            "apps-test-name-d1dbb6cdb7259555612d",
        );
    }

    #[test]
    fn different_objects_may_share_a_name_unless_it_is_safe() {
        check("a", "b-c", "Host(`x`)", "a-b-c-4e15447348f3ae917245");
        check("a-b", "c", "Host(`x`)", "a-b-c-4e15447348f3ae917245");
        check(
            "prod",
            "web.app",
            "Host(`x`)",
            "prod-web-app-4e15447348f3ae917245",
        );
        check(
            "prod",
            "web--app",
            "Host(`x`)",
            "prod-web-app-4e15447348f3ae917245",
        );
        assert_eq!(SAFE.router("a", "b-c", 0, "Host(`x`)"), "a_b-c_0");
        assert_eq!(SAFE.router("a-b", "c", 0, "Host(`x`)"), "a-b_c_0");
        assert_eq!(SAFE.object("prod", "web.app"), "prod_web.app");
    }

    #[test]
    fn names_keep_letters_and_digits_only() {
        assert_eq!(
            normalise("default-multiple---hyphens"),
            "default-multiple-hyphens"
        );
        assert_eq!(normalise("-wrr"), "wrr");
        assert_eq!(normalise("apps-my_svc"), "apps-my-svc");
        assert_eq!(normalise("É.test"), "É-test");
        assert_eq!(normalise("--"), "");
    }

    #[test]
    fn children_are_named_by_the_port_as_written() {
        let slot = Slot::Mirror("apps_list", 1);
        assert_eq!(
            LEGACY.child(slot, "default", "whoami", "80"),
            "default-whoami-80"
        );
        assert_eq!(
            LEGACY.child(slot, "default", "whoami", "web"),
            "default-whoami-web"
        );
        assert_eq!(
            SAFE.child(slot, "default", "whoami", "80"),
            "apps_list_mirror_1_default_whoami_80"
        );
    }
}
