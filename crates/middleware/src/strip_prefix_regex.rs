use http::request;
use traefikrs_config::dynamic;
use traefikrs_goregexp::Regex;

use crate::rewrite::{add_header, check_clean, read, strip, write};
use crate::strip_prefix::X_FORWARDED_PREFIX;
use crate::{Answer, Context, Error, Transform};

/// Takes what the first of several patterns finds at the start of the decoded path off, and tells the server in
/// `X-Forwarded-Prefix`.
#[derive(Clone, Debug)]
pub struct StripPrefixRegex {
    patterns: Vec<Regex>,
}

impl StripPrefixRegex {
    /// Compiles the patterns in order of trial.
    ///
    /// # Errors
    /// When Go would refuse one of them.
    pub fn new(config: &dynamic::StripPrefixRegex) -> Result<Self, Error> {
        let patterns = config
            .regex
            .iter()
            .map(|pattern| Regex::new(pattern.trim()))
            .collect::<Result<_, _>>()?;
        Ok(Self { patterns })
    }
}

impl Transform for StripPrefixRegex {
    fn request(
        &self,
        request: &mut request::Parts,
        context: &mut Context,
    ) -> Result<(), Box<Answer>> {
        let path = read(request, context)?;
        // Traefik: the first match counts, wherever it is; it must read like the start of the path.
        let prefix = self.patterns.iter().find_map(|pattern| {
            let found = &path.decoded[pattern.find(&path.decoded)?];
            (!found.is_empty() && path.decoded.starts_with(found)).then(|| found.to_vec())
        });
        let Some(prefix) = prefix else {
            return Ok(());
        };
        let stripped = strip(&path, prefix.len(), false);
        check_clean(&stripped)?;
        let stripped = stripped.into_owned();
        add_header(request, &X_FORWARDED_PREFIX, &prefix)?;
        write(request, context, &stripped)
    }
}
