use traefikrs_gourl::{Path, canonical_path, normalized_path, routing_path, sanitize};

/// A canonical path is canonical: taking it for a raw one changes nothing, and it does not climb.
pub(crate) fn run(data: &[u8]) {
    let raw = String::from_utf8_lossy(data);
    let Ok(canonical) = canonical_path(&raw) else {
        assert!(normalized_path(&raw).is_err(), "both refuse the same paths");
        return;
    };
    let routing = routing_path(&canonical);
    assert!(routing.len() <= canonical.len());
    // Other paths than rooted ones never get past the request line.
    if raw.starts_with('/') {
        assert_eq!(
            canonical_path(&canonical).as_deref(),
            Ok(&*canonical),
            "of {raw:?}"
        );
        assert_eq!(sanitize(&canonical), canonical);
        assert!(canonical.starts_with('/') && !canonical.contains("//"));
        assert!(
            canonical
                .split('/')
                .all(|segment| segment != "." && segment != ".."),
            "{canonical:?} climbs"
        );
        let path = Path::from_escaped(canonical.as_bytes())
            .expect("a canonical path has no broken escape");
        assert_eq!(path.escaped(), canonical, "of {raw:?}");
    }
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    [
        "/",
        "*",
        "",
        "/a/../b/%41%42//%2f/",
        "/a%2Fb{c",
        "/(x){",
        "/%C3%A9/é/\u{7f}",
        "/a/..%2Fb/./..",
        "a/../..",
        "/%252E%252E/%00%7B",
        "/a;b=c%3B",
    ]
    .map(|seed| seed.as_bytes().to_vec())
    .into()
}
