use crate::parser::{self, Names};
use crate::{Expr, Function, ParseError};

/// Which domains does a rule speak of?
///
/// They are what certificates are requested for and what TLS options are chosen by: the arguments of every `Host` that
/// is not negated, from left to right, in lower case, duplicates kept. The names of both languages are known, whatever
/// the syntax of the router, and arguments are not [checked](crate::Rule::check).
///
/// ```
/// let domains = traefikrs_rule::domains("Host(`Example.com`, `example.org`) || !Host(`example.net`) && Path()")?;
/// assert_eq!(domains, ["example.com", "example.org"]);
/// # Ok::<(), traefikrs_rule::ParseError>(())
/// ```
///
/// # Errors
/// The text does not parse or calls an unknown function.
// Traefik: 3.7.15 leaves negated hosts out (pkg/rules `ParseMatchers`).
pub fn domains(text: &str) -> Result<Vec<String>, ParseError> {
    parser::expr(text, Names::Both).map(|expr| of(&expr))
}

pub(crate) fn of(expr: &Expr) -> Vec<String> {
    expr.leaves()
        .filter(|leaf| !leaf.negated && leaf.call.function() == Function::Host)
        .flat_map(|leaf| leaf.call.arguments())
        .map(|argument| argument.to_text().to_lowercase())
        .collect()
}

/// Does a certificate for `certificate_domain` serve `domain`?
///
/// They are equal, or the certificate's name has stars in place of one or more of the leftmost labels, each for exactly
/// one label. Dots at the end of the certificate's name do not count. Both are expected in lower case.
///
/// ```
/// use traefikrs_rule::certificate_covers;
///
/// assert!(certificate_covers("*.example.com", "www.example.com"));
/// assert!(!certificate_covers("*.example.com", "example.com"));
/// assert!(!certificate_covers("*.example.com", "a.www.example.com"));
/// ```
// Traefik: pkg/types `MatchDomain`.
#[must_use]
pub fn certificate_covers(certificate_domain: &str, domain: &str) -> bool {
    if certificate_domain == domain {
        return true;
    }
    let pattern = certificate_domain.trim_end_matches('.');
    let mut stars = true;
    let label_fits = |(expected, label): (&str, &str)| {
        stars = stars && expected == "*";
        stars || expected == label
    };
    pattern.starts_with('*')
        && pattern.split('.').count() == domain.split('.').count()
        && pattern.split('.').zip(domain.split('.')).all(label_fits)
}
