use http::{HeaderName, request};
use traefikrs_config::dynamic;
use traefikrs_gourl::{InvalidEscape, Path};

use crate::rewrite::{add_header, bad_escape, path, write};
use crate::{Answer, Context, Transform};

pub(crate) const X_REPLACED_PATH: HeaderName = HeaderName::from_static("x-replaced-path");

/// Sets the path, and tells the server the former one in `X-Replaced-Path`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplacePath {
    path: Result<Path<'static>, InvalidEscape>,
}

impl ReplacePath {
    /// Takes the new path, escaped.
    ///
    // Traefik: a path that cannot be decoded is noticed by each request, which is answered with 500.
    pub fn new(config: &dynamic::ReplacePath) -> Self {
        Self {
            path: Path::from_escaped(config.path.as_bytes()).map(Path::into_owned),
        }
    }
}

impl Transform for ReplacePath {
    fn request(
        &self,
        request: &mut request::Parts,
        context: &mut Context,
    ) -> Result<(), Box<Answer>> {
        let new = self.path.as_ref().map_err(|error| bad_escape(*error))?;
        let old = path(request, context).to_owned();
        add_header(request, &X_REPLACED_PATH, old.as_bytes())?;
        write(request, context, new)
    }
}
