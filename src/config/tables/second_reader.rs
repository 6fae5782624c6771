use std::{path::PathBuf, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::site::Site;
use crate::second_reader::Settings;

/// PDFs that are damaged past rebuilding, or encrypted with an empty password, are read by a process of
/// their own, one a PDF.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SecondReaderTable {
    /// Program that is started for it. Default: `kuori` itself.
    program: Option<PathBuf>,
    /// Size of the PDF.
    #[schemars(range(min = 1))]
    max_input_bytes: u64,
    /// Size of the plain PDF that is made of it.
    #[schemars(range(min = 1))]
    max_output_bytes: u64,
    /// Address space of the process.
    #[schemars(range(min = 67_108_864))]
    max_memory_bytes: u64,
    /// Processor time of the process.
    #[schemars(range(min = 1))]
    max_cpu_secs: u64,
    /// Time by the clock. A process that takes longer is ended, and the step is tried again later.
    #[schemars(range(min = 1))]
    max_wall_secs: u32,
    /// Processes at once.
    #[schemars(range(min = 1))]
    at_once: usize,
}

impl Default for SecondReaderTable {
    fn default() -> Self {
        let settings = Settings::default();
        Self {
            program: settings.program,
            max_input_bytes: settings.max_input_bytes,
            max_output_bytes: settings.max_output_bytes,
            max_memory_bytes: settings.max_memory_bytes,
            max_cpu_secs: settings.max_cpu_secs,
            max_wall_secs: u32::try_from(settings.max_wall.as_secs()).unwrap_or(u32::MAX),
            at_once: settings.at_once,
        }
    }
}

impl SecondReaderTable {
    pub(super) fn read(self, site: &Site) -> Settings {
        Settings {
            program: self.program.map(|program| site.path(&program)),
            max_input_bytes: self.max_input_bytes,
            max_output_bytes: self.max_output_bytes,
            max_memory_bytes: self.max_memory_bytes,
            max_cpu_secs: self.max_cpu_secs,
            max_wall: Duration::from_secs(self.max_wall_secs.into()),
            at_once: self.at_once,
        }
    }
}
