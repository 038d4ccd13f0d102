//! The reasons that compiling gives, documented in `docs/diagnostics.md`.

use traefikrs_config::diagnostic::Reason;

/// A rule does not parse, or one of its matchers refuses its arguments.
pub const INVALID_RULE: Reason = Reason::new("InvalidRule");
/// A router names a service, or a service another, that does not exist or cannot be used.
pub const SERVICE_UNUSABLE: Reason = Reason::new("ServiceUnusable");
/// A router or service names a middleware that does not exist or cannot be used.
pub const MIDDLEWARE_UNUSABLE: Reason = Reason::new("MiddlewareUnusable");
/// A router names an entry point that does not exist.
pub const ENTRY_POINT_NOT_FOUND: Reason = Reason::new("EntryPointNotFound");
/// A priority is in the range of the built-in routers.
pub const PRIORITY_TOO_HIGH: Reason = Reason::new("PriorityTooHigh");
/// Parents and children do not make a tree.
pub const INVALID_ROUTER_TREE: Reason = Reason::new("InvalidRouterTree");
/// A router names TLS options that do not exist.
pub const TLS_OPTIONS_NOT_FOUND: Reason = Reason::new("TlsOptionsNotFound");
/// A root or client certificate of a servers transport cannot be used.
pub const CERTIFICATE_UNUSABLE: Reason = Reason::new("CertificateUnusable");
/// A servers transport names TLS versions or cipher suites that Traefik knows and that are not spoken.
pub const TLS_NOT_SPOKEN: Reason = Reason::new("TLSNotSpoken");
/// What a servers transport says of TLS cannot be done.
pub const TRANSPORT_UNUSABLE: Reason = Reason::new("TransportUnusable");
/// Something known is not served by this version.
pub const NOT_SERVED: Reason = Reason::new("NotServed");
/// The URL of a server has no host, or a scheme that nobody speaks: requests to it fail.
pub const SERVER_URL_UNUSABLE: Reason = Reason::new("ServerUrlUnusable");
/// A health check asks for what cannot be asked, so that servers count as down.
pub const HEALTH_CHECK_IMPOSSIBLE: Reason = Reason::new("HealthCheckImpossible");
