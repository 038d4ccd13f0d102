//! What several tests ask of a generation.

use traefikrs_compile::compiled::Target;
use traefikrs_compile::{Generation, Options};
use traefikrs_router::RequestView;

/// One entry point, `web`.
pub(crate) fn web() -> Options {
    Options {
        entry_points: [("web".to_owned(), Default::default())].into(),
        ..Options::default()
    }
}

/// What takes the requests for host x.
pub(crate) fn target(generation: &Generation) -> &Target {
    let headers = http::HeaderMap::new();
    let request = RequestView {
        method: "GET",
        host: "x",
        raw_host: "x",
        flattened_host: None,
        path: b"/",
        query: None,
        headers: &headers,
        peer: None,
    };
    let routes = &generation.compiled.entry_points["web"].http;
    &routes.find(&request).unwrap().target
}
