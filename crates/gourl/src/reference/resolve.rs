//! References against a base.

use super::{Error, normalize};
use crate::parts::{Malformed, split_authority, split_query, split_scheme};

/// Where does a link lead that is found at `base`? Without the fragment, which is not sent.
///
/// (Go's `URL.ResolveReference`; RFC 3986 §5.2.)
///
/// ```
/// use traefikrs_gourl::reference::resolve;
///
/// assert_eq!(resolve("http://h/base/x", "hc?deep")?, "http://h/base/hc?deep");
/// assert_eq!(resolve("http://h/base/x", "/hc")?, "http://h/hc");
/// # Ok::<(), traefikrs_gourl::reference::Error>(())
/// ```
///
/// # Errors
/// When Go's `url.Parse` refuses one of them, or `base` has no host.
pub fn resolve(base: &str, reference: &str) -> Result<String, Error> {
    let (base, reference) = (normalize(base)?, normalize(reference)?);
    let base = Parts::of(&base)?;
    let reference = Parts::of(&reference)?;
    let (Some(scheme), Some(authority)) = (base.scheme, base.authority) else {
        return Err(Error::Authority);
    };
    let (path, query) = match (reference.authority, reference.path) {
        (Some(_), path) => (without_dots(path), reference.query),
        (None, "") => (without_dots(base.path), reference.query.or(base.query)),
        (None, path) if path.starts_with('/') => (without_dots(path), reference.query),
        (None, path) => {
            let folder = base.path.rfind('/').map_or("/", |end| &base.path[..=end]);
            (without_dots(&format!("{folder}{path}")), reference.query)
        }
    };
    let scheme = reference.scheme.unwrap_or(scheme);
    let authority = reference.authority.unwrap_or(authority);
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    Ok(format!("{scheme}://{authority}{path}{query}"))
}

struct Parts<'t> {
    scheme: Option<&'t str>,
    authority: Option<&'t str>,
    path: &'t str,
    query: Option<&'t str>,
}

impl<'t> Parts<'t> {
    /// Takes apart what is well-formed and in lower case where that matters.
    fn of(text: &'t str) -> Result<Self, Error> {
        let text = text.split('#').next().unwrap_or_default();
        let (scheme, rest) = split_scheme(text).map_err(|Malformed| Error::NoScheme)?;
        let scheme = scheme.map(|scheme| &text[..scheme.len()]);
        let (rest, query) = split_query(rest);
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => {
                let (authority, path) = split_authority(rest);
                (Some(authority), path)
            }
            // A scheme of its own without a host leads nowhere.
            None if scheme.is_some() => return Err(Error::Authority),
            None => (None, rest),
        };
        Ok(Self {
            scheme,
            authority,
            path,
            query,
        })
    }
}

/// RFC 3986 §5.2.4, for a path that starts with a slash or is empty; the result starts with one.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let segments = path.strip_prefix('/').unwrap_or(path).split('/');
    let ends_in_folder = path.ends_with("/.") || path.ends_with("/..") || path.ends_with('/');
    for segment in segments {
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            segment => kept.push(segment),
        }
    }
    if ends_in_folder && kept.last().is_some_and(|last| !last.is_empty()) {
        kept.push("");
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::resolve;

    /// The examples of RFC 3986 §5.4, less those without a host and with fragments.
    #[test]
    fn the_examples_of_the_rfc_hold() {
        const BASE: &str = "http://a/b/c/d;p?q";
        for (reference, expected) in [
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g/"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("g#s", "http://a/b/c/g"),
            (";x", "http://a/b/c/;x"),
            ("", "http://a/b/c/d;p?q"),
            (".", "http://a/b/c/"),
            ("./", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../..", "http://a/"),
            ("../../g", "http://a/g"),
            ("../../../g", "http://a/g"),
            ("/./g", "http://a/g"),
            ("/../g", "http://a/g"),
            ("g.", "http://a/b/c/g."),
            ("..g", "http://a/b/c/..g"),
            ("./../g", "http://a/b/g"),
            ("./g/.", "http://a/b/c/g/"),
            ("g/../h", "http://a/b/c/h"),
            ("g;x=1/./y", "http://a/b/c/g;x=1/y"),
            ("https://h:1/x/../y?z", "https://h:1/y?z"),
        ] {
            assert_eq!(
                resolve(BASE, reference).as_deref(),
                Ok(expected),
                "{reference}"
            );
        }
    }

    #[test]
    fn a_base_without_a_path_has_a_root() {
        assert_eq!(resolve("http://a:1", "hc").as_deref(), Ok("http://a:1/hc"));
        assert_eq!(resolve("http://a:1", "").as_deref(), Ok("http://a:1/"));
    }

    #[test]
    fn what_leads_nowhere_is_an_error() {
        for (base, reference) in [("/a", "b"), ("http://a", "mailto:x"), ("http://a", "%zz")] {
            assert!(resolve(base, reference).is_err(), "{base} {reference}");
        }
    }
}
