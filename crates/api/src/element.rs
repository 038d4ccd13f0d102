//! Routers, services and middlewares as the API shows them.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};
use traefikrs_compile::report::{
    MiddlewareReport, Report, RouterReport, ServerReport, ServiceReport, Status, Verdict,
};
use traefikrs_config::QualifiedName;

/// One element, with what lists search, filter and sort by.
pub(crate) struct Element {
    pub(crate) json: Value,
    pub(crate) name: String,
    pub(crate) status: Status,
    /// Text that `search` looks at besides the name.
    pub(crate) rule: String,
    /// The service that a router names, as written and qualified.
    pub(crate) service: Option<(String, String)>,
    /// The middlewares that a router names, qualified.
    pub(crate) middlewares: Vec<String>,
}

pub(crate) fn routers(report: &Report) -> Vec<Element> {
    report
        .routers
        .iter()
        .map(|(name, router)| router_element(name, router))
        .collect()
}

pub(crate) fn services(report: &Report) -> Vec<Element> {
    let elements = report.services.iter();
    elements
        .map(|(name, service)| element(name, &service.verdict, service_json(name, service)))
        .collect()
}

pub(crate) fn middlewares(report: &Report) -> Vec<Element> {
    let elements = report.middlewares.iter();
    elements
        .map(|(name, middleware)| {
            element(name, &middleware.verdict, middleware_json(name, middleware))
        })
        .collect()
}

pub(crate) fn router(report: &Report, name: &str) -> Option<Value> {
    let (name, router) = report.routers.get_key_value(name)?;
    Some(router_json(name, router))
}

pub(crate) fn service(report: &Report, name: &str) -> Option<Value> {
    let (name, service) = report.services.get_key_value(name)?;
    Some(service_json(name, service))
}

pub(crate) fn middleware(report: &Report, name: &str) -> Option<Value> {
    let (name, middleware) = report.middlewares.get_key_value(name)?;
    Some(middleware_json(name, middleware))
}

fn router_element(name: &QualifiedName, report: &RouterReport) -> Element {
    let router = &report.router;
    let qualified = |reference: &str| name.resolve(reference).to_string();
    Element {
        rule: router.rule.to_string(),
        service: Some((router.service.to_string(), qualified(&router.service))),
        middlewares: router
            .middlewares
            .iter()
            .map(|name| qualified(name))
            .collect(),
        ..element(name, &report.verdict, router_json(name, report))
    }
}

fn element(name: &QualifiedName, verdict: &Verdict, json: Value) -> Element {
    Element {
        json,
        name: name.to_string(),
        status: verdict.status(),
        rule: String::new(),
        service: None,
        middlewares: Vec::new(),
    }
}

fn router_json(name: &QualifiedName, report: &RouterReport) -> Value {
    let mut fields = router_fields(name, report);
    // Traefik: a priority may not fit into a JavaScript number.
    fields.insert("priorityStr".into(), report.priority.to_string().into());
    named(fields, name)
}

fn service_json(name: &QualifiedName, report: &ServiceReport) -> Value {
    let mut fields = service_fields(name, report);
    if let Some(kind) = kind_of(&*report.service) {
        fields.insert("type".into(), kind.into());
    }
    named(fields, name)
}

fn middleware_json(name: &QualifiedName, report: &MiddlewareReport) -> Value {
    let mut fields = middleware_fields(name, report);
    if let Some(kind) = kind_of(&*report.middleware) {
        fields.insert("type".into(), kind.into());
    }
    named(fields, name)
}

pub(crate) fn router_fields(name: &QualifiedName, report: &RouterReport) -> Map<String, Value> {
    let mut fields = object(&*report.router);
    // Traefik: a priority of nothing is not shown.
    if report.priority != 0 {
        fields.insert("priority".into(), report.priority.into());
    }
    if let Some(middlewares) = fields.get_mut("middlewares") {
        qualify(name, middlewares);
    }
    if let Some(Value::Object(tls)) = fields.get_mut("tls") {
        tls.entry("options").or_insert_with(|| "default".into());
    }
    judged(&mut fields, &report.verdict);
    if !report.using.is_empty() {
        fields.insert("using".into(), json!(report.using));
    }
    fields
}

pub(crate) fn service_fields(name: &QualifiedName, report: &ServiceReport) -> Map<String, Value> {
    let mut fields = object(&*report.service);
    let balancer = fields.get_mut("loadBalancer");
    if let Some(transport) = balancer.and_then(|balancer| balancer.get_mut("serversTransport")) {
        qualify(name, transport);
    }
    if !report.servers.is_empty() {
        let state = |server: &ServerReport| if server.is_well() { "UP" } else { "DOWN" };
        let states = report.servers.iter().map(|it| (&*it.url, state(it)));
        let states: BTreeMap<_, _> = states.collect();
        fields.insert("serverStatus".into(), json!(states));
    }
    judged(&mut fields, &report.verdict);
    used(&mut fields, &report.used_by);
    fields
}

pub(crate) fn middleware_fields(
    name: &QualifiedName,
    report: &MiddlewareReport,
) -> Map<String, Value> {
    let mut fields = object(&*report.middleware);
    let chain = fields.get_mut("chain");
    if let Some(middlewares) = chain.and_then(|chain| chain.get_mut("middlewares")) {
        qualify(name, middlewares);
    }
    redact_users(&mut fields);
    judged(&mut fields, &report.verdict);
    used(&mut fields, &report.used_by);
    fields
}

// Traefik: references to middlewares and transports are shown with their provider, those to services
// as written.
fn qualify(name: &QualifiedName, references: &mut Value) {
    match references {
        Value::String(reference) => *reference = name.resolve(reference).to_string(),
        Value::Array(references) => references
            .iter_mut()
            .for_each(|reference| qualify(name, reference)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {}
    }
}

/// Password hashes, passwords and keys do not leave by the API.
fn redact_users(fields: &mut Map<String, Value>) {
    for auth in ["basicAuth", "digestAuth"] {
        if let Some(users) = fields.get_mut(auth).and_then(|auth| auth.get_mut("users")) {
            let count = users.as_array().map_or(0, Vec::len);
            *users = json!(vec!["REDACTED"; count]);
        }
    }
    for path in [
        ["rateLimit", "redis", "password"],
        ["forwardAuth", "tls", "key"],
    ] {
        let [kind, part, secret] = path;
        let part = fields.get_mut(kind).and_then(|kind| kind.get_mut(part));
        if let Some(secret) = part.and_then(|part| part.get_mut(secret)) {
            *secret = "REDACTED".into();
        }
    }
}

fn object(value: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(value) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

fn judged(fields: &mut Map<String, Value>, verdict: &Verdict) {
    if !verdict.findings.is_empty() {
        let errors: Vec<_> = verdict
            .findings
            .iter()
            .map(|finding| &finding.message)
            .collect();
        fields.insert("error".into(), json!(errors));
    }
    fields.insert("status".into(), json!(verdict.status()));
}

fn used(fields: &mut Map<String, Value>, used_by: &[QualifiedName]) {
    if !used_by.is_empty() {
        let names: Vec<_> = used_by.iter().map(QualifiedName::as_str).collect();
        fields.insert("usedBy".into(), json!(names));
    }
}

fn named(mut fields: Map<String, Value>, name: &QualifiedName) -> Value {
    fields.insert("name".into(), name.as_str().into());
    fields.insert("provider".into(), name.provider().into());
    Value::Object(fields)
}

/// The kind of a service or middleware in lower case, by its only field that is one.
fn kind_of(element: &impl Serialize) -> Option<String> {
    const OTHERS: [&str; 2] = ["middlewares", "observability"];
    let fields = object(element);
    let kind = fields
        .keys()
        .find(|field| !OTHERS.contains(&field.as_str()))?;
    Some(kind.to_lowercase())
}
