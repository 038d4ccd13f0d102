use http::{HeaderName, HeaderValue, request};
use traefikrs_config::dynamic;

use crate::error::HeaderProblem;
use crate::rewrite::{check_clean, read, strip, write};
use crate::{Answer, Context, Error, Transform};

pub(crate) const X_FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

/// Takes the first of several prefixes that fits off the path, and tells the server in `X-Forwarded-Prefix`.
///
/// Prefixes are compared with the decoded path, byte by byte: `/api` fits `/apix`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StripPrefix {
    prefixes: Vec<HeaderValue>,
    force_slash: bool,
}

impl StripPrefix {
    /// Takes the prefixes in order of trial.
    ///
    /// # Errors
    /// When a prefix has a control character, so that the server could not be told of it.
    pub fn new(config: &dynamic::StripPrefix) -> Result<Self, Error> {
        let value = |prefix: &String| {
            HeaderValue::from_bytes(prefix.trim().as_bytes()).map_err(|_| Error::Header {
                name: "X-Forwarded-Prefix".to_owned(),
                problem: HeaderProblem::Value,
            })
        };
        let prefixes = config
            .prefixes
            .iter()
            .map(value)
            .collect::<Result<_, _>>()?;
        Ok(Self {
            prefixes,
            force_slash: config.force_slash.unwrap_or_default(),
        })
    }
}

impl Transform for StripPrefix {
    fn request(
        &self,
        request: &mut request::Parts,
        context: &mut Context,
    ) -> Result<(), Box<Answer>> {
        let path = read(request, context)?;
        let Some(prefix) = self
            .prefixes
            .iter()
            .find(|prefix| path.decoded.starts_with(prefix.as_bytes()))
        else {
            return Ok(());
        };
        let stripped = strip(&path, prefix.len(), self.force_slash);
        check_clean(&stripped)?;
        let stripped = stripped.into_owned();
        request.headers.append(X_FORWARDED_PREFIX, prefix.clone());
        write(request, context, &stripped)
    }
}
