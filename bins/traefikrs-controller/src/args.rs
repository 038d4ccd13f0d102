//! The command line.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::PathBuf;

use clap::error::{Error, ErrorKind as Usage};
use clap::{CommandFactory as _, Parser, Subcommand, ValueEnum};
use traefikrs_config::static_config::{KubernetesCrd, StaticConfiguration, Surroundings};
use traefikrs_k8s_translate::Options;

/// What the user asks for.
#[derive(Debug, Parser)]
#[command(
    name = "traefikrs-controller",
    version,
    about = "Translates Kubernetes objects to Traefik's dynamic configuration"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) task: Task,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Prints the dynamic configuration that Kubernetes manifests ask for
    #[command(after_help = TRANSLATE_HELP)]
    Translate(Translate),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Translate {
    /// Manifests: files, directories (all .yaml, .yml and .json files below), or `-` for the standard input
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// How diagnostics are written to the standard error
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
    /// What the provider's flags say.
    #[arg(skip)]
    pub(crate) options: Options,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// One line of text each, and a summary
    Human,
    /// One JSON object per line
    Json,
}

const TRANSLATE_HELP: &str = "\
Provider flags are those of Traefik's Kubernetes CRD provider, in any case, with a value after `=`:
  --providers.kubernetescrd.allowCrossNamespace[=true|false]
  --providers.kubernetescrd.allowExternalNameServices[=true|false]
  --providers.kubernetescrd.allowEmptyServices[=true|false]
  --providers.kubernetescrd.allowServiceHealthChecks[=true|false]   (ours)
  --providers.kubernetescrd.nativeLBByDefault[=true|false]
  --providers.kubernetescrd.disableClusterScopeResources[=true|false]
  --providers.kubernetescrd.safeNaming[=true|false]
  --providers.kubernetescrd.namespaces=a,b
  --providers.kubernetescrd.crossProviderNamespaces=a,b   (unset: all; empty: none)
  --providers.kubernetescrd.labelSelector=app=web
  --providers.kubernetescrd.ingressClass=internal
  --providers.kubernetescrd.defaultTLSResourcesNamespace=a

The configuration goes to the standard output as JSON, with certificates, keys and authorities left out;
diagnostics go to the standard error. The manifests are read as an API server would keep them: defaults
are filled in, unknown fields are dropped and reported.

Exit status: 0 when a configuration was made, whatever the diagnostics say, also about a broken document
among good ones; 2 when an input could not be read: a path that does not exist, or a file in which no
document is YAML or JSON.

Examples:
  traefikrs-controller translate manifests/
  traefikrs-controller translate --providers.kubernetescrd.allowCrossNamespace=true a.yaml b.yaml
  kubectl get ingressroutes,middlewares,services,endpointslices -A -o yaml | traefikrs-controller translate -
";

/// Reads the command line. Traefik's own flags have dots and no case, so they are taken out first.
pub(crate) fn parse(words: impl Iterator<Item = OsString>) -> Result<Args, Error> {
    let (flags, words): (Vec<OsString>, Vec<OsString>) = words.partition(is_provider_flag);
    let mut args = Args::try_parse_from(words)?;
    let Task::Translate(translate) = &mut args.task;
    translate.options = options(&flags)
        .map_err(|problem| Args::command().error(Usage::ValueValidation, problem))?;
    Ok(args)
}

fn is_provider_flag(word: &OsString) -> bool {
    word.to_string_lossy()
        .to_ascii_lowercase()
        .starts_with("--providers.kubernetescrd")
}

fn options(flags: &[OsString]) -> Result<Options, String> {
    let args: Vec<String> = flags
        .iter()
        .map(|flag| flag.to_string_lossy().into_owned())
        .collect();
    let loaded = StaticConfiguration::load(&Surroundings {
        args: &args,
        env: &[],
        // The flags stand alone here: files of the machine do not count.
        read: &|_| Err(ErrorKind::NotFound.into()),
    });
    let provider = loaded
        .map_err(|refused| refused.to_string())?
        .configuration
        .providers
        .kubernetes_crd
        .unwrap_or_else(KubernetesCrd::default);
    Options::try_from(&provider).map_err(|error| error.to_string())
}
