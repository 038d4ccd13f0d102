//! The process's own log.

use serde::{Deserialize, Serialize};

/// The process's own log.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Log {
    /// The least level that is written.
    pub level: LogLevel,
    /// How lines look.
    pub format: LogFormat,
    /// The file to write to; empty means standard output.
    pub file_path: String,
    /// No colours.
    pub no_color: bool,
}

/// How bad must it be to be written?
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum LogLevel {
    /// Everything.
    Trace,
    /// What helps to find a fault.
    Debug,
    /// What an operator may want to know.
    Info,
    /// What likely is not meant.
    Warn,
    /// What does not work.
    #[default]
    Error,
    /// What ends the process.
    Fatal,
    /// What must not happen.
    Panic,
}

// Traefik: in any case.
impl<'de> Deserialize<'de> for LogLevel {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(match text.to_ascii_uppercase().as_str() {
            "TRACE" => Self::Trace,
            "DEBUG" => Self::Debug,
            "INFO" => Self::Info,
            "WARN" => Self::Warn,
            "" | "ERROR" => Self::Error,
            "FATAL" => Self::Fatal,
            "PANIC" => Self::Panic,
            _ => {
                return Err(serde::de::Error::custom(format_args!(
                    "unknown log level {text:?}: use TRACE, DEBUG, INFO, WARN, ERROR, FATAL or PANIC"
                )));
            }
        })
    }
}

/// How do log lines look?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Common,
    /// One JSON object a line.
    Json,
}

// Traefik: whatever is not `json` is for people.
impl<'de> Deserialize<'de> for LogFormat {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(match text.as_str() {
            "json" => Self::Json,
            _ => Self::Common,
        })
    }
}
