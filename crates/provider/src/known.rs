//! What a text asks for, as long as it can be understood.

use std::sync::Arc;

use traefikrs_config::Diagnostic;
use traefikrs_config::dynamic::{Configuration, Decoder};

/// What does a text that is read again and again say? What cannot be understood changes nothing.
#[derive(Debug, Default)]
pub(crate) struct Known {
    text: Option<Arc<str>>,
    decoder: Decoder,
    /// Whether it names other files, which may have changed without it.
    names_files: bool,
    pub(crate) configuration: Arc<Configuration>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

pub(crate) type Decoded = Result<(Configuration, Vec<Diagnostic>), Box<Diagnostic>>;

impl Known {
    /// What the text says now.
    pub(crate) fn reading(
        mut self,
        text: Arc<str>,
        decode: impl FnOnce(&Arc<str>, &mut Decoder) -> Decoded,
    ) -> Self {
        if self.text.as_ref() == Some(&text) && !self.names_files {
            return self;
        }
        match decode(&text, &mut self.decoder) {
            Ok((mut configuration, diagnostics)) => Self {
                text: Some(text),
                decoder: self.decoder,
                names_files: configuration.read_files(|path| std::fs::read_to_string(path)),
                configuration: Arc::new(configuration),
                diagnostics,
            },
            Err(diagnostic) => self.unchanged(Some(text), *diagnostic),
        }
    }

    /// What it said before, since it cannot be read now.
    pub(crate) fn unread(self, problem: Diagnostic) -> Self {
        self.unchanged(None, problem)
    }

    fn unchanged(self, text: Option<Arc<str>>, problem: Diagnostic) -> Self {
        Self {
            text,
            diagnostics: vec![problem],
            ..self
        }
    }
}
