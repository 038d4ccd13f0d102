use http::request;
use traefikrs_config::dynamic;
use traefikrs_goregexp::{Regex, Template};
use traefikrs_gourl::Path;

use crate::replace_path::X_REPLACED_PATH;
use crate::rewrite::{add_header, bad_escape, check_clean, path, write};
use crate::{Answer, Context, Error, Transform};

/// Replaces what a pattern finds in the escaped path, and tells the server the former path in `X-Replaced-Path`.
#[derive(Clone, Debug)]
pub struct ReplacePathRegex {
    regex: Regex,
    replacement: Template,
}

impl ReplacePathRegex {
    /// Compiles the pattern.
    ///
    /// # Errors
    /// When Go would refuse it.
    pub fn new(config: &dynamic::ReplacePathRegex) -> Result<Self, Error> {
        let regex = Regex::new(config.regex.trim()).map_err(Error::PathRegex)?;
        Ok(Self {
            regex,
            replacement: Template::new(config.replacement.trim()),
        })
    }
}

impl Transform for ReplacePathRegex {
    fn request(
        &self,
        request: &mut request::Parts,
        context: &mut Context,
    ) -> Result<(), Box<Answer>> {
        let old = path(request, context);
        if !self.regex.is_match(old.as_bytes()) {
            return Ok(());
        }
        let new = self.regex.replace_all(old.as_bytes(), &self.replacement);
        let new = Path::from_escaped(&new).map_err(bad_escape)?.into_owned();
        check_clean(&new)?;
        let old = old.to_owned();
        add_header(request, &X_REPLACED_PATH, old.as_bytes())?;
        write(request, context, &new)
    }
}
