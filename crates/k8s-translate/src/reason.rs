//! Why? Every reason that translation gives, in one place.
//!
//! The words never change their meaning; `docs/diagnostics.md` tells an operator what to do about each.

use traefikrs_config::diagnostic::Reason;

/// Declares the reasons and the list of all of them.
macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)+) => {
        $($(#[$doc])* pub const $name: Reason = Reason::new($word);)+

        /// All of them, for tests and tables.
        pub const ALL: &[Reason] = &[$($name),+];
    };
}

reasons! {
    /// A document has no `kind`, so it is no object.
    KIND_MISSING = "KindMissing";
    /// Objects of this kind or version have no effect yet.
    KIND_NOT_SERVED = "KindNotServed";
    /// An object has no name.
    NAME_MISSING = "NameMissing";
    /// Two documents define the same object.
    DEFINED_TWICE = "DefinedTwice";
    /// A value has the wrong type.
    UNDECODABLE = "Undecodable";
    /// A field is not in the schema.
    UNKNOWN_FIELD = "UnknownField";
    /// A value is one that an API server would refuse.
    SCHEMA_VIOLATION = "SchemaViolation";
    /// Something works but has a better replacement.
    DEPRECATED = "Deprecated";
    /// A route has no rule.
    EMPTY_RULE = "EmptyRule";
    /// A rule does not parse.
    INVALID_RULE = "InvalidRule";
    /// A route is of a kind other than `Rule`.
    UNKNOWN_ROUTE_KIND = "UnknownRouteKind";
    /// A parent IngressRoute does not exist.
    PARENT_NOT_FOUND = "ParentNotFound";
    /// No parent IngressRoute has a route.
    PARENT_WITHOUT_ROUTES = "ParentWithoutRoutes";
    /// A route has neither services nor children.
    NOTHING_TO_DO = "RouteWithoutServices";
    /// A reference leads to another namespace, which the operator does not allow.
    CROSS_NAMESPACE = "CrossNamespaceForbidden";
    /// A reference leads to another provider, which the operator does not allow in this namespace.
    CROSS_PROVIDER = "CrossProviderForbidden";
    /// A namespace stands beside a reference that has a provider, and says nothing there.
    NAMESPACE_IGNORED = "NamespaceIgnored";
    /// A reference leads to a namespace that is not looked into.
    NAMESPACE_NOT_WATCHED = "NamespaceNotWatched";
    /// A Middleware does not exist.
    MIDDLEWARE_NOT_FOUND = "MiddlewareNotFound";
    /// A TraefikService does not exist.
    TRAEFIK_SERVICE_NOT_FOUND = "TraefikServiceNotFound";
    /// A ServersTransport does not exist.
    SERVERS_TRANSPORT_NOT_FOUND = "ServersTransportNotFound";
    /// A TLSOption does not exist.
    TLS_OPTION_NOT_FOUND = "TLSOptionNotFound";
    /// A route names the TLSOption `default`, which only applies where none is named.
    DEFAULT_TLS_OPTION_REFERENCED = "DefaultTLSOptionReferenced";
    /// A Service does not exist or cannot be read.
    SERVICE_NOT_FOUND = "ServiceNotFound";
    /// A reference to a Service has no port.
    SERVICE_PORT_MISSING = "ServicePortMissing";
    /// A Service has no such port.
    SERVICE_PORT_NOT_FOUND = "ServicePortNotFound";
    /// A Service of type ExternalName declares other ports than the reference.
    SERVICE_PORT_MISMATCH = "ServicePortMismatch";
    /// A reference is neither to a Service nor to a TraefikService.
    SERVICE_KIND_UNKNOWN = "UnknownServiceKind";
    /// A Service is of type ExternalName, which the operator does not allow.
    EXTERNAL_NAME_FORBIDDEN = "ExternalNameForbidden";
    /// A health check is asked for of a Service that Kubernetes checks itself.
    HEALTH_CHECK_FORBIDDEN = "HealthCheckForbidden";
    /// A Service has no cluster IP to balance natively.
    NO_CLUSTER_IP = "NoClusterIP";
    /// `nativeLBByDefault` does not reach this service.
    NATIVE_LB_DEFAULT_NOT_APPLIED = "NativeLBDefaultNotApplied";
    /// `nodePortLB` needs Nodes, which the operator does not let the proxy see.
    NODES_NOT_WATCHED = "NodesNotWatched";
    /// No Node has an internal address.
    NO_NODE_ADDRESS = "NoNodeAddress";
    /// A Service has no endpoint that serves.
    NO_ENDPOINTS = "NoEndpoints";
    /// All endpoints of a Service are about to end.
    ALL_TERMINATING = "AllEndpointsTerminating";
    /// A scheme is not one of `http`, `https` and `h2c`.
    INVALID_SCHEME = "InvalidScheme";
    /// A balancing strategy is unknown.
    INVALID_STRATEGY = "InvalidStrategy";
    /// A text is not a duration.
    INVALID_DURATION = "InvalidDuration";
    /// Balancer options stand on a reference to a TraefikService, where they say nothing.
    OPTIONS_IGNORED = "ServiceOptionsIgnored";
    /// A TraefikService is of no kind.
    TRAEFIK_SERVICE_EMPTY = "TraefikServiceEmpty";
    /// An object is of several kinds of which only one counts.
    SEVERAL_KINDS = "SeveralKinds";
    /// A Middleware is of no kind.
    MIDDLEWARE_EMPTY = "MiddlewareEmpty";
    /// A field that the kind cannot do without is missing.
    FIELD_REQUIRED = "FieldRequired";
    /// A Secret does not exist or cannot be read.
    SECRET_NOT_FOUND = "SecretNotFound";
    /// A Secret lacks the keys that its use needs.
    SECRET_INCOMPLETE = "SecretIncomplete";
    /// A ConfigMap does not exist or cannot be read.
    CONFIG_MAP_NOT_FOUND = "ConfigMapNotFound";
    /// A ConfigMap lacks the keys that its use needs.
    CONFIG_MAP_INCOMPLETE = "ConfigMapIncomplete";
    /// A `urn:k8s:secret:` text is malformed.
    INVALID_SECRET_REFERENCE = "InvalidSecretReference";
    /// A root authority names no source, or two.
    INVALID_ROOT_CA = "InvalidRootCA";
    /// A cipher suite is unknown.
    UNKNOWN_CIPHER_SUITE = "UnknownCipherSuite";
    /// A TLS version is unknown.
    UNKNOWN_TLS_VERSION = "UnknownTLSVersion";
    /// The lowest TLS version is above the highest.
    TLS_VERSIONS_CROSSED = "TLSVersionsCrossed";
    /// Several namespaces define the TLSOption or TLSStore `default`.
    SEVERAL_DEFAULTS = "SeveralDefaults";
    /// A `default` TLSOption or TLSStore is not in the namespace that the operator chose.
    DEFAULT_IN_OTHER_NAMESPACE = "DefaultInOtherNamespace";
    /// A TLSStore is not named `default`, so nobody asks it for certificates.
    STORE_NEVER_ASKED = "StoreNeverAsked";
    /// Two different definitions get the same name.
    NAME_COLLISION = "NameCollision";
}
