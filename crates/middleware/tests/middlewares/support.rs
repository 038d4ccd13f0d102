use http::{HeaderMap, Request, Response, request, response};
use traefikrs_config::dynamic;
use traefikrs_middleware::{Answer, Context, Definition, Error, Middleware, Stack, Transform};

/// Builds a middleware from Traefik's JSON, which may be written with single quotes.
pub(crate) fn define(config: &str) -> Result<Definition, Error> {
    let config: dynamic::Middleware =
        serde_json::from_str(&config.replace('\'', "\"")).expect("a middleware");
    Definition::new("name", &config)
}

pub(crate) fn middleware(config: &str) -> Middleware {
    match define(config).expect(config) {
        Definition::Middleware(middleware) => middleware,
        Definition::Chain(chain) => unreachable!("{chain:?} is no middleware"),
    }
}

pub(crate) fn stack(configs: &[&str]) -> Stack {
    configs.iter().map(|config| middleware(config)).collect()
}

pub(crate) fn get(target: &str) -> request::Parts {
    parts(Request::get(target))
}

pub(crate) fn parts(request: request::Builder) -> request::Parts {
    request.body(()).expect("a request").into_parts().0
}

pub(crate) fn response(status: u16, headers: &[(&'static str, &str)]) -> response::Parts {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(()).expect("a response").into_parts().0
}

pub(crate) fn values<'h>(headers: &'h HeaderMap, name: &str) -> Vec<&'h str> {
    headers
        .get_all(name)
        .iter()
        .map(|value| value.to_str().expect("ASCII"))
        .collect()
}

/// The target of a request that passes, or the answer.
pub(crate) fn pass(
    transform: &impl Transform,
    request: &mut request::Parts,
) -> Result<String, Box<Answer>> {
    transform.request(request, &mut Context::default())?;
    Ok(request.uri.to_string())
}
