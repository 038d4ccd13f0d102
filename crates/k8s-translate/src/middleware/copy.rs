//! The kinds of middleware that are taken over as they are.

use traefikrs_config::dynamic;
use traefikrs_crd as crd;

/// A middleware with those kinds of the object that need nothing of the cluster.
pub(super) fn plain_kinds(spec: &crd::MiddlewareSpec) -> dynamic::Middleware {
    dynamic::Middleware {
        ip_white_list: spec
            .ip_white_list
            .as_ref()
            .map(|list| dynamic::IpWhiteList {
                source_range: list.source_range.clone(),
                ip_strategy: list.ip_strategy.as_ref().map(ip_strategy),
            }),
        ip_allow_list: spec
            .ip_allow_list
            .as_ref()
            .map(|list| dynamic::IpAllowList {
                source_range: list.source_range.clone(),
                ip_strategy: list.ip_strategy.as_ref().map(ip_strategy),
                reject_status_code: list.reject_status_code,
            }),
        headers: spec.headers.as_ref().map(headers),
        in_flight_req: spec
            .in_flight_req
            .as_ref()
            .map(|limit| dynamic::InFlightReq {
                amount: limit.amount,
                source_criterion: limit.source_criterion.as_ref().map(source_criterion),
            }),
        buffering: spec.buffering.as_ref().map(|buffering| dynamic::Buffering {
            max_request_body_bytes: buffering.max_request_body_bytes,
            mem_request_body_bytes: buffering.mem_request_body_bytes,
            max_response_body_bytes: buffering.max_response_body_bytes,
            mem_response_body_bytes: buffering.mem_response_body_bytes,
            retry_expression: buffering.retry_expression.clone(),
        }),
        compress: spec.compress.as_ref().map(compress),
        pass_tls_client_cert: spec.pass_tls_client_cert.as_ref().map(pass_tls_client_cert),
        content_type: spec
            .content_type
            .as_ref()
            .map(|content_type| dynamic::ContentType {
                auto_detect: content_type.auto_detect,
            }),
        grpc_web: spec.grpc_web.as_ref().map(|grpc_web| dynamic::GrpcWeb {
            allow_origins: grpc_web.allow_origins.clone(),
        }),
        ..path_kinds(spec)
    }
}

fn path_kinds(spec: &crd::MiddlewareSpec) -> dynamic::Middleware {
    dynamic::Middleware {
        add_prefix: spec.add_prefix.as_ref().map(|add| dynamic::AddPrefix {
            prefix: add.prefix.clone(),
        }),
        strip_prefix: spec
            .strip_prefix
            .as_ref()
            .map(|strip| dynamic::StripPrefix {
                prefixes: strip.prefixes.clone(),
                force_slash: strip.force_slash,
            }),
        strip_prefix_regex: spec.strip_prefix_regex.as_ref().map(|strip| {
            dynamic::StripPrefixRegex {
                regex: strip.regex.clone(),
            }
        }),
        replace_path: spec
            .replace_path
            .as_ref()
            .map(|replace| dynamic::ReplacePath {
                path: replace.path.clone(),
            }),
        replace_path_regex: spec.replace_path_regex.as_ref().map(|replace| {
            dynamic::ReplacePathRegex {
                regex: replace.regex.clone(),
                replacement: replace.replacement.clone(),
            }
        }),
        redirect_regex: spec
            .redirect_regex
            .as_ref()
            .map(|redirect| dynamic::RedirectRegex {
                regex: redirect.regex.clone(),
                replacement: redirect.replacement.clone(),
                permanent: redirect.permanent,
            }),
        redirect_scheme: spec
            .redirect_scheme
            .as_ref()
            .map(|redirect| dynamic::RedirectScheme {
                scheme: redirect.scheme.clone(),
                port: redirect.port.clone(),
                permanent: redirect.permanent,
            }),
        encoded_characters: spec.encoded_characters.as_ref().map(encoded_characters),
        ..dynamic::Middleware::default()
    }
}

fn ip_strategy(strategy: &crd::IpStrategy) -> dynamic::IpStrategy {
    dynamic::IpStrategy {
        depth: strategy.depth,
        excluded_ips: strategy.excluded_ips.clone(),
        ipv6_subnet: strategy.ipv6_subnet,
    }
}

pub(super) fn source_criterion(criterion: &crd::SourceCriterion) -> dynamic::SourceCriterion {
    dynamic::SourceCriterion {
        ip_strategy: criterion.ip_strategy.as_ref().map(ip_strategy),
        request_header_name: criterion.request_header_name.clone(),
        request_host: criterion.request_host,
    }
}

fn compress(compress: &crd::Compress) -> dynamic::Compress {
    let all = || ["gzip", "br", "zstd"].map(str::to_owned).to_vec();
    dynamic::Compress {
        excluded_content_types: compress.excluded_content_types.clone(),
        included_content_types: compress.included_content_types.clone(),
        min_response_body_bytes: compress.min_response_body_bytes.unwrap_or(0),
        encodings: if compress.encodings.is_empty() {
            all()
        } else {
            compress.encodings.clone()
        },
        default_encoding: compress.default_encoding.clone().unwrap_or_default(),
    }
}

fn encoded_characters(characters: &crd::EncodedCharacters) -> dynamic::EncodedCharacters {
    dynamic::EncodedCharacters {
        allow_encoded_slash: characters.allow_encoded_slash,
        allow_encoded_back_slash: characters.allow_encoded_back_slash,
        allow_encoded_null_character: characters.allow_encoded_null_character,
        allow_encoded_semicolon: characters.allow_encoded_semicolon,
        allow_encoded_percent: characters.allow_encoded_percent,
        allow_encoded_question_mark: characters.allow_encoded_question_mark,
        allow_encoded_hash: characters.allow_encoded_hash,
    }
}

fn pass_tls_client_cert(pass: &crd::PassTlsClientCert) -> dynamic::PassTlsClientCert {
    dynamic::PassTlsClientCert {
        pem: pass.pem,
        info: pass.info.as_ref().map(|info| dynamic::TlsClientCertInfo {
            not_after: info.not_after,
            not_before: info.not_before,
            sans: info.sans,
            serial_number: info.serial_number,
            subject: info
                .subject
                .as_ref()
                .map(|subject| dynamic::TlsClientCertSubject {
                    country: subject.country,
                    province: subject.province,
                    locality: subject.locality,
                    organization: subject.organization,
                    organizational_unit: subject.organizational_unit,
                    common_name: subject.common_name,
                    serial_number: subject.serial_number,
                    domain_component: subject.domain_component,
                }),
            issuer: info
                .issuer
                .as_ref()
                .map(|issuer| dynamic::TlsClientCertIssuer {
                    country: issuer.country,
                    province: issuer.province,
                    locality: issuer.locality,
                    organization: issuer.organization,
                    common_name: issuer.common_name,
                    serial_number: issuer.serial_number,
                    domain_component: issuer.domain_component,
                }),
        }),
    }
}

fn headers(headers: &crd::Headers) -> dynamic::Headers {
    let headers = headers.clone();
    dynamic::Headers {
        custom_request_headers: headers.custom_request_headers,
        custom_response_headers: headers.custom_response_headers,
        access_control_allow_credentials: headers.access_control_allow_credentials,
        access_control_allow_headers: headers.access_control_allow_headers,
        access_control_allow_methods: headers.access_control_allow_methods,
        access_control_allow_origin_list: headers.access_control_allow_origin_list,
        access_control_allow_origin_list_regex: headers.access_control_allow_origin_list_regex,
        access_control_expose_headers: headers.access_control_expose_headers,
        access_control_max_age: headers.access_control_max_age,
        add_vary_header: headers.add_vary_header,
        allowed_hosts: headers.allowed_hosts,
        hosts_proxy_headers: headers.hosts_proxy_headers,
        ssl_proxy_headers: headers.ssl_proxy_headers,
        sts_seconds: headers.sts_seconds,
        sts_include_subdomains: headers.sts_include_subdomains,
        sts_preload: headers.sts_preload,
        force_sts_header: headers.force_sts_header,
        frame_deny: headers.frame_deny,
        custom_frame_options_value: headers.custom_frame_options_value,
        content_type_nosniff: headers.content_type_nosniff,
        browser_xss_filter: headers.browser_xss_filter,
        custom_browser_xss_value: headers.custom_browser_xss_value,
        content_security_policy: headers.content_security_policy,
        content_security_policy_report_only: headers.content_security_policy_report_only,
        public_key: headers.public_key,
        referrer_policy: headers.referrer_policy,
        permissions_policy: headers.permissions_policy,
        is_development: headers.is_development,
        feature_policy: headers.feature_policy,
        ssl_redirect: headers.ssl_redirect,
        ssl_temporary_redirect: headers.ssl_temporary_redirect,
        ssl_host: headers.ssl_host,
        ssl_force_host: headers.ssl_force_host,
    }
}
