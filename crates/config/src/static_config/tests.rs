use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use proptest::prelude::*;
use serde_json::json;

use super::{Loaded, LogLevel, Refused, Source, StaticConfiguration, Surroundings};
use crate::diagnostic::Consequence;
use crate::duration::GoDuration;
use crate::reason;

/// A process's surroundings as data.
#[derive(Default)]
struct World {
    args: Vec<String>,
    env: Vec<(String, String)>,
    files: BTreeMap<&'static str, &'static str>,
}

fn args(args: &[&str]) -> World {
    World {
        args: args.iter().map(|&arg| arg.to_owned()).collect(),
        ..World::default()
    }
}

fn file(name: &'static str, text: &'static str) -> World {
    World {
        args: vec![format!("--configFile={name}")],
        files: BTreeMap::from([(name, text)]),
        ..World::default()
    }
}

impl World {
    fn with_env(mut self, env: &[(&str, &str)]) -> Self {
        let own = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        self.env.extend(env.iter().map(own));
        self
    }

    fn with_file(mut self, name: &'static str, text: &'static str) -> Self {
        self.files.insert(name, text);
        self
    }

    fn load(&self) -> Result<Loaded, Refused> {
        StaticConfiguration::load(&Surroundings {
            args: &self.args,
            env: &self.env,
            read: &|path: &Path| match path.to_str().and_then(|path| self.files.get(path)) {
                Some(text) => Ok((*text).to_owned()),
                None => Err(io::ErrorKind::NotFound.into()),
            },
        })
    }

    fn loaded(&self) -> StaticConfiguration {
        self.load().unwrap().configuration
    }
}

/// Checks the messages of a start that is refused.
fn check_refused(world: &World, expected: &[&str]) {
    let refused = world.load().unwrap_err();
    let messages: Vec<String> = refused.to_string().lines().map(str::to_owned).collect();
    assert_eq!(messages, expected);
}

/// The entry point as Traefik's API prints it, and what of it differs from the default one.
fn check_entry_point(flags: &[&str], expected: &serde_json::Value) {
    let mut all = vec!["--entrypoints.web.address=:1".to_owned()];
    all.extend(flags.iter().map(|flag| format!("--entrypoints.web.{flag}")));
    let world = World {
        args: all,
        ..World::default()
    };
    let entry_point = &world.loaded().entry_points["web"];
    let mut default = json!({
        "address": ":1",
        "transport": {
            "lifeCycle": {"graceTimeOut": "10s"},
            "respondingTimeouts": {"readTimeout": "1m0s", "idleTimeout": "3m0s"},
        },
        "forwardedHeaders": {},
        "http": {"sanitizePath": true, "maxHeaderBytes": 1_048_576},
        "http2": {
            "maxConcurrentStreams": 250,
            "maxDecoderHeaderTableSize": 4096,
            "maxEncoderHeaderTableSize": 4096,
        },
        "udp": {"timeout": "3s"},
    });
    overlay(&mut default, expected);
    assert_eq!(
        serde_json::to_value(entry_point).unwrap(),
        default,
        "{flags:?}"
    );
}

fn overlay(base: &mut serde_json::Value, change: &serde_json::Value) {
    match (base, change) {
        (serde_json::Value::Object(base), serde_json::Value::Object(change)) => {
            for (key, value) in change {
                if value.is_null() {
                    base.remove(key);
                } else {
                    overlay(base.entry(key).or_insert_with(|| json!({})), value);
                }
            }
        }
        (base, change) => *base = change.clone(),
    }
}

#[test]
fn every_option_of_traefik_is_known() {
    let flags = include_str!("../../testdata/traefik-3.7.15-flags.txt");
    let mut n_flags = 0;
    for line in flags.lines() {
        let (flag, default) = line.split_once(" (Default: ").unwrap_or((line, ""));
        let flag = flag.trim().replace("<name>", "some").replace("[n]", "[0]");
        let default = default.trim().trim_end_matches(')').trim_matches('"');
        let world = args(&[&format!("{flag}={default}")]);
        let diagnostics = match world.load() {
            Ok(loaded) => loaded.diagnostics,
            Err(refused) => refused.diagnostics,
        };
        let unknown = diagnostics
            .iter()
            .find(|diagnostic| diagnostic.reason == reason::UNKNOWN_OPTION);
        assert_eq!(unknown, None, "{line}");
        n_flags += 1;
    }
    assert_eq!(n_flags, 547);
}

#[test]
fn entry_points_print_as_in_traefik() {
    check_entry_point(&[], &json!({}));
    check_entry_point(
        &[
            "asdefault",
            "reuseport",
            "allowacmebypass",
            "transport.lifecycle.gracetimeout=0",
            "transport.lifecycle.requestacceptgracetimeout=1",
            "transport.respondingtimeouts.readtimeout=0",
            "transport.respondingtimeouts.writetimeout=2",
            "transport.keepalivemaxtime=3",
            "transport.keepalivemaxrequests=4",
            "proxyprotocol.insecure",
            "proxyprotocol.trustedips=10.0.0.1",
            "forwardedheaders.insecure",
            "forwardedheaders.trustedips=10.0.0.0/8, ::1",
            "forwardedheaders.connection=foo",
            "forwardedheaders.notappendxforwardedfor",
            "http.redirections.entrypoint.to=web",
            "http.middlewares=a,b",
            "http.tls.options=x",
            "http.tls.certresolver=le",
            "http.encodequerysemicolons",
            "http.sanitizepath=false",
            "http.maxheaderbytes=100",
            "http.encodedcharacters.allowencodedslash=false",
            "http.underscoreheadersstrategy=delete",
            "http.aliasheadersstrategy=delete",
            "http2.maxconcurrentstreams=1",
            "http2.maxdecoderheadertablesize=2",
            "http2.maxencoderheadertablesize=3",
            "http3.advertisedport=443",
            "udp.timeout=1",
            "observability.accesslogs=false",
            "observability.traceverbosity=detailed",
        ],
        &json!({
            "asDefault": true, "reusePort": true, "allowACMEByPass": true,
            "transport": {
                "lifeCycle": {"graceTimeOut": null, "requestAcceptGraceTimeout": "1s"},
                "respondingTimeouts": {"readTimeout": null, "writeTimeout": "2s"},
                "keepAliveMaxTime": "3s", "keepAliveMaxRequests": 4,
            },
            "proxyProtocol": {"insecure": true, "trustedIPs": ["10.0.0.1"]},
            "forwardedHeaders": {"insecure": true, "trustedIPs": ["10.0.0.0/8", "::1"], "connection": ["foo"], "notAppendXForwardedFor": true},
            "http": {
                "redirections": {"entryPoint": {"to": "web", "scheme": "https", "permanent": true, "priority": 9_223_372_036_854_775_806_i64}},
                "middlewares": ["a", "b"], "tls": {"options": "x", "certResolver": "le"},
                "encodedCharacters": {"allowEncodedBackSlash": true, "allowEncodedNullCharacter": true, "allowEncodedSemicolon": true, "allowEncodedPercent": true, "allowEncodedQuestionMark": true, "allowEncodedHash": true},
                "encodeQuerySemicolons": true, "sanitizePath": false, "maxHeaderBytes": 100,
                "aliasHeadersStrategy": "delete", "underscoreHeadersStrategy": "delete",
            },
            "http2": {"maxConcurrentStreams": 1, "maxDecoderHeaderTableSize": 2, "maxEncoderHeaderTableSize": 3},
            "http3": {"advertisedPort": 443}, "udp": {"timeout": "1s"},
            "observability": {"accessLogs": false, "metrics": true, "tracing": true, "traceVerbosity": "detailed"},
        }),
    );
    check_entry_point(
        &["http3", "proxyprotocol", "http.tls"],
        &json!({"http3": {}, "proxyProtocol": {}, "http": {"tls": {}}}),
    );
    check_entry_point(
        &[
            "http3=false",
            "http2.maxconcurrentstreams=0",
            "udp.timeout=0",
        ],
        &json!({"http2": {"maxConcurrentStreams": null}, "udp": {"timeout": null}}),
    );
    check_entry_point(
        &[
            "http.tls.domains[0].main=a",
            "http.tls.domains[0].sans=b,c",
            "http.tls.domains[1].main=d",
            "http.middlewares[0]=a",
            "http.middlewares[1]=b",
        ],
        &json!({"http": {"middlewares": ["a", "b"], "tls": {"domains": [{"main": "a", "sans": ["b", "c"]}, {"main": "d"}]}}}),
    );
}

#[test]
fn an_entry_point_prints_its_fields_in_traefiks_order() {
    let printed =
        serde_json::to_string(&args(&["--api.insecure"]).loaded().entry_points["traefik"]);
    assert_eq!(
        printed.unwrap(),
        r#"{"address":":8080","transport":{"lifeCycle":{"graceTimeOut":"10s"},"respondingTimeouts":{"readTimeout":"1m0s","idleTimeout":"3m0s"}},"forwardedHeaders":{},"http":{"sanitizePath":true,"maxHeaderBytes":1048576},"http2":{"maxConcurrentStreams":250,"maxDecoderHeaderTableSize":4096,"maxEncoderHeaderTableSize":4096},"udp":{"timeout":"3s"}}"#
    );
}

#[test]
fn entry_points_are_added_where_they_are_needed() {
    for (flags, expected) in [
        (&[][..], &["http"][..]),
        (&["--entrypoints.web.address=:1"], &["web"]),
        (&["--api.insecure"], &["http", "traefik"]),
        (&["--api"], &["http"]),
        (&["--api=false", "--ping=false"], &["http"]),
        (&["--ping"], &["http", "traefik"]),
        (&["--ping.manualrouting"], &["http"]),
        (&["--ping.entrypoint=http"], &["http"]),
        (
            &["--api.insecure", "--entrypoints.traefik.address=:1"],
            &["traefik"],
        ),
        (&["--metrics.prometheus"], &["http"]),
    ] {
        let configuration = args(flags).loaded();
        let names: Vec<&String> = configuration.entry_points.keys().collect();
        assert_eq!(names, expected, "{flags:?}");
    }
}

#[test]
fn routers_without_entry_points_get_the_default_ones() {
    let all = [
        "--entrypoints.b.address=:1",
        "--entrypoints.a.address=:2",
        "--entrypoints.u.address=:3/udp",
        "--api.insecure",
    ];
    assert_eq!(args(&all).loaded().default_entry_points(), ["a", "b"]);
    let chosen = [
        &all[..],
        &[
            "--entrypoints.b.asdefault",
            "--entrypoints.traefik.address=:4",
            "--entrypoints.traefik.asdefault",
        ],
    ]
    .concat();
    assert_eq!(args(&chosen).loaded().default_entry_points(), ["b"]);
}

#[test]
fn flags_are_read_as_traefik_reads_them() {
    let configuration = args(&[
        "--entryPoints.Web.Address=:1",
        "--entrypoints.web.address=:2",
        "-api.insecure=1",
        "--providers.file.filename",
        "/x.yml",
        "--API.dashboard=F",
        "--log.level=debug",
        "--providers.providersThrottleDuration=500ms",
        "--certificatesresolvers.Le.acme.email=x",
    ])
    .loaded();
    assert_eq!(configuration.entry_points["Web"].address.as_str(), ":2");
    let api = configuration.api.unwrap();
    assert!(api.insecure && !api.dashboard);
    assert_eq!(configuration.providers.file.unwrap().filename, "/x.yml");
    assert_eq!(configuration.log.level, LogLevel::Debug);
    assert_eq!(
        configuration
            .certificates_resolvers
            .into_iter()
            .collect::<Vec<_>>(),
        ["Le"]
    );
}

#[test]
fn the_environment_is_read_as_traefik_reads_it() {
    let configuration = World::default()
        .with_env(&[
            ("TRAEFIK_ENTRYPOINTS_WEB_ADDRESS", ":1"),
            ("TRAEFIK_ENTRYPOINTS_WEB_HTTP_TLS_DOMAINS_0_MAIN", "m"),
            ("TRAEFIK_ENTRYPOINTS_WEB_HTTP_MIDDLEWARES", "a,b"),
            ("TRAEFIK_PING", ""),
            // Clusters set such variables for a Service named `traefik`.
            ("TRAEFIK_PORT_80_TCP", "tcp://10.0.0.1:80"),
            ("TRAEFIK_SERVICE_HOST", "10.0.0.1"),
            ("traefik_api", "true"),
        ])
        .loaded();
    let web = &configuration.entry_points["web"];
    assert_eq!(web.http.middlewares, ["a", "b"]);
    assert_eq!(web.http.tls.as_ref().unwrap().domains[0].main, "m");
    assert!(configuration.ping.is_some());
    assert!(configuration.api.is_none());
}

/// One HTTP provider, from each of the sources.
#[test]
fn an_http_provider_is_read_from_everywhere() {
    let text = "providers: {http: {endpoint: 'http://u:hidden@a/', pollInterval: 1m, pollTimeout: 2, maxResponseBodySize: 9, headers: {x-token: hidden}, tls: {ca: /ca.pem, insecureSkipVerify: true}}}";
    let options = [
        ("endpoint", "http://u:hidden@a/"),
        ("pollinterval", "1m"),
        ("polltimeout", "2"),
        ("maxresponsebodysize", "9"),
        ("headers.x-token", "hidden"),
        ("tls.ca", "/ca.pem"),
        ("tls.insecureskipverify", "true"),
    ];
    let flags = options.map(|(name, value)| format!("--providers.http.{name}={value}"));
    let variables = options.map(|(name, value)| {
        let name = format!("providers.http.{name}").replace('.', "_");
        (format!("TRAEFIK_{}", name.to_uppercase()), value.to_owned())
    });
    let environment = World {
        env: variables.to_vec(),
        ..World::default()
    };
    for world in [
        file("/t.yml", text),
        args(&flags.each_ref().map(String::as_str)),
        environment,
    ] {
        let loaded = world.load().unwrap();
        assert_eq!(loaded.diagnostics, []);
        let http = loaded.configuration.providers.http.unwrap();
        assert_eq!(http.endpoint.expose(), "http://u:hidden@a/");
        assert_eq!(http.poll_interval, GoDuration::from_secs(60));
        assert_eq!(http.poll_timeout, GoDuration::from_secs(2));
        assert_eq!(http.max_response_body_size, 9);
        assert_eq!(http.headers["x-token"].expose(), "hidden");
        let tls = http.tls.as_ref().unwrap();
        assert_eq!(tls.ca.expose(), "/ca.pem");
        assert!(tls.insecure_skip_verify);
        assert!(!format!("{http:?}").contains("hidden"), "{http:?}");
    }
}

#[test]
fn an_http_provider_has_to_poll() {
    let refused = "error[InvalidValue] option providers.http.pollInterval: poll interval must be greater than 0 (start refused)";
    for interval in ["0", "-1s"] {
        let interval = format!("--providers.http.pollinterval={interval}");
        check_refused(
            &args(&["--providers.http.endpoint=http://a/", &interval]),
            &[refused],
        );
    }
    let unset = args(&["--providers.http.endpoint=http://a/"]).loaded();
    let http = unset.providers.http.unwrap();
    assert_eq!(http.poll_interval, GoDuration::from_secs(5));
    assert_eq!(http.poll_timeout, GoDuration::from_secs(5));
    assert_eq!(http.max_response_body_size, -1);
}

#[test]
fn only_the_first_source_counts() {
    let world = file("/t.yml", "ping: {}")
        .with_env(&[("TRAEFIK_LOG_LEVEL", "INFO")])
        .with_file("./traefik.yml", "api: {}");
    let loaded = world.load().unwrap();
    assert_eq!(loaded.source, Source::File("/t.yml".into()));
    assert_eq!(loaded.configuration.log.level, LogLevel::Error);

    let mut world = args(&["--ping"]).with_env(&[("TRAEFIK_LOG_LEVEL", "INFO")]);
    let loaded = world.load().unwrap();
    assert_eq!(loaded.source, Source::Flags);
    let ignored: Vec<String> = loaded.diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(
        ignored,
        [
            "warning[Ignored] option TRAEFIK_LOG_LEVEL: not looked at, since the configuration is read from the command line"
        ]
    );

    world.args.clear();
    assert_eq!(world.load().unwrap().source, Source::Environment);
    world.env.clear();
    assert_eq!(world.load().unwrap().source, Source::Nothing);
}

#[test]
fn files_are_looked_for_where_traefik_looks() {
    let env = [("HOME", "/h"), ("XDG_CONFIG_HOME", "/xdg")];
    let mut world = World::default().with_env(&env);
    for name in [
        "./traefik.yml",
        "./traefik.yaml",
        "./traefik.toml",
        "/h/.config/traefik.yml",
        "/xdg/traefik.yml",
        "/etc/traefik/traefik.yml",
    ] {
        world = world.with_file(name, "");
        assert_eq!(world.load().unwrap().source, Source::File(name.into()));
    }
}

#[test]
fn what_does_not_exist_is_named_with_its_place() {
    check_refused(
        &file(
            "/t.yml",
            "entryPoints:\n  web:\n    adress: ':80'\n    address: ':80'\npign: {}\nlog: {levl: x}\n",
        ),
        &[
            "/t.yml:3: error[UnknownOption] option entryPoints.web.adress: there is no option \"adress\", did you mean \"address\"? (start refused)",
            "/t.yml:5: error[UnknownOption] option pign: there is no option \"pign\", did you mean \"ping\"? (start refused)",
            "/t.yml:6: error[UnknownOption] option log.levl: there is no option \"levl\", did you mean \"level\"? (start refused)",
        ],
    );
    check_refused(
        &file(
            "/t.toml",
            "[entryPoints.web]\naddress = \":80\"\n[tracing.jaeger]\n",
        ),
        &[
            "/t.toml:3: error[UnknownOption] option tracing.jaeger: there is no option \"jaeger\": use `tracing.otlp` (start refused)",
        ],
    );
    check_refused(
        &args(&["--entrypoints.web.adress=:80", "--foo", "--log.level=INFO"]),
        &[
            "error[UnknownOption] option --entrypoints.web.adress: there is no option \"adress\", did you mean \"address\"? (start refused)",
            "error[UnknownOption] option --foo: there is no option \"foo\" (start refused)",
        ],
    );
    check_refused(
        &World::default().with_env(&[("TRAEFIK_API_INSECUR", "true")]),
        &[
            "error[UnknownOption] option TRAEFIK_API_INSECUR: there is no option \"insecur\", did you mean \"insecure\"? (start refused)",
        ],
    );
}

#[test]
fn values_that_do_not_fit_are_named_with_their_place() {
    for (flag, expected) in [
        (
            "--entrypoints.web.address=:80/sctp",
            "invalid address \":80/sctp\": invalid protocol: sctp",
        ),
        (
            "--entrypoints.web.http2.maxconcurrentstreams=-1",
            "expected a whole number, found \"-1\"",
        ),
        (
            "--api.insecure=foo",
            "expected true or false, found \"foo\"",
        ),
        (
            "--core.defaultrulesyntax=v4",
            "unknown variant `v4`, expected `v2` or `v3`",
        ),
        (
            "--log.level=foo",
            "unknown log level \"foo\": use TRACE, DEBUG, INFO, WARN, ERROR, FATAL or PANIC",
        ),
        (
            "--serverstransport.forwardingtimeouts.dialtimeout=x",
            "invalid duration \"x\": expected a number with a unit, such as `10s`",
        ),
        (
            "--providers.http.headers=Authorization: hidden",
            "expected names of headers with a text each",
        ),
        (
            "--ping.terminatingstatuscode=x",
            "expected a whole number, found \"x\"",
        ),
    ] {
        let name = flag.split('=').next().unwrap();
        check_refused(
            &args(&[flag]),
            &[&format!(
                "error[InvalidValue] option {name}: {expected} (start refused)"
            )],
        );
    }
    for (flag, expected) in [
        (
            "--api.basepath=foo",
            "error[InvalidValue] option api.basePath: API basePath must be a valid absolute URL path (start refused)",
        ),
        (
            "--providers.precedence=foo",
            "error[NotFound] option providers.precedence: provider \"foo\" is not a valid provider name (start refused)",
        ),
        (
            "--providers.file.watch",
            "error[InvalidValue] option providers.file: neither `filename` nor `directory` is given (start refused)",
        ),
        (
            "--providers.http",
            "error[InvalidValue] option providers.http.endpoint: non-empty endpoint is required (start refused)",
        ),
        (
            "--entrypoints.web.http.tls",
            "error[InvalidValue] option --entrypoints.web.http.tls: missing field `address` (start refused)",
        ),
        (
            "--entrypoints.web.address",
            "error[UnknownOption] argument --entrypoints.web.address: a value is missing (start refused)",
        ),
        (
            "run",
            "error[UnknownOption] argument run: expected an option, such as `--api` (start refused)",
        ),
        (
            "--configfile=/nope.yml",
            "error[Unreadable] file /nope.yml: entity not found (start refused)",
        ),
    ] {
        check_refused(&args(&[flag]), &[expected]);
    }
    check_refused(
        &file(
            "/t.yml",
            "entryPoints:\n  web:\n    address: ':80'\n    forwardedHeaders:\n      trustedIPs: [10.0.0.0/8,\n        foo]\n",
        ),
        &[
            "/t.yml:6: error[InvalidValue] option entryPoints.web.forwardedHeaders.trustedIPs[1]: invalid trusted IP \"foo\": expected an address or a network, such as `10.0.0.0/8` (start refused)",
        ],
    );
    check_refused(
        &file(
            "/t.yml",
            "entryPoints: {web: {address: ':80', transport: {}}}",
        ),
        &[
            "/t.yml:1: error[EmptyElement] option entryPoints.web.transport: transport cannot be a standalone element: it needs at least one field (start refused)",
        ],
    );
    check_refused(
        &file("/t.yml", "ping: {}\nping: {}\n"),
        &[
            "/t.yml:1: error[Unparsable] file /t.yml: not YAML: duplicate entry with key \"ping\" (start refused)",
        ],
    );
}

#[test]
fn what_is_not_served_is_said_once() {
    let loaded = file(
        "/t.yml",
        "accessLog: {format: json, filters: {retryAttempts: true}}\nproviders: {docker: {watch: true}}\ncore: {strictTLSOptions: true}\nglobal: {checkNewVersion: false, sendAnonymousUsage: false}\nentryPoints: {web: {address: ':80', http3: {}}}\n",
    )
    .load()
    .unwrap();
    let said: Vec<String> = loaded.diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "/t.yml:1: warning[NotServed] option accessLog: accessLog is known, but not served yet (not served yet)",
            "/t.yml:2: warning[NotServed] option providers.docker: providers.docker is known, but not served yet (not served yet)",
            "/t.yml:3: warning[NotServed] option core.strictTLSOptions: core.strictTLSOptions is known, but not served yet (not served yet)",
            "/t.yml:5: warning[NotServed] option entryPoints.web.http3: entryPoints.web.http3 is known, but not served yet (not served yet)",
        ]
    );
    let unknown = file("/t.yml", "providers: {docker: {wach: true}}")
        .load()
        .unwrap_err();
    assert!(
        unknown.to_string().contains("did you mean \"watch\"?"),
        "{unknown}"
    );
}

#[test]
fn a_redirection_to_nowhere_leaves_the_rest_alone() {
    let loaded = args(&[
        "--entrypoints.web.address=:1",
        "--entrypoints.web.http.redirections.entrypoint.to=foo",
    ])
    .load()
    .unwrap();
    let [diagnostic] = &loaded.diagnostics[..] else {
        panic!("{:?}", loaded.diagnostics)
    };
    assert_eq!(diagnostic.consequence, Consequence::PartLeftOut);
    assert_eq!(
        diagnostic.message,
        "'to' entry point field references a non-existing entry point: foo"
    );
}

#[test]
fn an_empty_list_of_cross_provider_namespaces_is_not_an_unset_one() {
    let read = |text| {
        file("/t.yml", text)
            .loaded()
            .providers
            .kubernetes_crd
            .unwrap()
            .cross_provider_namespaces
    };
    assert_eq!(read("providers: {kubernetesCRD: {}}"), None);
    assert_eq!(
        read("providers: {kubernetesCRD: {crossProviderNamespaces: []}}"),
        Some(vec![])
    );
    let flag = args(&["--providers.kubernetescrd.crossprovidernamespaces="]).loaded();
    assert_eq!(
        flag.providers
            .kubernetes_crd
            .unwrap()
            .cross_provider_namespaces,
        Some(vec![])
    );
}

proptest! {
    #[test]
    fn no_command_line_panics(args in prop::collection::vec("-{0,2}[a-z\\[\\]0-9.=]{0,30}", 0..6)) {
        let world = World { args, ..World::default() };
        drop(world.load());
    }

    #[test]
    fn no_words_of_options_panic(words in prop::collection::vec(prop::sample::select(vec![
        "entrypoints", "web", "http", "tls", "domains", "0", "main", "address", "api", "insecure", "providers", "file", "plugin", "x",
    ]), 1..7), value in "[a-z0-9:/,]{0,10}") {
        let flag = args(&[&format!("--{}={value}", words.join("."))]);
        drop(flag.load());
        let env = World::default().with_env(&[(&format!("TRAEFIK_{}", words.join("_")), &value)]);
        drop(env.load());
    }
}
