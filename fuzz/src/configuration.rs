// The first byte chooses how the rest is read.

pub(crate) fn flag_seeds() -> Vec<Vec<u8>> {
    [
        "\0--entryPoints.web.address=:80\n--api.insecure",
        "\0--entrypoints.web.http.redirections.entrypoint.to=websecure\n--entrypoints.websecure.address=:443",
        "\0--providers.file.filename=/x.yml\n--providers.providersthrottleduration=2s",
        "\x01TRAEFIK_ENTRYPOINTS_WEB_ADDRESS=:8000\nTRAEFIK_PING=true",
        "\0--entryPoints.web.forwardedHeaders.trustedIPs[0]=10.0.0.0/8",
        "\0--entryPoints.x.address=[::1]:0/udp\n--log.level=DEBUG",
    ]
    .map(|seed| seed.as_bytes().to_vec())
    .into()
}

pub(crate) fn dynamic_seeds() -> Vec<Vec<u8>> {
    [
        "\0http:\n  routers:\n    web: {rule: Host(`a`), service: s, priority: 1}\n  services:\n    s: {loadBalancer: {servers: [{url: http://a}]}}\n",
        "\x01[http.routers.web]\nrule = \"Path(`/`)\"\nservice = \"s\"\n[http.middlewares.m.stripPrefix]\nprefixes = [\"/a\"]\n",
        "\x02{\"http\":{\"middlewares\":{\"r\":{\"rateLimit\":{\"average\":1,\"period\":\"2s\"}}}}}",
        "\0a: &a [1, 2]\nb: *a\nhttp: {<<: {routers: {}}}\n",
    ]
    .map(|seed| seed.as_bytes().to_vec())
    .into()
}
