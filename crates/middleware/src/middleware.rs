use http::{request, response};
use traefikrs_config::dynamic;

use crate::kind::Kind;
use crate::{
    AddPrefix, Answer, Chain, Context, Error, Headers, RedirectRegex, RedirectScheme, ReplacePath,
    ReplacePathRegex, StripPrefix, StripPrefixRegex, Transform,
};

/// What stands under one name in a configuration.
#[derive(Clone, Debug)]
pub enum Definition {
    /// A middleware.
    Middleware(Middleware),
    /// The names of others, for who can resolve them.
    Chain(Chain),
}

/// Any of the middlewares that are served.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each variant is named for its type")]
#[non_exhaustive]
pub enum Middleware {
    AddPrefix(AddPrefix),
    StripPrefix(StripPrefix),
    StripPrefixRegex(StripPrefixRegex),
    ReplacePath(ReplacePath),
    ReplacePathRegex(ReplacePathRegex),
    Headers(Headers),
    RedirectScheme(RedirectScheme),
    RedirectRegex(RedirectRegex),
}

impl Definition {
    /// Builds what a user wrote under `name`.
    ///
    /// # Errors
    /// When it has no kind, several kinds, a kind that is not served yet, or options that do not fit.
    pub fn new(name: &str, config: &dynamic::Middleware) -> Result<Self, Error> {
        let mut kinds = Kind::of(config);
        let kind = kinds.next().ok_or_else(|| Error::NoType(name.to_owned()))?;
        if kinds.next().is_some() {
            return Err(Error::MultipleTypes);
        }
        if let Some(chain) = &config.chain {
            return Ok(Self::Chain(Chain::new(chain)));
        }
        Middleware::of(kind, config).map(Self::Middleware)
    }
}

impl Middleware {
    fn of(kind: Kind, config: &dynamic::Middleware) -> Result<Self, Error> {
        if let Some(config) = &config.add_prefix {
            return AddPrefix::new(config).map(Self::AddPrefix);
        }
        if let Some(config) = &config.strip_prefix {
            return StripPrefix::new(config).map(Self::StripPrefix);
        }
        if let Some(config) = &config.strip_prefix_regex {
            return StripPrefixRegex::new(config).map(Self::StripPrefixRegex);
        }
        if let Some(config) = &config.replace_path {
            return Ok(Self::ReplacePath(ReplacePath::new(config)));
        }
        if let Some(config) = &config.replace_path_regex {
            return ReplacePathRegex::new(config).map(Self::ReplacePathRegex);
        }
        if let Some(config) = &config.headers {
            return Headers::new(config).map(Self::Headers);
        }
        if let Some(config) = &config.redirect_scheme {
            return RedirectScheme::new(config).map(Self::RedirectScheme);
        }
        if let Some(config) = &config.redirect_regex {
            return RedirectRegex::new(config).map(Self::RedirectRegex);
        }
        Err(Error::NotServed(kind))
    }
}

impl Transform for Middleware {
    #[inline]
    fn request(
        &self,
        request: &mut request::Parts,
        context: &mut Context,
    ) -> Result<(), Box<Answer>> {
        match self {
            Self::AddPrefix(middleware) => middleware.request(request, context),
            Self::StripPrefix(middleware) => middleware.request(request, context),
            Self::StripPrefixRegex(middleware) => middleware.request(request, context),
            Self::ReplacePath(middleware) => middleware.request(request, context),
            Self::ReplacePathRegex(middleware) => middleware.request(request, context),
            Self::Headers(middleware) => middleware.request(request, context),
            Self::RedirectScheme(middleware) => middleware.request(request, context),
            Self::RedirectRegex(middleware) => middleware.request(request, context),
        }
    }

    #[inline]
    fn response(&self, response: &mut response::Parts, context: &Context) {
        // The others only change requests.
        if let Self::Headers(middleware) = self {
            middleware.response(response, context);
        }
    }
}
