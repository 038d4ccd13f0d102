//! The middleware that sets headers.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::is_zero;

/// Sets headers, CORS and security headers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Headers {
    /// Request headers to set; an empty value removes.
    #[serde(skip_serializing_if = "is_zero")]
    pub custom_request_headers: BTreeMap<String, String>,
    /// Response headers to set; an empty value removes.
    #[serde(skip_serializing_if = "is_zero")]
    pub custom_response_headers: BTreeMap<String, String>,
    /// CORS: allow credentials.
    #[serde(skip_serializing_if = "is_zero")]
    pub access_control_allow_credentials: bool,
    /// CORS: allowed request headers.
    #[serde(skip_serializing_if = "is_zero")]
    pub access_control_allow_headers: Vec<String>,
    /// CORS: allowed methods.
    #[serde(skip_serializing_if = "is_zero")]
    pub access_control_allow_methods: Vec<String>,
    /// CORS: allowed origins.
    #[serde(skip_serializing_if = "is_zero")]
    pub access_control_allow_origin_list: Vec<String>,
    /// CORS: allowed origins, by pattern.
    #[serde(skip_serializing_if = "is_zero")]
    pub access_control_allow_origin_list_regex: Vec<String>,
    /// CORS: headers that scripts may read.
    #[serde(skip_serializing_if = "is_zero")]
    pub access_control_expose_headers: Vec<String>,
    /// CORS: seconds that a preflight may be kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_control_max_age: Option<i64>,
    /// CORS: say that answers vary by origin.
    #[serde(skip_serializing_if = "is_zero")]
    pub add_vary_header: bool,
    /// Refuse other hosts.
    #[serde(skip_serializing_if = "is_zero")]
    pub allowed_hosts: Vec<String>,
    /// Headers that may hold the host.
    #[serde(skip_serializing_if = "is_zero")]
    pub hosts_proxy_headers: Vec<String>,
    /// Header values that say the client used TLS.
    #[serde(skip_serializing_if = "is_zero")]
    pub ssl_proxy_headers: BTreeMap<String, String>,
    /// HSTS: how long.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub sts_seconds: Option<i64>,
    /// HSTS: subdomains too.
    #[serde(skip_serializing_if = "is_zero")]
    pub sts_include_subdomains: bool,
    /// HSTS: preload.
    #[serde(skip_serializing_if = "is_zero")]
    pub sts_preload: bool,
    /// HSTS: also without TLS.
    #[serde(rename = "forceSTSHeader", skip_serializing_if = "is_zero")]
    pub force_sts_header: bool,
    /// Refuse frames.
    #[serde(skip_serializing_if = "is_zero")]
    pub frame_deny: bool,
    /// Value of X-Frame-Options.
    #[serde(skip_serializing_if = "is_zero")]
    pub custom_frame_options_value: String,
    /// Forbid sniffing.
    #[serde(skip_serializing_if = "is_zero")]
    pub content_type_nosniff: bool,
    /// Set X-XSS-Protection.
    #[serde(skip_serializing_if = "is_zero")]
    pub browser_xss_filter: bool,
    /// Value of X-XSS-Protection.
    #[serde(rename = "customBrowserXSSValue", skip_serializing_if = "is_zero")]
    pub custom_browser_xss_value: String,
    /// Value of Content-Security-Policy.
    #[serde(skip_serializing_if = "is_zero")]
    pub content_security_policy: String,
    /// Value of Content-Security-Policy-Report-Only.
    #[serde(skip_serializing_if = "is_zero")]
    pub content_security_policy_report_only: String,
    /// Value of Public-Key-Pins.
    #[serde(skip_serializing_if = "is_zero")]
    pub public_key: String,
    /// Value of Referrer-Policy.
    #[serde(skip_serializing_if = "is_zero")]
    pub referrer_policy: String,
    /// Value of Permissions-Policy.
    #[serde(skip_serializing_if = "is_zero")]
    pub permissions_policy: String,
    /// Switch off hosts, HSTS and pins.
    #[serde(skip_serializing_if = "is_zero")]
    pub is_development: bool,
    /// Deprecated and ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feature_policy: Option<String>,
    /// Deprecated and ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_redirect: Option<bool>,
    /// Deprecated and ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_temporary_redirect: Option<bool>,
    /// Deprecated and ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_host: Option<String>,
    /// Deprecated and ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_force_host: Option<bool>,
}
