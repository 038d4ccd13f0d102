//! Reads bytes as files and command lines, for a fuzzer.

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::Format;
use crate::dynamic::{Origin, decode_text};
use crate::merge::{MergeOptions, merge};
use crate::static_config::{StaticConfiguration, Surroundings};

/// Decodes a dynamic configuration and merges it, for a fuzzer: nothing may panic, and the outcome
/// must not depend on anything but the text. The first byte chooses the format.
///
/// # Panics
///
/// When it has found something.
pub fn fuzz_dynamic(data: &[u8]) {
    let Some((&knobs, text)) = data.split_first() else {
        return;
    };
    let text = String::from_utf8_lossy(text);
    let format = [Format::Yaml, Format::Toml, Format::Json][usize::from(knobs) % 3];
    let origin = Origin {
        provider: "file",
        file: "fuzz",
    };
    let decoded = decode_text(&text, format, origin);
    assert_eq!(
        decoded,
        decode_text(&text, format, origin),
        "not deterministic"
    );
    let Ok((configuration, _)) = decoded else {
        return;
    };
    serde_json::to_string(&configuration).expect("a configuration prints");
    let options = MergeOptions::default();
    drop(merge(
        &[("file".to_owned(), Arc::new(configuration))].into(),
        &options,
    ));
}

/// Reads a static configuration, for a fuzzer: nothing may panic. The first byte chooses whether the
/// rest is a command line, one argument a line, variables of the environment, or a file.
pub fn fuzz_static(data: &[u8]) {
    let Some((&knobs, text)) = data.split_first() else {
        return;
    };
    let text = String::from_utf8_lossy(text);
    let lines = || text.lines().map(str::to_owned);
    let (mut args, mut env) = (Vec::new(), Vec::new());
    match knobs % 3 {
        0 => args.extend(lines()),
        1 => env.extend(text.lines().filter_map(|line| {
            let (name, value) = line.split_once('=')?;
            Some((name.to_owned(), value.to_owned()))
        })),
        _ => args.push("--configFile=fuzz.yml".to_owned()),
    }
    let read = |path: &Path| match path.to_str() {
        Some("fuzz.yml") => Ok(text.clone().into_owned()),
        _ => Err(io::ErrorKind::NotFound.into()),
    };
    drop(StaticConfiguration::load(&Surroundings {
        args: &args,
        env: &env,
        read: &read,
    }));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{fuzz_dynamic, fuzz_static};

    const SEEDS: &[&str] = &[
        "http:\n  routers:\n    a: &a {rule: x, tls: {domains: [{main: a}]}}\n    b: {<<: *a, priority: 010}\n",
        "tls: {certificates: [{certFile: a}], options: {default: {sniStrict: true}}}\n",
        "[http.services.a.loadBalancer]\npassHostHeader = false\n[[http.services.a.loadBalancer.servers]]\nurl = \"a\"\n",
        "{\"http\": {\"middlewares\": {\"a\": {\"headers\": {\"stsSeconds\": 1}}}}}",
        "--entrypoints.web.address=:80\n--entrypoints.web.http.tls.domains[0].main=a\n--providers.file.filename\nx\n--api",
        "TRAEFIK_ENTRYPOINTS_WEB_HTTP_MIDDLEWARES_0=a\nTRAEFIK_API=\n",
        "entryPoints: {web: {address: ':80', http: {tls: {}}}}\nproviders: {file: {directory: x}}\n",
    ];

    /// A seed with some bytes replaced, taken out or doubled.
    fn mutated() -> impl Strategy<Value = Vec<u8>> {
        let edits =
            prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 0..6);
        (prop::sample::select(SEEDS), edits, any::<u8>()).prop_map(|(seed, edits, knobs)| {
            let mut bytes = seed.as_bytes().to_vec();
            for (index, byte, edit) in edits {
                if bytes.is_empty() {
                    break;
                }
                let at = index.index(bytes.len());
                match edit {
                    0 => bytes[at] = byte,
                    1 => drop(bytes.remove(at)),
                    _ => bytes.insert(at, bytes[at]),
                }
            }
            bytes.insert(0, knobs);
            bytes
        })
    }

    proptest! {
        #[test]
        fn no_mutation_panics(data in mutated()) {
            fuzz_dynamic(&data);
            fuzz_static(&data);
        }
    }
}
