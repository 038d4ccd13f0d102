//! Where in a tree?

use std::fmt;

/// A JSON path such as `http.routers.web.tls.domains[0]`, linked from the leaf to the root.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Path<'a> {
    /// The place where decoding began; empty for the root of the text.
    Root(&'a str),
    Field(&'a Self, &'a str),
    Index(&'a Self, usize),
}

impl Path<'_> {
    /// The name of the last field.
    pub(crate) fn last(&self) -> &str {
        match self {
            Self::Root(path) => path.rsplit('.').next().unwrap_or(path),
            Self::Field(_, name) => name,
            Self::Index(path, _) => path.last(),
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(path) => f.write_str(path),
            Self::Index(path, index) => write!(f, "{path}[{index}]"),
            Self::Field(path, name) if is_plain(name) => match path {
                Path::Root("") => f.write_str(name),
                path => write!(f, "{path}.{name}"),
            },
            Self::Field(path, name) => write!(f, "{path}[{name:?}]"),
        }
    }
}

/// Whether a name needs no quotes in a path.
fn is_plain(name: &str) -> bool {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '@' | '/');
    !name.is_empty() && name.chars().all(fits)
}
