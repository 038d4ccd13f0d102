//! Middlewares, with what they need of Secrets and Services.

use traefikrs_config::diagnostic::Consequence;
use traefikrs_config::duration::GoDuration;
use traefikrs_config::dynamic;
use traefikrs_crd as crd;

use crate::problem::{Path, Problem};
use crate::reason;
use crate::service::{Draft, Key, Place, duration_or};
use crate::view::View;

mod copy;
mod plugin;

/// A Middleware on its way into a middleware.
pub(crate) struct Building<'a> {
    pub(crate) view: &'a View<'a>,
    pub(crate) namespace: &'a str,
    pub(crate) key: &'a str,
    pub(crate) spec: &'a crd::MiddlewareSpec,
}

impl Building<'_> {
    /// The middleware; the page service of an errors middleware is added to the draft.
    pub(crate) fn middleware(&self, draft: &mut Draft) -> Result<dynamic::Middleware, Problem> {
        let spec = self.spec;
        if *spec == crd::MiddlewareSpec::default() {
            let message =
                "no kind of middleware is given, so routers that use it are disabled; write one";
            let problem = Problem::error(reason::MIDDLEWARE_EMPTY, Path::SPEC, message);
            draft
                .warnings
                .push(problem.leads_to(Consequence::MiddlewareDisabled));
        }
        let mut middleware = copy::plain_kinds(spec);
        middleware.basic_auth = spec
            .basic_auth
            .as_ref()
            .map(|auth| self.basic_auth(auth))
            .transpose()?;
        middleware.digest_auth = spec
            .digest_auth
            .as_ref()
            .map(|auth| self.digest_auth(auth))
            .transpose()?;
        middleware.forward_auth = spec
            .forward_auth
            .as_ref()
            .map(|auth| self.forward_auth(auth))
            .transpose()?;
        middleware.errors = match &spec.errors {
            Some(errors) => Some(self.errors(errors, draft)?),
            None => None,
        };
        middleware.plugin = self.plugin()?;
        middleware.rate_limit = spec
            .rate_limit
            .as_ref()
            .map(|limit| self.rate_limit(limit))
            .transpose()?;
        middleware.retry = spec.retry.as_ref().map(retry).transpose()?;
        middleware.circuit_breaker = spec
            .circuit_breaker
            .as_ref()
            .map(circuit_breaker)
            .transpose()?;
        middleware.chain = match &spec.chain {
            Some(chain) => Some(self.chain(chain, draft)?),
            None => None,
        };
        Ok(middleware)
    }

    fn basic_auth(&self, auth: &crd::BasicAuth) -> Result<dynamic::BasicAuth, Problem> {
        let path = Path::SPEC.field("basicAuth");
        let path = path.field("secret");
        required(&auth.secret, path)?;
        Ok(dynamic::BasicAuth {
            users: self.view.basic_users(self.namespace, &auth.secret, path)?,
            users_file: String::new(),
            realm: auth.realm.clone(),
            remove_header: auth.remove_header,
            header_field: auth.header_field.clone(),
        })
    }

    fn digest_auth(&self, auth: &crd::DigestAuth) -> Result<dynamic::DigestAuth, Problem> {
        let path = Path::SPEC.field("digestAuth");
        let path = path.field("secret");
        required(&auth.secret, path)?;
        Ok(dynamic::DigestAuth {
            users: self.view.digest_users(self.namespace, &auth.secret, path)?,
            users_file: String::new(),
            remove_header: auth.remove_header,
            realm: auth.realm.clone(),
            header_field: auth.header_field.clone(),
        })
    }

    fn forward_auth(&self, auth: &crd::ForwardAuth) -> Result<dynamic::ForwardAuth, Problem> {
        let path = Path::SPEC.field("forwardAuth");
        required(&auth.address, path.field("address"))?;
        let tls = match &auth.tls {
            None => None,
            Some(tls) => {
                let path = path.field("tls");
                let given = ClientTls {
                    ca_secret: &tls.ca_secret,
                    cert_secret: &tls.cert_secret,
                    insecure_skip_verify: tls.insecure_skip_verify,
                };
                Some(dynamic::ClientTls {
                    ca_optional: tls.ca_optional.unwrap_or_default(),
                    ..self.client_tls(&given, path)?
                })
            }
        };
        Ok(dynamic::ForwardAuth {
            address: auth.address.clone(),
            tls,
            trust_forward_header: auth.trust_forward_header,
            auth_response_headers: auth.auth_response_headers.clone(),
            auth_response_headers_regex: auth.auth_response_headers_regex.clone(),
            auth_request_headers: auth.auth_request_headers.clone(),
            add_auth_cookies_to_response: auth.add_auth_cookies_to_response.clone(),
            header_field: auth.header_field.clone(),
            forward_body: auth.forward_body,
            max_body_size: Some(auth.max_body_size.unwrap_or(-1)),
            preserve_location_header: auth.preserve_location_header,
            preserve_request_method: auth.preserve_request_method,
            auth_signin_url: auth.auth_signin_url.clone(),
            max_response_body_size: auth.max_response_body_size,
        })
    }

    fn client_tls(
        &self,
        tls: &ClientTls<'_>,
        path: Path<'_>,
    ) -> Result<dynamic::ClientTls, Problem> {
        let mut client = dynamic::ClientTls {
            insecure_skip_verify: tls.insecure_skip_verify,
            ..dynamic::ClientTls::default()
        };
        if !tls.ca_secret.is_empty() {
            client.ca =
                self.view
                    .authority(self.namespace, tls.ca_secret, path.field("caSecret"))?;
        }
        if !tls.cert_secret.is_empty() {
            let pair =
                self.view
                    .key_pair(self.namespace, tls.cert_secret, path.field("certSecret"))?;
            client.cert = pair.cert_file;
            client.key = pair.key_file;
        }
        Ok(client)
    }

    fn errors(
        &self,
        errors: &crd::ErrorPage,
        draft: &mut Draft,
    ) -> Result<dynamic::Errors, Problem> {
        let path = Path::SPEC.field("errors");
        let key = format!("{}-errorpage-service", self.key);
        let place = Place {
            parent: self.namespace,
            key: Key::Own(&key),
            native_lb_by_default: false,
            dangling: Consequence::MiddlewareDisabled,
        };
        Ok(dynamic::Errors {
            status: errors.status.clone(),
            status_rewrites: errors.status_rewrites.clone(),
            service: self.view.referred_service(
                place,
                &errors.service,
                path.field("service"),
                draft,
            )?,
            query: errors.query.clone(),
            error_request_headers: errors.error_request_headers.clone(),
        })
    }

    fn rate_limit(&self, limit: &crd::RateLimit) -> Result<dynamic::RateLimit, Problem> {
        let path = Path::SPEC.field("rateLimit");
        let period = path.field("period");
        Ok(dynamic::RateLimit {
            average: limit.average.unwrap_or(0),
            period: duration_or(limit.period.as_ref(), GoDuration::from_secs(1), period)?,
            burst: limit.burst.unwrap_or(1),
            source_criterion: limit.source_criterion.as_ref().map(copy::source_criterion),
            redis: match &limit.redis {
                Some(redis) => Some(self.redis(redis, path.field("redis"))?),
                None => None,
            },
        })
    }

    fn redis(&self, redis: &crd::Redis, path: Path<'_>) -> Result<dynamic::Redis, Problem> {
        let timeout = |value: &Option<crd::IntOrString>, field, seconds| {
            let default = GoDuration::from_secs(seconds);
            duration_or(value.as_ref(), default, path.field(field)).map(Some)
        };
        let mut shared = dynamic::Redis {
            endpoints: redis.endpoints.clone(),
            tls: None,
            username: String::new(),
            password: String::new().into(),
            db: redis.db,
            pool_size: redis.pool_size,
            min_idle_conns: redis.min_idle_conns,
            max_active_conns: redis.max_active_conns,
            read_timeout: timeout(&redis.read_timeout, "readTimeout", 3)?,
            write_timeout: timeout(&redis.write_timeout, "writeTimeout", 3)?,
            dial_timeout: timeout(&redis.dial_timeout, "dialTimeout", 5)?,
        };
        if shared.endpoints.is_empty() {
            shared.endpoints.push("localhost:6379".to_owned());
        }
        if let Some(tls) = &redis.tls {
            let given = ClientTls {
                ca_secret: &tls.ca_secret,
                cert_secret: &tls.cert_secret,
                insecure_skip_verify: tls.insecure_skip_verify,
            };
            shared.tls = Some(self.client_tls(&given, path.field("tls"))?);
        }
        if !redis.secret.is_empty() {
            let (username, password) =
                self.view
                    .credentials(self.namespace, &redis.secret, path.field("secret"))?;
            shared.username = username;
            shared.password = String::from_utf8_lossy(&password).into_owned().into();
        }
        Ok(shared)
    }

    fn chain(&self, chain: &crd::Chain, draft: &mut Draft) -> Result<dynamic::Chain, Problem> {
        let path = Path::SPEC.field("chain");
        let middlewares = self.view.middlewares(
            self.namespace,
            &chain.middlewares,
            path.field("middlewares"),
            Consequence::MiddlewareDisabled,
            &mut draft.warnings,
        )?;
        Ok(dynamic::Chain { middlewares })
    }
}

/// The part of a client's TLS that all users of it share.
struct ClientTls<'a> {
    ca_secret: &'a str,
    cert_secret: &'a str,
    insecure_skip_verify: bool,
}

fn required(value: &str, path: Path<'_>) -> Result<(), Problem> {
    if value.is_empty() {
        return Err(Problem::error(
            reason::FIELD_REQUIRED,
            path,
            "the field is required; set it",
        ));
    }
    Ok(())
}

fn retry(retry: &crd::Retry) -> Result<dynamic::Retry, Problem> {
    let path = Path::SPEC.field("retry");
    let zero = GoDuration::default();
    Ok(dynamic::Retry {
        attempts: retry.attempts,
        initial_interval: duration_or(
            retry.initial_interval.as_ref(),
            zero,
            path.field("initialInterval"),
        )?,
        timeout: duration_or(retry.timeout.as_ref(), zero, path.field("timeout"))?,
        max_request_body_bytes: Some(retry.max_request_body_bytes.unwrap_or(2 * 1024 * 1024)),
        status: retry.status.clone(),
        disable_retry_on_network_error: retry.disable_retry_on_network_error,
        retry_non_idempotent_method: retry.retry_non_idempotent_method,
    })
}

fn circuit_breaker(breaker: &crd::CircuitBreaker) -> Result<dynamic::CircuitBreaker, Problem> {
    let path = Path::SPEC.field("circuitBreaker");
    let or = |value: &Option<crd::IntOrString>, field, default| {
        duration_or(value.as_ref(), default, path.field(field))
    };
    let ten_seconds = GoDuration::from_secs(10);
    Ok(dynamic::CircuitBreaker {
        expression: breaker.expression.clone(),
        check_period: or(
            &breaker.check_period,
            "checkPeriod",
            GoDuration::from_millis(100),
        )?,
        fallback_duration: or(&breaker.fallback_duration, "fallbackDuration", ten_seconds)?,
        recovery_duration: or(&breaker.recovery_duration, "recoveryDuration", ten_seconds)?,
        response_code: match breaker.response_code {
            0 => 503,
            code => code,
        },
    })
}
