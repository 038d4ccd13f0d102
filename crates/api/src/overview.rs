//! The whole at a glance.

use serde_json::{Map, Value, json};
use traefikrs_compile::report::{Report, Status};

use crate::element::{middleware_fields, router_fields, service_fields};

pub(crate) fn overview(report: &Report, providers: &[String]) -> Value {
    let none = || counts(std::iter::empty());
    json!({
        "http": {
            "routers": counts(report.routers.values().map(|router| router.verdict.status())),
            "services": counts(report.services.values().map(|service| service.verdict.status())),
            "middlewares": counts(report.middlewares.values().map(|middleware| middleware.verdict.status())),
        },
        "tcp": { "routers": none(), "services": none(), "middlewares": none() },
        "udp": { "routers": none(), "services": none() },
        "certificates": none(),
        "features": { "tracing": "", "metrics": "", "accessLog": false },
        "providers": providers,
    })
}

fn counts(states: impl Iterator<Item = Status>) -> Value {
    let (mut total, mut warnings, mut errors) = (0, 0, 0);
    for status in states {
        total += 1;
        match status {
            Status::Enabled => {}
            Status::Warning => warnings += 1,
            Status::Disabled => errors += 1,
        }
    }
    json!({ "total": total, "warnings": warnings, "errors": errors })
}

pub(crate) fn raw_data(report: &Report) -> Value {
    let routers = report
        .routers
        .iter()
        .map(|(name, router)| (name.to_string(), router_fields(name, router).into()));
    let services = report
        .services
        .iter()
        .map(|(name, service)| (name.to_string(), service_fields(name, service).into()));
    let middlewares = report
        .middlewares
        .iter()
        .map(|(name, middleware)| (name.to_string(), middleware_fields(name, middleware).into()));
    let mut data = Map::new();
    for (kind, elements) in [
        ("routers", routers.collect::<Map<String, Value>>()),
        ("middlewares", middlewares.collect()),
        ("services", services.collect()),
    ] {
        if !elements.is_empty() {
            data.insert(kind.into(), elements.into());
        }
    }
    data.into()
}
