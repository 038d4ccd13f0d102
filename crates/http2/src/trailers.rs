use http::HeaderMap;
use traefikrs_http1::may_trail;

/// The trailers without those that must not trail, if there are any others.
pub(crate) fn sifted(mut trailers: HeaderMap) -> Option<HeaderMap> {
    let late: Vec<_> = trailers
        .keys()
        .filter(|name| !may_trail(name))
        .cloned()
        .collect();
    for name in &late {
        trailers.remove(name);
    }
    (!trailers.is_empty()).then_some(trailers)
}
