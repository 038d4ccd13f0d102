use http::request;
use traefikrs_config::dynamic;
use traefikrs_goregexp::{Regex, Template};

use crate::redirect::{host, move_to, target};
use crate::{Answer, Context, Error, Transform};

/// Redirects to what a replacement makes of the requested URL.
///
/// The pattern sees `scheme://host:port/path?query`, where the scheme is that of the connection.
#[derive(Clone, Debug)]
pub struct RedirectRegex {
    regex: Regex,
    replacement: Template,
    permanent: bool,
}

impl RedirectRegex {
    /// Compiles the pattern.
    ///
    /// # Errors
    /// When Go would refuse it.
    pub fn new(config: &dynamic::RedirectRegex) -> Result<Self, Error> {
        Ok(Self {
            regex: Regex::new(&config.regex)?,
            replacement: Template::new(&config.replacement),
            permanent: config.permanent,
        })
    }
}

impl Transform for RedirectRegex {
    fn request(
        &self,
        request: &mut request::Parts,
        context: &mut Context,
    ) -> Result<(), Box<Answer>> {
        let scheme = if context.is_tls { "https" } else { "http" };
        let old = [scheme, "://", host(request), target(request)].concat();
        if !self.regex.is_match(old.as_bytes()) {
            return Ok(());
        }
        let new = self.regex.replace_all(old.as_bytes(), &self.replacement);
        move_to(&new, old.as_bytes(), request, self.permanent)
    }
}
