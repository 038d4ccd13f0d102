//! Health checks: what each server of a load balancer is asked, and how often.

use std::sync::Arc;
use std::time::Duration;

use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use traefikrs_config::{QualifiedName, dynamic};
use traefikrs_gourl::reference;
use traefikrs_lb::ServerState;

use crate::compiled::{
    Asked, CheckedServer, ExpectedStatus, HealthCheck, HttpProbe, Pace, Probe, Server, Transport,
};
use crate::error::BuildError;

/// Traefik's own, for times that are none.
const INTERVAL: Duration = Duration::from_secs(30);
const TIMEOUT: Duration = Duration::from_secs(5);

/// The check of a load balancer, and what is wrong with it.
///
/// `locate` makes a server of a URL.
// Traefik: what cannot be asked is down.
pub(crate) fn health_check(
    service: &QualifiedName,
    configured: &dynamic::HealthCheck,
    transport: &Arc<Transport>,
    servers: impl Iterator<Item = (Arc<str>, Arc<ServerState>)>,
    mut locate: impl FnMut(&str) -> Result<Server, BuildError>,
) -> (HealthCheck, Vec<String>) {
    let mut problems = Vec::new();
    let probe = probe(configured);
    if let Err(problem) = &probe {
        problems.push(problem.clone());
    }
    let pace = pace(configured);
    let servers = servers.map(|(name, state)| {
        let asked = probe.clone().and_then(|probe| {
            let url = probe.speaks_to(url(&name, configured)?);
            let server = locate(&url).map_err(|error| error.to_string())?;
            Ok(Asked { probe, server, url })
        });
        if let Err(problem) = &asked
            && !problems.contains(problem)
        {
            problems.push(problem.clone());
        }
        Arc::new(CheckedServer {
            service: service.clone(),
            name,
            state,
            asked,
            transport: Arc::clone(transport),
            pace,
        })
    });
    let servers = servers.collect();
    (HealthCheck { servers }, problems)
}

fn pace(configured: &dynamic::HealthCheck) -> Pace {
    let interval = configured.interval.positive().unwrap_or(INTERVAL);
    Pace {
        interval,
        unhealthy_interval: match configured.unhealthy_interval {
            None => interval,
            Some(configured) => configured.positive().unwrap_or(INTERVAL),
        },
        timeout: configured.timeout.positive().unwrap_or(TIMEOUT),
    }
}

impl Probe {
    /// gRPC is HTTP/2 without asking.
    fn speaks_to(&self, url: String) -> String {
        match (self, url.strip_prefix("http://")) {
            (Self::Grpc, Some(rest)) => format!("h2c://{rest}"),
            _ => url,
        }
    }
}

fn probe(configured: &dynamic::HealthCheck) -> Result<Probe, String> {
    // Traefik: any other mode is HTTP.
    if configured.mode == "grpc" {
        return Ok(Probe::Grpc);
    }
    let method = match configured.method.as_str() {
        "" => Method::GET,
        method => method
            .parse()
            .map_err(|_| format!("{method:?} is no method"))?,
    };
    let host = match configured.hostname.as_str() {
        "" => None,
        // Traefik: Go sends an empty Host for a name that is none.
        name => {
            let host = name.parse::<Authority>().ok();
            let host = host.and_then(|host| HeaderValue::from_str(host.as_str()).ok());
            Some(host.unwrap_or(HeaderValue::from_static("")))
        }
    };
    Ok(Probe::Http(HttpProbe {
        method,
        host,
        headers: headers(configured)?,
        expected: expected(configured.status)?,
        follows_redirects: configured.follow_redirects.unwrap_or(true),
    }))
}

fn headers(configured: &dynamic::HealthCheck) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in &configured.headers {
        let parsed: HeaderName = name
            .parse()
            .map_err(|_| format!("{name:?} is no name of a header"))?;
        let value = HeaderValue::from_str(value)
            .map_err(|_| format!("header {name} has a value that cannot be sent"))?;
        headers.insert(parsed, value);
    }
    // Traefik: `hostname` is what sets it.
    headers.remove(http::header::HOST);
    Ok(headers)
}

fn expected(status: i64) -> Result<ExpectedStatus, String> {
    if status == 0 {
        return Ok(ExpectedStatus::Good);
    }
    u16::try_from(status)
        .ok()
        .and_then(|status| StatusCode::from_u16(status).ok())
        .map(ExpectedStatus::Exactly)
        .ok_or_else(|| format!("no answer has the status {status}"))
}

/// What is asked for, which is relative to the server's URL.
fn url(server: &str, configured: &dynamic::HealthCheck) -> Result<String, String> {
    let dynamic::HealthCheck {
        path, scheme, port, ..
    } = configured;
    let is_absolute = path
        .split('?')
        .next()
        .is_some_and(|path| path.contains("://"));
    if is_absolute {
        return Err(format!(
            "health check path must be a relative URL, got: {path:?}"
        ));
    }
    let url = reference::resolve(server, path)
        .map_err(|error| format!("health check path {path:?}: {error}"))?;
    let url = if scheme.is_empty() {
        url
    } else {
        let rest = url.split_once("://").map_or("", |(_, rest)| rest);
        format!("{scheme}://{rest}")
    };
    if *port == 0 {
        return Ok(url);
    }
    let port = u16::try_from(*port).map_err(|_| format!("no server has the port {port}"))?;
    Ok(with_port(&url, port))
}

fn with_port(url: &str, port: u16) -> String {
    let start = url.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = url.split_at(start);
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = match authority.rfind(']') {
        Some(bracket) => &authority[..=bracket],
        None => authority.split(':').next().unwrap_or_default(),
    };
    format!("{scheme}{host}:{port}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_that_is_asked_is_relative_to_the_servers() {
        let check = |path: &str, scheme: &str, port| dynamic::HealthCheck {
            path: path.into(),
            scheme: scheme.into(),
            port,
            ..dynamic::HealthCheck::default()
        };
        // Of 3.7.15: base URL, path, scheme, port, what it asked.
        for (server, path, scheme, port, asked) in [
            ("http://h:1/base/x", "", "", 0, "http://h:1/base/x"),
            ("http://h:1/base/x", "hc", "", 0, "http://h:1/base/hc"),
            ("http://h:1/base/x", "/hc", "", 0, "http://h:1/hc"),
            ("http://h:1/base/x", "../q", "", 0, "http://h:1/q"),
            ("http://h:1/base/x", "/x?y=1#z", "", 0, "http://h:1/x?y=1"),
            ("http://h:1", "/hc", "https", 0, "https://h:1/hc"),
            ("http://h:1", "/hc", "", 8, "http://h:8/hc"),
            ("http://[::1]:1", "/hc?a:b", "", 8, "http://[::1]:8/hc?a:b"),
            ("http://h", "/hc", "", 8, "http://h:8/hc"),
        ] {
            let url = url(server, &check(path, scheme, port));
            assert_eq!(url.as_deref(), Ok(asked), "{server} {path} {scheme} {port}");
        }
    }

    #[test]
    fn what_cannot_be_asked_says_why() {
        let ok = dynamic::HealthCheck::default;
        for (wrong, why) in [
            (
                dynamic::HealthCheck {
                    path: "http://x/y".into(),
                    ..ok()
                },
                "health check path must be a relative URL, got: \"http://x/y\"",
            ),
            (
                dynamic::HealthCheck {
                    path: "::".into(),
                    ..ok()
                },
                "health check path \"::\": missing protocol scheme",
            ),
            (
                dynamic::HealthCheck {
                    port: 99_999,
                    ..ok()
                },
                "no server has the port 99999",
            ),
            (
                dynamic::HealthCheck {
                    method: "BAD METHOD".into(),
                    ..ok()
                },
                "\"BAD METHOD\" is no method",
            ),
            (
                dynamic::HealthCheck {
                    headers: [("bad header".into(), "x".into())].into(),
                    ..ok()
                },
                "\"bad header\" is no name of a header",
            ),
            (
                dynamic::HealthCheck {
                    status: 99_999,
                    ..ok()
                },
                "no answer has the status 99999",
            ),
        ] {
            let found = probe(&wrong)
                .err()
                .or_else(|| url("http://h", &wrong).err());
            assert_eq!(found.as_deref(), Some(why));
        }
    }
}
