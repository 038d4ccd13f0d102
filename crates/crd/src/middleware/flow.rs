//! Middlewares that hold requests back, repeat them, or answer in a service's place.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ClientTls, IpStrategy};
use crate::{DURATION, IntOrString, STATUS, ServiceRef, is_zero};

/// Replaces error answers by pages of another service.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ErrorPage {
    /// Codes and ranges to replace, such as `500-599`.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(inner(regex(pattern = STATUS)))]
    pub status: Vec<String>,
    /// Codes to send instead.
    #[serde(skip_serializing_if = "is_zero")]
    pub status_rewrites: BTreeMap<String, i64>,
    /// Who has the pages.
    #[serde(skip_serializing_if = "is_zero")]
    pub service: ServiceRef,
    /// Path to ask for, with `{status}`, `{originalStatus}` and `{url}`.
    #[serde(skip_serializing_if = "is_zero")]
    pub query: String,
    /// Request headers to send along; unset means all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_request_headers: Option<Vec<String>>,
}

/// Limits requests in time by a bucket per source.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct RateLimit {
    /// Requests per period; 0, the default, means any.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub average: Option<i64>,
    /// The period; 1s when unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<IntOrString>,
    /// Requests at once; 1 when unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub burst: Option<i64>,
    /// What counts as one source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_criterion: Option<SourceCriterion>,
    /// Share the buckets with other proxies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redis: Option<Redis>,
}

/// What counts as one source? One of the three.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct SourceCriterion {
    /// The client's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_strategy: Option<IpStrategy>,
    /// A header's value.
    #[serde(skip_serializing_if = "is_zero")]
    pub request_header_name: String,
    /// The requested host.
    #[serde(skip_serializing_if = "is_zero")]
    pub request_host: bool,
}

/// Where are the shared buckets?
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Redis {
    /// Addresses; `localhost:6379` when empty.
    #[serde(skip_serializing_if = "is_zero")]
    pub endpoints: Vec<String>,
    /// How to reach it by TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<ClientTls>,
    /// Secret with the keys `username` and `password`.
    #[serde(skip_serializing_if = "is_zero")]
    pub secret: String,
    /// Which database.
    #[serde(skip_serializing_if = "is_zero")]
    pub db: i64,
    /// Connections; 0 means ten per processor.
    #[serde(skip_serializing_if = "is_zero")]
    pub pool_size: i64,
    /// Idle connections to keep.
    #[serde(skip_serializing_if = "is_zero")]
    pub min_idle_conns: i64,
    /// Connections at most; 0 means any.
    #[serde(skip_serializing_if = "is_zero")]
    pub max_active_conns: i64,
    /// To read; 3s when unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = DURATION))]
    pub read_timeout: Option<IntOrString>,
    /// To write; 3s when unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = DURATION))]
    pub write_timeout: Option<IntOrString>,
    /// To connect; 5s when unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = DURATION))]
    pub dial_timeout: Option<IntOrString>,
}

/// Limits requests at a time per source.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct InFlightReq {
    /// So many.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(range(min = 0))]
    pub amount: i64,
    /// What counts as one source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_criterion: Option<SourceCriterion>,
}

/// Reads bodies before they are sent on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Buffering {
    /// Larger requests are refused; 0 means none.
    #[serde(skip_serializing_if = "is_zero")]
    pub max_request_body_bytes: i64,
    /// More is kept on disk.
    #[serde(skip_serializing_if = "is_zero")]
    pub mem_request_body_bytes: i64,
    /// Larger answers are refused; 0 means none.
    #[serde(skip_serializing_if = "is_zero")]
    pub max_response_body_bytes: i64,
    /// More is kept on disk.
    #[serde(skip_serializing_if = "is_zero")]
    pub mem_response_body_bytes: i64,
    /// When to try again.
    #[serde(skip_serializing_if = "is_zero")]
    pub retry_expression: String,
}

/// Stops calling a failing service.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct CircuitBreaker {
    /// When to stop.
    #[serde(skip_serializing_if = "is_zero")]
    pub expression: String,
    /// Between checks; 100ms when unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = DURATION))]
    pub check_period: Option<IntOrString>,
    /// How long nothing is sent; 10s when unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback_duration: Option<IntOrString>,
    /// How long traffic comes back slowly; 10s when unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = DURATION))]
    pub recovery_duration: Option<IntOrString>,
    /// Answer meanwhile; 503 when unset.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(range(min = 100, max = 599))]
    pub response_code: i64,
}

/// Compresses answers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Compress {
    /// Never these.
    #[serde(skip_serializing_if = "is_zero")]
    pub excluded_content_types: Vec<String>,
    /// Only these.
    #[serde(skip_serializing_if = "is_zero")]
    pub included_content_types: Vec<String>,
    /// Only longer ones; 1024 when unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub min_response_body_bytes: Option<i64>,
    /// In order of preference; gzip, br, zstd when empty.
    #[serde(skip_serializing_if = "is_zero")]
    pub encodings: Vec<String>,
    /// When the client says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_encoding: Option<String>,
}

/// Tries again.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Retry {
    /// So many in all.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(range(min = 0))]
    pub attempts: i64,
    /// First pause.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = DURATION))]
    pub initial_interval: Option<IntOrString>,
    /// For all attempts; 0, the default, means without limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = DURATION))]
    pub timeout: Option<IntOrString>,
    /// Largest request body kept for another try; 2 MiB when unset, -1 means any.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -1))]
    pub max_request_body_bytes: Option<i64>,
    /// Answers that call for another try.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(inner(regex(pattern = STATUS)))]
    pub status: Vec<String>,
    /// Only on status.
    #[serde(skip_serializing_if = "is_zero")]
    pub disable_retry_on_network_error: bool,
    /// Also POST and the like.
    #[serde(skip_serializing_if = "is_zero")]
    pub retry_non_idempotent_method: bool,
}
