use traefikrs_rule::Rule;

/// How early is a route tried?
///
/// The higher goes first. Negative priorities are allowed and lose to every route that sets none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Priority(i64);

impl Priority {
    /// The highest priority that a user may set; what is above belongs to Traefik's own routers.
    pub const MAX_USER: Self = Self(i64::MAX - 1000);

    /// Takes the configured priority, or for 0 the length of the rule's text in bytes.
    #[must_use]
    pub fn new(configured: i64, rule: &Rule) -> Self {
        match configured {
            0 => Self(i64::try_from(rule.default_priority()).unwrap_or(i64::MAX)),
            configured => Self(configured),
        }
    }

    /// Does the same for a router of a user.
    ///
    /// # Errors
    /// The priority is above [`MAX_USER`](Self::MAX_USER).
    // Traefik: the limit is not applied to routers with parents, nor to names that end in `@internal`.
    pub fn of_user(configured: i64, rule: &Rule) -> Result<Self, PriorityTooHigh> {
        if configured > Self::MAX_USER.0 {
            Err(PriorityTooHigh(configured))
        } else {
            Ok(Self::new(configured, rule))
        }
    }

    /// Returns the number, as Traefik's API shows it.
    #[must_use]
    pub fn value(self) -> i64 {
        self.0
    }
}

/// A user set a priority that is kept for Traefik's own routers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the router priority {0} exceeds the max user-defined priority {max}", max = Priority::MAX_USER.0)]
pub struct PriorityTooHigh(pub i64);

/// Which place does the provider of a route have among the providers?
///
/// The lower goes first among routes of equal priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rank(u16);

impl Rank {
    /// The rank of providers that are not listed: behind all that are.
    pub const UNLISTED: Self = Self(u16::MAX);
}

/// Which provider wins when routes have the same priority?
///
/// ```
/// use traefikrs_router::{Precedence, Rank};
///
/// let precedence = Precedence::new(["KubernetesCRD", "file"])?;
/// assert!(precedence.rank("api@kubernetescrd") < precedence.rank("api@file"));
/// assert_eq!(precedence.rank("api@http"), Rank::UNLISTED);
/// # Ok::<(), traefikrs_router::UnknownProvider>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Precedence(Vec<String>);

impl Precedence {
    /// The providers that can be listed, in the order that Traefik documents as its default.
    // Traefik: 3.7.15 documents the order but applies none unless the option is set.
    pub const PROVIDERS: [&str; 17] = [
        "kubernetesgateway",
        "kubernetescrd",
        "kubernetes",
        "kubernetesingressnginx",
        "swarm",
        "docker",
        "file",
        "redis",
        "knative",
        "consul",
        "consulcatalog",
        "nomad",
        "etcd",
        "ecs",
        "http",
        "zookeeper",
        "rest",
    ];

    /// Takes the value of `providers.precedence`; capitals do not matter.
    ///
    /// # Errors
    /// A name is not one of [`PROVIDERS`](Self::PROVIDERS).
    pub fn new<N: AsRef<str>>(names: impl IntoIterator<Item = N>) -> Result<Self, UnknownProvider> {
        let known = |name: N| {
            let lower = name.as_ref().to_lowercase();
            if Self::PROVIDERS.contains(&lower.as_str()) {
                Ok(lower)
            } else {
                Err(UnknownProvider(name.as_ref().to_owned()))
            }
        };
        names
            .into_iter()
            .map(known)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Returns the documented order.
    #[must_use]
    pub fn documented() -> Self {
        Self(Self::PROVIDERS.map(str::to_owned).into())
    }

    /// Returns the rank of a router by the provider in its name, `router@provider`.
    #[must_use]
    pub fn rank(&self, router: &str) -> Rank {
        let provider = router.split_once('@').map(|(_, provider)| provider);
        let place = self
            .0
            .iter()
            .position(|listed| Some(listed.as_str()) == provider);
        place
            .and_then(|place| u16::try_from(place).ok())
            .map_or(Rank::UNLISTED, Rank)
    }
}

/// The name in `providers.precedence` is not one of a provider.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown provider {0:?}")]
pub struct UnknownProvider(pub String);

#[cfg(test)]
mod tests {
    use super::*;
    use traefikrs_rule::{Syntax, parse};

    #[test]
    fn no_priority_is_the_length_of_the_rule() {
        let rule = parse(" Host(`é`) // c", Syntax::V3).unwrap();
        assert_eq!(Priority::new(0, &rule).value(), 16);
        assert_eq!(Priority::new(-3, &rule).value(), -3);
    }

    #[test]
    fn the_highest_priorities_are_not_for_users() {
        let rule = parse("Host(`a`)", Syntax::V3).unwrap();
        assert_eq!(
            Priority::of_user(9_223_372_036_854_774_807, &rule).unwrap(),
            Priority::MAX_USER
        );
        let error = Priority::of_user(9_223_372_036_854_774_808 - 1 + 1, &rule).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the router priority 9223372036854774808 exceeds the max user-defined priority 9223372036854774807"
        );
    }

    #[test]
    fn only_the_listed_provider_of_the_name_has_a_rank() {
        let precedence = Precedence::new(["file"]).unwrap();
        assert!(precedence.rank("a@file") < Rank::UNLISTED);
        for name in ["a", "a@http", "file", "a@b@file"] {
            assert_eq!(precedence.rank(name), Rank::UNLISTED, "{name}");
        }
        assert_eq!(
            Precedence::new(["fiel"]),
            Err(UnknownProvider("fiel".to_owned()))
        );
    }
}
