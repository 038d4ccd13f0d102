use std::borrow::Cow;

use http::request;
use traefikrs_config::dynamic;
use traefikrs_gourl::Path;

use crate::rewrite::{read, with_slash, write};
use crate::{Answer, Context, Error, Transform};

/// Puts text in front of the path.
///
/// The text is decoded already: a `%2F` in it is three characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddPrefix {
    prefix: Vec<u8>,
}

impl AddPrefix {
    /// Checks that there is a prefix.
    ///
    /// # Errors
    /// When there is none.
    pub fn new(config: &dynamic::AddPrefix) -> Result<Self, Error> {
        if config.prefix.is_empty() {
            return Err(Error::NoPrefix);
        }
        Ok(Self {
            prefix: with_slash(config.prefix.as_bytes()).into_owned(),
        })
    }
}

impl Transform for AddPrefix {
    fn request(
        &self,
        request: &mut request::Parts,
        context: &mut Context,
    ) -> Result<(), Box<Answer>> {
        let path = read(request, context)?;
        let prefixed = |path: &[u8]| Cow::Owned([&self.prefix, path].concat());
        let path = Path {
            decoded: prefixed(&path.decoded),
            raw: path.raw.as_deref().map(prefixed),
        };
        write(request, context, &path)
    }
}
