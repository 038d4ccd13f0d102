//! A proxy of one route, to be measured: `bench_proxy LISTEN SERVER [WORKERS]`.
//!
//! ```text
//! cargo run --release --example bench_proxy -- 127.0.0.1:8000 http://127.0.0.1:8001
//! ```

use std::sync::Arc;

use arc_swap::ArcSwap;
use serde_json::json;
use traefikrs_compile::{Options as CompileOptions, compile};
use traefikrs_dataplane::{Dataplane, EntryPointOptions, Options, PingOptions};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "bench_proxy LISTEN SERVER [WORKERS]";
    let address = arguments.next().ok_or(usage)?.parse()?;
    let server = arguments.next().ok_or(usage)?;
    let workers = arguments.next().map_or(Ok(1), |workers| workers.parse())?;

    let configuration = serde_json::from_value(json!({ "http": {
        "routers": { "bench@file": { "entryPoints": ["web"], "rule": "Host(`bench.test`)", "service": "server" } },
        "services": { "server@file": { "loadBalancer": { "servers": [{ "url": server }] } } },
        "serversTransports": { "default@internal": { "maxIdleConnsPerHost": 200 } },
    }}))?;
    let compile_options = CompileOptions {
        entry_points: [("web".to_owned(), Default::default())].into(),
        ..CompileOptions::default()
    };
    let generation = compile(&configuration, &compile_options, None);
    let options = Options {
        workers,
        entry_points: vec![EntryPointOptions::new("web", address)],
        ping: PingOptions::default(),
        server_name: None,
    };
    Dataplane::start(options, Arc::new(ArcSwap::from_pointee(generation)), None)?.wait()?;
    Ok(())
}
