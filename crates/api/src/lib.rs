//! What does the proxy do, and why does it not do what I meant? Traefik's read-only API over a
//! published generation: same paths, same field names, same `status` and `error` texts, so that its
//! dashboards and scripts can read it.
//!
//! ```text
//! watch ─► translate ─► merge ─► compile ─► [publish]
//! ```
//!
//! | path | answer |
//! |---|---|
//! | `/api/version` | version, code name, start |
//! | `/api/overview` | how many elements, how many with findings |
//! | `/api/entrypoints[/NAME]` | static settings |
//! | `/api/http/{routers,services,middlewares}[/NAME]` | elements with status and errors |
//! | `/api/rawdata` | all elements by name |
//! | `/api/diagnostics` | ours: everything found, with object, path, reason and consequence |
//!
//! Lists take `search`, `status`, `sortBy`, `direction`, `page` and `per_page`; routers also
//! `serviceName` and `middlewareName`. Mirrors `pkg/api` of Traefik 3.7.
//!
//! ```
//! use http::Method;
//! use traefikrs_api::{Api, Facts};
//!
//! let api = Api::new(Facts::default());
//! let generation = traefikrs_compile::Generation::default();
//! let answer = api.answer(&Method::GET, "/api/http/routers", None, &generation.report);
//! assert_eq!(answer.body().as_ref(), b"[]\n");
//! ```

mod element;
mod list;
mod overview;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
use serde::Serialize;
use serde_json::{Value, json};
use traefikrs_compile::Report;

use crate::list::{InvalidRequest, Query};

/// What the API says that no configuration change can change.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The program's version.
    pub version: String,
    /// When the process started, as RFC 3339.
    pub start_date: String,
    /// The entry points as Traefik prints them, each with its `name`.
    pub entry_points: Vec<Value>,
    /// The providers in use, as Traefik names them: `File`, `KubernetesCRD`.
    pub providers: Vec<String>,
}

/// Answers the API's requests from whatever generation is published.
#[derive(Debug, Clone)]
pub struct Api {
    facts: Facts,
}

type Answer = Response<Bytes>;

impl Api {
    /// An API with these facts.
    pub fn new(facts: Facts) -> Self {
        Self { facts }
    }

    /// Answers one request from a report.
    pub fn answer(
        &self,
        method: &Method,
        path: &str,
        query: Option<&str>,
        report: &Report,
    ) -> Answer {
        let Some(rest) = path.strip_prefix("/api/") else {
            return not_found();
        };
        let segments: Vec<_> = rest.split('/').collect();
        if segments.contains(&"") {
            return not_found();
        }
        if method != Method::GET {
            return if known(&segments) {
                empty(StatusCode::METHOD_NOT_ALLOWED)
            } else {
                not_found()
            };
        }
        let query = Query::parse(query.unwrap_or_default());
        match segments.as_slice() {
            ["version"] => self.version(),
            ["overview"] => json_line(&overview::overview(report, &self.facts.providers)),
            ["rawdata"] => json_line(&overview::raw_data(report)),
            ["diagnostics"] => json_line(&report.diagnostics),
            ["entrypoints"] => list_answer(query.select_values(&self.facts.entry_points)),
            ["entrypoints", name] => one("entry point", name, self.entry_point(&decoded(name))),
            ["http", "routers"] => list_answer(query.select(element::routers(report))),
            ["http", "routers", name] => {
                one("router", name, element::router(report, &decoded(name)))
            }
            ["http", "services"] => list_answer(query.select(element::services(report))),
            ["http", "services", name] => {
                one("service", name, element::service(report, &decoded(name)))
            }
            ["http", "middlewares"] => list_answer(query.select(element::middlewares(report))),
            ["http", "middlewares", name] => one(
                "middleware",
                name,
                element::middleware(report, &decoded(name)),
            ),
            _ => not_found(),
        }
    }

    fn version(&self) -> Answer {
        let body = json!({
            "Version": self.facts.version,
            "Codename": "traefikrs",
            "startDate": self.facts.start_date,
        });
        answer(
            StatusCode::OK,
            "application/json; charset=UTF-8",
            body.to_string(),
        )
    }

    fn entry_point(&self, name: &str) -> Option<Value> {
        let named = |entry_point: &&Value| entry_point["name"] == name;
        self.facts.entry_points.iter().find(named).cloned()
    }
}

fn known(segments: &[&str]) -> bool {
    matches!(
        segments,
        ["version" | "overview" | "rawdata" | "diagnostics" | "entrypoints"]
            | ["entrypoints", _]
            | ["http", "routers" | "services" | "middlewares"]
            | ["http", "routers" | "services" | "middlewares", _]
    )
}

fn decoded(segment: &str) -> String {
    percent_encoding::percent_decode_str(segment)
        .decode_utf8_lossy()
        .into_owned()
}

fn one(kind: &str, name: &str, found: Option<Value>) -> Answer {
    match found {
        Some(element) => json_line(&element),
        None => refusal(
            StatusCode::NOT_FOUND,
            &format!("{kind} not found: {}", decoded(name)),
        ),
    }
}

fn list_answer(page: Result<list::Page, InvalidRequest>) -> Answer {
    match page {
        Ok(page) => {
            let mut answer = json_line(&page.elements);
            answer.headers_mut().insert("x-next-page", page.next.into());
            answer
        }
        Err(error) => refusal(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

fn json_line(value: &impl Serialize) -> Answer {
    // Only maps with keys that are not strings cannot be written, and there are none.
    let mut body = serde_json::to_string(value).unwrap_or_default();
    body.push('\n');
    answer(StatusCode::OK, "application/json", body)
}

// Traefik: the body is JSON, the type says text.
fn refusal(status: StatusCode, message: &str) -> Answer {
    let body = json!({ "message": message }).to_string() + "\n";
    nosniff(answer(status, "text/plain; charset=utf-8", body))
}

fn not_found() -> Answer {
    let body = "404 page not found\n".to_owned();
    nosniff(answer(
        StatusCode::NOT_FOUND,
        "text/plain; charset=utf-8",
        body,
    ))
}

fn nosniff(mut answer: Answer) -> Answer {
    let value = HeaderValue::from_static("nosniff");
    answer
        .headers_mut()
        .insert(header::X_CONTENT_TYPE_OPTIONS, value);
    answer
}

fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = status;
    answer
}

fn answer(status: StatusCode, content_type: &'static str, body: String) -> Answer {
    let mut answer = Response::new(Bytes::from(body));
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}
