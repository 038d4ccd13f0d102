//! The parts put together.

use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use anyhow::Context;
use arc_swap::ArcSwap;
use http::StatusCode;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::Value;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use traefikrs_api::{Api, Facts};
use traefikrs_compile::{EntryPointOptions, Generation};
use traefikrs_config::internal::{INTERNAL, internal_configuration};
use traefikrs_config::merge::{MergeOptions, Merged};
use traefikrs_config::static_config::{EntryPoint, Loaded, StaticConfiguration};
use traefikrs_dataplane::{Dataplane, PingOptions, Running};
use traefikrs_k8s_provider::ManifestProvider;
use traefikrs_provider::{Aggregator, FileProvider, HttpProvider, Running as Providers};
use traefikrs_router::Precedence;
use traefikrs_tls::Roots;

use crate::control::{self, Control};
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
    raise_descriptors();

    let published = Arc::new(ArcSwap::default());
    let system_roots = system_roots();
    let aggregator = aggregator(configuration, &system_roots)?;
    let control = control(loaded, system_roots, Arc::clone(&published))?;
    let running = start_dataplane(configuration, published)?;
    for (name, address) in running.addresses() {
        tracing::info!(%address, "entry point {name} listens");
    }
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the control runtime")?;
    runtime.block_on(async {
        let providers = aggregator.start();
        tokio::spawn(control.run(providers.snapshots()));
        heed_signals(&providers).await
    })?;
    // A name that is looked up for a provider may take long.
    runtime.shutdown_background();
    tracing::info!("stopping");
    running.shutdown();
    running.wait().context("a worker failed")
}

/// Takes as many open files and connections as the process may have.
///
/// Traefik: Go's runtime does so.
fn raise_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: limit.maximum,
        ..limit
    };
    if let Err(error) = setrlimit(Resource::Nofile, most) {
        tracing::warn!(%error, "cannot raise the limit of open files");
    }
}

fn control(
    loaded: &Loaded,
    system_roots: Roots,
    published: Arc<ArcSwap<Generation>>,
) -> anyhow::Result<Control> {
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
            system_roots,
        },
        findings: loaded.diagnostics.clone(),
        merged: Merged::default(),
        published,
    })
}

/// The authorities that this machine trusts, read when there is a server that they have to vouch for.
fn system_roots() -> Roots {
    Roots::on_demand(|| {
        let found = rustls_native_certs::load_native_certs();
        for problem in &found.errors {
            tracing::warn!("some of the system's root certificates cannot be read: {problem}");
        }
        let certificates = found.certs;
        tracing::debug!("{} root certificates of the system", certificates.len());
        certificates
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
    published: Arc<ArcSwap<Generation>>,
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
    let api = configuration.api.is_some().then(|| api(configuration));
    Dataplane::start(options, published, api).context("cannot start")
}

fn api(configuration: &StaticConfiguration) -> traefikrs_dataplane::Api {
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
        ("HTTP", providers.http.is_some()),
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
    Arc::new(move |request, report| {
        api.answer(
            &request.method,
            request.uri.path(),
            request.uri.query(),
            report,
        )
    })
}

fn aggregator(
    configuration: &StaticConfiguration,
    system_roots: &Roots,
) -> anyhow::Result<Aggregator> {
    let mut aggregator = Aggregator::new(configuration.providers_throttle());
    let mut internal = internal_configuration(configuration);
    internal.read_files(|path| std::fs::read_to_string(path));
    aggregator.add_fixed(INTERNAL, internal);
    if let Some(options) = &configuration.providers.file {
        aggregator.add(FileProvider::from(options));
    }
    if let Some(options) = &configuration.providers.http {
        aggregator.add(HttpProvider::new(options, system_roots).context("providers.http")?);
    }
    if let Some(options) = &configuration.providers.kubernetes_manifests {
        aggregator.add(
            ManifestProvider::new(options)
                .context("providers.kubernetesManifests.labelSelector")?,
        );
    }
    Ok(aggregator)
}

/// Serves until Ctrl-C or the termination signal; the hang-up signal has the providers look at their sources again.
///
/// Traefik: the first user signal makes it open its access log anew, and must not end a process that has none.
async fn heed_signals(providers: &Providers) -> anyhow::Result<()> {
    let catch = |kind, name| signal(kind).with_context(|| format!("cannot catch {name}"));
    let mut terminate = catch(SignalKind::terminate(), "SIGTERM")?;
    let mut interrupt = catch(SignalKind::interrupt(), "SIGINT")?;
    let mut hang_up = catch(SignalKind::hangup(), "SIGHUP")?;
    let mut user = catch(SignalKind::user_defined1(), "SIGUSR1")?;
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            _ = hang_up.recv() => {
                tracing::info!("reading the configuration again");
                providers.ask_again();
            }
            _ = user.recv() => {}
        }
    }
}
