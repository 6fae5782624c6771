use std::process::ExitCode;

use crate::second_reader::{self, Order};

/// Given by the parent, and never by a person.
#[derive(clap::Args)]
pub(super) struct Arguments {
    #[arg(long)]
    decrypt: bool,
    #[arg(long)]
    max_input_bytes: u64,
    #[arg(long)]
    max_output_bytes: u64,
    #[arg(long)]
    max_memory_bytes: u64,
    #[arg(long)]
    max_cpu_secs: u64,
}

/// Without logs, and before anything else is set up: the process is about to take its own rights away.
pub(super) fn run(arguments: &Arguments) -> ExitCode {
    second_reader::serve(&Order {
        decrypts: arguments.decrypt,
        max_input_bytes: arguments.max_input_bytes,
        max_output_bytes: arguments.max_output_bytes,
        max_memory_bytes: arguments.max_memory_bytes,
        max_cpu_secs: arguments.max_cpu_secs,
    })
}
