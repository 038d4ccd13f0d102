//! What does the process itself add to the configuration?
//!
//! The provider `internal`: the API, ping, and the redirections of entry points.
//! (Traefik: `pkg/provider/traefik/internal.go`.)

use crate::dynamic::{
    Configuration, Http, Middleware, RedirectScheme, Router, ServersTransport, Service,
};
use crate::static_config::{INTERNAL_ENTRY_POINT, RedirectToEntryPoint, StaticConfiguration};

/// The name of the provider.
pub const INTERNAL: &str = "internal";

/// The routers, services and the default transport that come with the process.
///
/// The services `api@internal`, `ping@internal` and `noop@internal` have no kind: the data plane
/// knows them by name. There is no dashboard yet, so nothing routes to one.
///
/// ```
/// use traefikrs_config::internal::internal_configuration;
/// use traefikrs_config::static_config::{StaticConfiguration, Surroundings};
///
/// let loaded = StaticConfiguration::load(&Surroundings {
///     args: &["--ping".to_owned()],
///     env: &[],
///     read: &|_| Err(std::io::ErrorKind::NotFound.into()),
/// })?;
/// let http = internal_configuration(&loaded.configuration).http.unwrap();
/// assert_eq!(&*http.routers["ping"].rule, "PathPrefix(`/ping`)");
/// # Ok::<(), traefikrs_config::static_config::Refused>(())
/// ```
pub fn internal_configuration(configuration: &StaticConfiguration) -> Configuration {
    let mut http = Http::default();
    http.services.insert("noop".to_owned(), Service::default());
    if let Some(api) = &configuration.api {
        http.services.insert("api".to_owned(), Service::default());
        if api.insecure {
            let router = router(
                INTERNAL_ENTRY_POINT,
                "api@internal",
                "PathPrefix(`/api`)",
                i64::MAX - 1,
            );
            http.routers.insert("api".to_owned(), router);
        }
    }
    if let Some(ping) = &configuration.ping {
        http.services.insert("ping".to_owned(), Service::default());
        if !ping.manual_routing {
            let router = router(
                &ping.entry_point,
                "ping@internal",
                "PathPrefix(`/ping`)",
                i64::MAX,
            );
            http.routers.insert("ping".to_owned(), router);
        }
    }
    for (name, entry_point) in &configuration.entry_points {
        if let Some(redirection) = &entry_point.http.redirections.entry_point {
            add_redirection(&mut http, configuration, name, redirection);
        }
    }
    let transport = ServersTransport::from(&configuration.servers_transport);
    http.servers_transports
        .insert("default".to_owned(), transport);
    Configuration {
        http: Some(http),
        ..Configuration::default()
    }
}

fn router(entry_point: &str, service: &str, rule: &str, priority: i64) -> Router {
    Router {
        entry_points: [entry_point.to_owned()].into(),
        service: service.into(),
        rule: rule.into(),
        // Traefik: so that the default syntax of user rules does not apply.
        rule_syntax: "default".into(),
        priority,
        ..Router::default()
    }
}

/// Adds the router and the middleware of a redirection; one that leads nowhere was reported when
/// the static configuration was read.
fn add_redirection(
    http: &mut Http,
    configuration: &StaticConfiguration,
    from: &str,
    redirection: &RedirectToEntryPoint,
) {
    let (to, port) = match redirection.to.strip_prefix(':') {
        Some(port) => match port.parse::<u16>() {
            Ok(_) => (port, port.to_owned()),
            Err(_) => return,
        },
        None => match configuration.entry_points.get(&redirection.to) {
            Some(entry_point) => (&*redirection.to, entry_point.address.port.to_string()),
            None => return,
        },
    };
    let middleware = format!("redirect-{from}-to-{to}");
    let mut router = router(
        from,
        "noop@internal",
        "HostRegexp(`^.+$`)",
        redirection.priority,
    );
    router.middlewares = [middleware.clone()].into();
    http.routers.insert(format!("{from}-to-{to}"), router);
    http.middlewares.insert(
        middleware,
        Middleware {
            redirect_scheme: Some(RedirectScheme {
                scheme: redirection.scheme.clone(),
                port,
                permanent: redirection.permanent,
            }),
            ..Middleware::default()
        },
    );
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::internal_configuration;
    use crate::static_config::{StaticConfiguration, Surroundings};

    /// What Traefik 3.7.15 logs for these options, less TCP and the dashboard.
    fn check(flags: &[&str], expected: &serde_json::Value) {
        let mut args = vec![
            "--entrypoints.web.address=127.0.0.1:38080".to_owned(),
            "--entrypoints.websecure.address=127.0.0.1:38443".to_owned(),
        ];
        args.extend(flags.iter().map(|&flag| flag.to_owned()));
        let loaded = StaticConfiguration::load(&Surroundings {
            args: &args,
            env: &[],
            read: &|_| Err(std::io::ErrorKind::NotFound.into()),
        });
        let internal = internal_configuration(&loaded.unwrap().configuration);
        let expected = json!({"http": expected});
        assert_eq!(
            serde_json::to_value(internal).unwrap(),
            expected,
            "{flags:?}"
        );
    }

    #[test]
    fn the_api_and_ping_are_routed_as_in_traefik() {
        check(
            &["--api.insecure", "--ping"],
            &json!({
                "routers": {
                    "api": {"entryPoints": ["traefik"], "service": "api@internal", "rule": "PathPrefix(`/api`)", "ruleSyntax": "default", "priority": 9_223_372_036_854_775_806_i64},
                    "ping": {"entryPoints": ["traefik"], "service": "ping@internal", "rule": "PathPrefix(`/ping`)", "ruleSyntax": "default", "priority": 9_223_372_036_854_775_807_i64},
                },
                "services": {"api": {}, "noop": {}, "ping": {}},
                "serversTransports": {"default": {"maxIdleConnsPerHost": 200}},
            }),
        );
        check(
            &["--api", "--ping.manualrouting"],
            &json!({
                "services": {"api": {}, "noop": {}, "ping": {}},
                "serversTransports": {"default": {"maxIdleConnsPerHost": 200}},
            }),
        );
        check(
            &[
                "--ping.entrypoint=web",
                "--serverstransport.insecureskipverify",
                "--serverstransport.forwardingtimeouts.dialtimeout=5",
            ],
            &json!({
                "routers": {"ping": {"entryPoints": ["web"], "service": "ping@internal", "rule": "PathPrefix(`/ping`)", "ruleSyntax": "default", "priority": 9_223_372_036_854_775_807_i64}},
                "services": {"noop": {}, "ping": {}},
                "serversTransports": {"default": {"insecureSkipVerify": true, "maxIdleConnsPerHost": 200, "forwardingTimeouts": {"dialTimeout": "5s", "idleConnTimeout": "1m30s"}}},
            }),
        );
    }

    #[test]
    fn entry_points_redirect_as_in_traefik() {
        let redirection = |to: &str, priority: i64, scheme: &serde_json::Value| {
            let mut router = json!({"entryPoints": ["web"], "middlewares": [format!("redirect-web-to-{to}")], "service": "noop@internal", "rule": "HostRegexp(`^.+$`)", "ruleSyntax": "default"});
            if priority != 0 {
                router["priority"] = priority.into();
            }
            json!({
                "routers": {format!("web-to-{to}"): router},
                "services": {"noop": {}},
                "middlewares": {format!("redirect-web-to-{to}"): {"redirectScheme": scheme}},
                "serversTransports": {"default": {"maxIdleConnsPerHost": 200}},
            })
        };
        check(
            &["--entrypoints.web.http.redirections.entrypoint.to=websecure"],
            &redirection(
                "websecure",
                i64::MAX - 1,
                &json!({"scheme": "https", "port": "38443", "permanent": true}),
            ),
        );
        check(
            &[
                "--entrypoints.web.http.redirections.entrypoint.to=:443",
                "--entrypoints.web.http.redirections.entrypoint.scheme=http",
                "--entrypoints.web.http.redirections.entrypoint.permanent=false",
                "--entrypoints.web.http.redirections.entrypoint.priority=0",
            ],
            &redirection("443", 0, &json!({"scheme": "http", "port": "443"})),
        );
    }
}
