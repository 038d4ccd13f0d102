use http::header::{CONTENT_LENGTH, HOST, TRAILER, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, request, response};
use traefikrs_config::dynamic;

use crate::error::HeaderProblem;
use crate::{Answer, Context, Error, Transform};

/// Sets and removes headers of requests and responses.
///
/// Length, transfer encoding and trailers belong to the connection and are left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headers {
    request: Box<[Change]>,
    response: Box<[Change]>,
    host: Option<HeaderValue>,
    suppress_x_forwarded_for: bool,
}

/// A header to set, or to remove when there is no value.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Change {
    name: HeaderName,
    value: Option<HeaderValue>,
}

impl Headers {
    /// Takes the headers to set and remove.
    ///
    /// Options for CORS and security are accepted but not served; see [`unserved`](Self::unserved).
    ///
    /// # Errors
    /// When no option has an effect, or a request header is malformed.
    pub fn new(config: &dynamic::Headers) -> Result<Self, Error> {
        let has_custom =
            !config.custom_request_headers.is_empty() || !config.custom_response_headers.is_empty();
        if !has_custom
            && Self::unserved(config).next().is_none()
            && !is_valid_without_effect(config)
        {
            return Err(Error::NoHeaders);
        }
        let mut headers = Self {
            request: Box::new([]),
            response: response_changes(config),
            host: None,
            suppress_x_forwarded_for: false,
        };
        let mut request = Vec::new();
        for (name, value) in &config.custom_request_headers {
            // Traefik: only this spelling keeps the proxy from sending the header at all.
            headers.suppress_x_forwarded_for |= name == "X-Forwarded-For" && value.is_empty();
            let change = request_change(name, value)?;
            if change.name == HOST {
                headers.host = change.value.or(headers.host);
            } else if !is_framing(&change.name) {
                request.push(change);
            }
        }
        headers.request = request.into();
        Ok(headers)
    }

    /// The names of the options that have an effect in Traefik and none here yet.
    pub fn unserved(config: &dynamic::Headers) -> impl Iterator<Item = &'static str> {
        [
            (
                "accessControlAllowCredentials",
                config.access_control_allow_credentials,
            ),
            (
                "accessControlAllowHeaders",
                !config.access_control_allow_headers.is_empty(),
            ),
            (
                "accessControlAllowMethods",
                !config.access_control_allow_methods.is_empty(),
            ),
            (
                "accessControlAllowOriginList",
                !config.access_control_allow_origin_list.is_empty(),
            ),
            (
                "accessControlAllowOriginListRegex",
                !config.access_control_allow_origin_list_regex.is_empty(),
            ),
            (
                "accessControlExposeHeaders",
                !config.access_control_expose_headers.is_empty(),
            ),
            (
                "accessControlMaxAge",
                config.access_control_max_age.is_some(),
            ),
            ("addVaryHeader", config.add_vary_header),
            ("allowedHosts", !config.allowed_hosts.is_empty()),
            ("hostsProxyHeaders", !config.hosts_proxy_headers.is_empty()),
            ("sslProxyHeaders", !config.ssl_proxy_headers.is_empty()),
            (
                "stsSeconds",
                config.sts_seconds.is_some_and(|seconds| seconds != 0),
            ),
            ("stsIncludeSubdomains", config.sts_include_subdomains),
            ("stsPreload", config.sts_preload),
            ("forceSTSHeader", config.force_sts_header),
            ("frameDeny", config.frame_deny),
            (
                "customFrameOptionsValue",
                !config.custom_frame_options_value.is_empty(),
            ),
            ("contentTypeNosniff", config.content_type_nosniff),
            ("browserXssFilter", config.browser_xss_filter),
            (
                "customBrowserXSSValue",
                !config.custom_browser_xss_value.is_empty(),
            ),
            (
                "contentSecurityPolicy",
                !config.content_security_policy.is_empty(),
            ),
            (
                "contentSecurityPolicyReportOnly",
                !config.content_security_policy_report_only.is_empty(),
            ),
            ("publicKey", !config.public_key.is_empty()),
            ("referrerPolicy", !config.referrer_policy.is_empty()),
            ("permissionsPolicy", !config.permissions_policy.is_empty()),
            ("isDevelopment", config.is_development),
        ]
        .into_iter()
        .filter_map(|(name, is_set)| is_set.then_some(name))
    }
}

impl Transform for Headers {
    fn request(
        &self,
        request: &mut request::Parts,
        context: &mut Context,
    ) -> Result<(), Box<Answer>> {
        apply(&self.request, &mut request.headers);
        if let Some(host) = &self.host {
            request.headers.insert(HOST, host.clone());
        }
        context.suppress_x_forwarded_for |= self.suppress_x_forwarded_for;
        Ok(())
    }

    fn response(&self, response: &mut response::Parts, _: &Context) {
        apply(&self.response, &mut response.headers);
    }
}

fn apply(changes: &[Change], headers: &mut HeaderMap) {
    for Change { name, value } in changes {
        match value {
            Some(value) => headers.insert(name, value.clone()),
            None => headers.remove(name),
        };
    }
}

fn request_change(name: &str, value: &str) -> Result<Change, Error> {
    let error = |problem| Error::Header {
        name: name.to_owned(),
        problem,
    };
    Ok(Change {
        name: name.parse().map_err(|_| error(HeaderProblem::Name))?,
        value: match value {
            "" => None,
            value => Some(
                HeaderValue::from_bytes(value.as_bytes())
                    .map_err(|_| error(HeaderProblem::Value))?,
            ),
        },
    })
}

/// Go's server writes what it can: names that are none are left out, and a line break in a value becomes a space.
fn response_changes(config: &dynamic::Headers) -> Box<[Change]> {
    let change = |(name, value): (&String, &String)| {
        let name: HeaderName = name.parse().ok().filter(|name| !is_framing(name))?;
        let value = match value.as_str() {
            "" => None,
            value => Some(HeaderValue::try_from(value.replace(['\r', '\n'], " ").trim()).ok()?),
        };
        Some(Change { name, value })
    };
    config
        .custom_response_headers
        .iter()
        .filter_map(change)
        .collect()
}

/// What is no header in Go, but a property of the message.
fn is_framing(name: &HeaderName) -> bool {
    [CONTENT_LENGTH, TRANSFER_ENCODING, TRAILER].contains(name)
}

/// Traefik accepts these alone, although they do nothing.
fn is_valid_without_effect(config: &dynamic::Headers) -> bool {
    let deprecated = [
        config.ssl_redirect,
        config.ssl_temporary_redirect,
        config.ssl_force_host,
    ];
    let is_named = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    deprecated.contains(&Some(true))
        || config.sts_seconds.is_some()
        || is_named(&config.ssl_host)
        || is_named(&config.feature_policy)
}
