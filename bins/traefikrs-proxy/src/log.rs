//! The process's own log.

use std::fs::OpenOptions;
use std::io;
use std::panic::PanicHookInfo;
use std::sync::Mutex;

use anyhow::Context;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use traefikrs_config::static_config::{Log, LogFormat, LogLevel};

/// Begins to log as configured.
pub(crate) fn start(log: &Log) -> anyhow::Result<()> {
    let writer = if log.file_path.is_empty() {
        BoxMakeWriter::new(io::stdout)
    } else {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log.file_path);
        let file = file.with_context(|| format!("cannot open the log file {}", log.file_path))?;
        BoxMakeWriter::new(Mutex::new(file))
    };
    let level = match log.level {
        LogLevel::Trace => LevelFilter::TRACE,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Error | LogLevel::Fatal | LogLevel::Panic => LevelFilter::ERROR,
    };
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(writer)
        // It would be said on an output that may be as closed as the log is, and then panic.
        .log_internal_errors(false)
        .with_target(false);
    let ansi =
        log.file_path.is_empty() && !log.no_color && io::IsTerminal::is_terminal(&io::stdout());
    match log.format {
        LogFormat::Json => subscriber.json().flatten_event(true).init(),
        LogFormat::Common => subscriber.with_ansi(ansi).init(),
    }
    std::panic::set_hook(Box::new(report_panic));
    Ok(())
}

/// A panic ends what it happens in, and the rest goes on: the log is where that is seen.
fn report_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string);
    let message = panic.payload_as_str().unwrap_or("no message");
    tracing::error!(location, "panicked: {message}");
}
