//! The parts put together.

use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use anyhow::Context;
use http::StatusCode;
use serde_json::Value;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use traefikrs_api::{Api, Facts};
use traefikrs_compile::EntryPointOptions;
use traefikrs_config::internal::{INTERNAL, internal_configuration};
use traefikrs_config::merge::MergeOptions;
use traefikrs_config::static_config::{EntryPoint, Loaded, StaticConfiguration};
use traefikrs_dataplane::{Dataplane, PingOptions, Running};
use traefikrs_k8s_provider::ManifestProvider;
use traefikrs_provider::{Aggregator, FileProvider};
use traefikrs_router::Precedence;

use crate::control::{self, Control, Published};
use crate::{entry_point, log};

/// Serves until it is told to stop.
#[expect(
    clippy::print_stderr,
    reason = "an error that ends the process may come before there is a log"
)]
pub(crate) fn run(loaded: &Loaded) -> ExitCode {
    match serve(loaded) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("traefikrs-proxy: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn serve(loaded: &Loaded) -> anyhow::Result<()> {
    let configuration = &loaded.configuration;
    log::start(&configuration.log)?;
    tracing::info!("configuration read from {}", loaded.source);
    loaded.diagnostics.iter().for_each(control::log);

    let published = Published::default();
    let control = control(loaded, published.clone())?;
    let running = start_dataplane(configuration, &published)?;
    for (name, address) in running.addresses() {
        tracing::info!(%address, "entry point {name} listens");
    }
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the control runtime")?;
    let aggregator = aggregator(configuration)?;
    runtime.block_on(async {
        let providers = aggregator.start();
        tokio::spawn(control.run(providers.snapshots()));
        stop_signal().await
    })?;
    tracing::info!("stopping");
    running.shutdown();
    running.wait().context("a worker failed")
}

fn control(loaded: &Loaded, published: Published) -> anyhow::Result<Control> {
    let configuration = &loaded.configuration;
    let entry_points = served_entry_points(configuration).map(|(name, entry_point)| {
        let denied = entry_point
            .http
            .encoded_characters
            .as_ref()
            .map(Into::into)
            .unwrap_or_default();
        (name.clone(), EntryPointOptions { denied })
    });
    let precedence = match configuration.providers.precedence.as_slice() {
        [] => Precedence::documented(),
        names => Precedence::new(names).context("providers.precedence")?,
    };
    Ok(Control {
        merge: MergeOptions::from(configuration),
        compile: traefikrs_compile::Options {
            entry_points: entry_points.collect(),
            precedence,
        },
        findings: loaded.diagnostics.clone(),
        published,
    })
}

/// The entry points that listen: those for UDP do not yet.
fn served_entry_points(
    configuration: &StaticConfiguration,
) -> impl Iterator<Item = (&String, &EntryPoint)> {
    let entry_points = configuration.entry_points.iter();
    entry_points.filter(|(_, entry_point)| !entry_point.is_udp())
}

fn start_dataplane(
    configuration: &StaticConfiguration,
    published: &Published,
) -> anyhow::Result<Running> {
    let entry_points =
        served_entry_points(configuration).map(|(name, served)| entry_point::options(name, served));
    let ping = configuration.ping.clone().unwrap_or_default();
    let options = traefikrs_dataplane::Options {
        workers: thread::available_parallelism().map_or(1, Into::into),
        entry_points: entry_points.collect::<Result<_, _>>()?,
        ping: PingOptions {
            terminating_status: StatusCode::from_u16(ping.terminating_status_code)
                .context("ping.terminatingStatusCode")?,
        },
        server_name: None,
    };
    let api = configuration
        .api
        .is_some()
        .then(|| api(configuration, published));
    Dataplane::start(options, Arc::clone(&published.compiled), api).context("cannot start")
}

fn api(configuration: &StaticConfiguration, published: &Published) -> traefikrs_dataplane::Api {
    let entry_points = configuration
        .entry_points
        .iter()
        .filter_map(|(name, entry_point)| {
            let mut json = serde_json::to_value(entry_point).ok()?;
            json["name"] = name.as_str().into();
            Some(json)
        });
    let providers = &configuration.providers;
    let names = [
        ("File", providers.file.is_some()),
        (
            "KubernetesManifests",
            providers.kubernetes_manifests.is_some(),
        ),
    ];
    let api = Api::new(Facts {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        start_date: jiff::Timestamp::now().to_string(),
        entry_points: entry_points.collect::<Vec<Value>>(),
        providers: names
            .into_iter()
            .filter(|(_, used)| *used)
            .map(|(name, _)| name.to_owned())
            .collect(),
    });
    let generation = Arc::clone(&published.generation);
    Arc::new(move |request| {
        let report = &generation.load().report;
        api.answer(
            &request.method,
            request.uri.path(),
            request.uri.query(),
            report,
        )
    })
}

fn aggregator(configuration: &StaticConfiguration) -> anyhow::Result<Aggregator> {
    let mut aggregator = Aggregator::new(configuration.providers_throttle());
    aggregator.add_fixed(INTERNAL, internal_configuration(configuration));
    if let Some(options) = &configuration.providers.file {
        aggregator.add(FileProvider::from(options));
    }
    if let Some(options) = &configuration.providers.kubernetes_manifests {
        aggregator.add(
            ManifestProvider::new(options)
                .context("providers.kubernetesManifests.labelSelector")?,
        );
    }
    Ok(aggregator)
}

/// Waits for Ctrl-C or the termination signal.
async fn stop_signal() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot catch SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot catch SIGINT")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
