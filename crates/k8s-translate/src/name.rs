//! Names of configuration elements, made from those of objects.

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

    /// A Kubernetes Service inside a list or slot of the service `parent`.
    pub(crate) fn child(self, parent: &str, namespace: &str, name: &str, port: &str) -> String {
        if self.safe {
            format!("{parent}_{namespace}_{name}_{port}")
        } else {
            normalise(&format!("{namespace}-{name}-{port}"))
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
    Sha256::digest(rule.as_bytes())
        .iter()
        .take(10)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Names, normalise};

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
        assert_eq!(
            LEGACY.child("any", "default", "whoami", "80"),
            "default-whoami-80"
        );
        assert_eq!(
            LEGACY.child("any", "default", "whoami", "web"),
            "default-whoami-web"
        );
        assert_eq!(
            SAFE.child("apps_list", "default", "whoami", "80"),
            "apps_list_default_whoami_80"
        );
    }
}
