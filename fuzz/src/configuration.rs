use traefikrs_config::Format;
use traefikrs_config::dynamic::{Configuration, Origin, decode_text};
use traefikrs_config::static_config::{StaticConfiguration, Surroundings};

/// Any command line and environment makes a configuration or names what is wrong.
///
/// The input is an argument per line; a line with `TRAEFIK_` in front is a variable.
pub(crate) fn static_flags(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (variables, args): (Vec<_>, Vec<_>) =
        text.lines().partition(|line| line.starts_with("TRAEFIK_"));
    let args: Vec<String> = args.into_iter().map(str::to_owned).collect();
    let env: Vec<_> = variables
        .into_iter()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let loaded = StaticConfiguration::load(&Surroundings {
        args: &args,
        env: &env,
        read: &|_| Err(std::io::ErrorKind::NotFound.into()),
    });
    match loaded {
        Ok(loaded) => assert!(!loaded.configuration.entry_points.is_empty()),
        Err(refused) => assert!(!refused.to_string().is_empty()),
    }
}

pub(crate) fn flag_seeds() -> Vec<Vec<u8>> {
    [
        "--entryPoints.web.address=:80\n--api.insecure",
        "--entrypoints.web.http.redirections.entrypoint.to=websecure\n--entrypoints.websecure.address=:443",
        "--providers.file.filename=/x.yml\n--providers.providersthrottleduration=2s",
        "TRAEFIK_ENTRYPOINTS_WEB_ADDRESS=:8000\nTRAEFIK_PING=true",
        "--entryPoints.web.forwardedHeaders.trustedIPs[0]=10.0.0.0/8",
        "--entryPoints.x.address=[::1]:0/udp\n--log.level=DEBUG",
    ]
    .map(|seed| seed.as_bytes().to_vec())
    .into()
}

/// Any text decodes to a configuration and findings, and what is printed as JSON reads back.
///
/// The first byte chooses the format.
pub(crate) fn dynamic(data: &[u8]) {
    let Some((format, text)) = data.split_first() else {
        return;
    };
    let format = [Format::Yaml, Format::Toml, Format::Json][usize::from(*format) % 3];
    let origin = Origin {
        provider: "file",
        file: "f",
    };
    let text = String::from_utf8_lossy(text);
    let Ok((configuration, _)) = decode_text(&text, format, origin) else {
        return;
    };
    let json = serde_json::to_string(&configuration).expect("a configuration can be printed");
    let back: Configuration = serde_json::from_str(&json).expect("what is printed reads back");
    assert_eq!(back, configuration);
}

pub(crate) fn dynamic_seeds() -> Vec<Vec<u8>> {
    [
        "\0http:\n  routers:\n    web: {rule: Host(`a`), service: s, priority: 1}\n  services:\n    s: {loadBalancer: {servers: [{url: http://a}]}}\n",
        "\u{1}[http.routers.web]\nrule = \"Path(`/`)\"\nservice = \"s\"\n[http.middlewares.m.stripPrefix]\nprefixes = [\"/a\"]\n",
        "\u{2}{\"http\":{\"middlewares\":{\"r\":{\"rateLimit\":{\"average\":1,\"period\":\"2s\"}}}}}",
        "\0a: &a [1, 2]\nb: *a\nhttp: {<<: {routers: {}}}\n",
    ]
    .map(|seed| seed.as_bytes().to_vec())
    .into()
}
