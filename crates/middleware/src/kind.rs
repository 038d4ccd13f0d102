use std::fmt;

use traefikrs_config::dynamic;

macro_rules! kinds {
    ($($variant:ident $field:ident $name:literal,)*) => {
        /// The kinds of middlewares that Traefik knows, displayed as in its configuration.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Kind {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        impl Kind {
            /// Which kinds a definition configures; it should be exactly one.
            pub fn of(config: &dynamic::Middleware) -> impl Iterator<Item = Self> {
                [$(config.$field.is_some().then_some(Self::$variant),)*].into_iter().flatten()
            }

            /// Its key in a configuration.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

kinds! {
    AddPrefix add_prefix "addPrefix",
    BasicAuth basic_auth "basicAuth",
    Buffering buffering "buffering",
    Chain chain "chain",
    CircuitBreaker circuit_breaker "circuitBreaker",
    Compress compress "compress",
    ContentType content_type "contentType",
    DigestAuth digest_auth "digestAuth",
    EncodedCharacters encoded_characters "encodedCharacters",
    Errors errors "errors",
    ForwardAuth forward_auth "forwardAuth",
    GrpcWeb grpc_web "grpcWeb",
    Headers headers "headers",
    InFlightReq in_flight_req "inFlightReq",
    IpAllowList ip_allow_list "ipAllowList",
    IpWhiteList ip_white_list "ipWhiteList",
    PassTlsClientCert pass_tls_client_cert "passTLSClientCert",
    Plugin plugin "plugin",
    RateLimit rate_limit "rateLimit",
    RedirectRegex redirect_regex "redirectRegex",
    RedirectScheme redirect_scheme "redirectScheme",
    ReplacePath replace_path "replacePath",
    ReplacePathRegex replace_path_regex "replacePathRegex",
    Retry retry "retry",
    StripPrefix strip_prefix "stripPrefix",
    StripPrefixRegex strip_prefix_regex "stripPrefixRegex",
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
