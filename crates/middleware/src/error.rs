use crate::kind::Kind;

/// Why a middleware cannot be built; the texts are those of Traefik where it has one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// More than one kind is configured under one name.
    #[error(
        "cannot create middleware: multi-types middleware not supported, consider declaring two different pieces of middleware instead"
    )]
    MultipleTypes,
    /// No kind is configured.
    #[error(
        "invalid middleware \"{0}\" configuration: invalid middleware type or middleware does not exist"
    )]
    NoType(String),
    /// A kind of Traefik's that this version does not serve.
    #[error("middleware type {0} is not served yet")]
    NotServed(Kind),
    /// addPrefix without a prefix.
    #[error("prefix cannot be empty")]
    NoPrefix,
    /// redirectScheme without a scheme.
    #[error("you must provide a target scheme")]
    NoScheme,
    /// headers without any option.
    #[error("headers configuration not valid")]
    NoHeaders,
    /// A pattern that Go would refuse.
    #[error(transparent)]
    Regex(#[from] traefikrs_goregexp::Error),
    /// A pattern of replacePathRegex that Go would refuse.
    #[error("error compiling regular expression {pattern}: {0}", pattern = .0.pattern())]
    PathRegex(traefikrs_goregexp::Error),
    /// A name or value that no header can have.
    #[error("invalid header {name:?}: {problem}")]
    Header {
        /// The header's name as it was written.
        name: String,
        /// What is wrong with it.
        problem: HeaderProblem,
    },
}

/// What is wrong with a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderProblem {
    /// The name has a character that names may not have.
    #[error("invalid name")]
    Name,
    /// The value has a control character.
    #[error("invalid value")]
    Value,
}
