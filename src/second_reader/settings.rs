use std::{path::PathBuf, time::Duration};

/// What one PDF may cost, and how many at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The program that is started with `rewrite-pdf`; `None` is the one that runs.
    pub program: Option<PathBuf>,
    /// Of the sender's PDF.
    pub max_input_bytes: u64,
    /// Of the plain one.
    pub max_output_bytes: u64,
    /// Of address space, for the program and all that it holds.
    pub max_memory_bytes: u64,
    /// Of processor time.
    pub max_cpu_secs: u64,
    /// By the clock. Past it nothing is known of the file, since the machine may be busy with others.
    pub max_wall: Duration,
    /// Children that run at a time.
    pub at_once: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            program: None,
            max_input_bytes: 64 << 20,
            max_output_bytes: 128 << 20,
            max_memory_bytes: 512 << 20,
            max_cpu_secs: 5,
            max_wall: Duration::from_mins(2),
            at_once: 2,
        }
    }
}
