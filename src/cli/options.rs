use std::{env, path::PathBuf};

use clap::{ArgAction, Args};

use super::words;
use crate::telemetry::LogFormat;

/// What every command takes.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "Everywhere")]
pub(super) struct Options {
    /// The data folder: database and spool [default: `kuori-data`, or `KUORI_DATA`]
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) data_dir: Option<PathBuf>,

    /// Print one JSON document (schemas: schemas/cli/)
    #[arg(long, global = true)]
    pub(super) json: bool,

    /// No notes, no hints, no progress: only data and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,

    /// Log more; twice for all there is
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(super) verbose: u8,

    /// How log lines look [default: text]
    #[arg(long, global = true, value_name = "FORMAT",
          value_parser = words::one_of(&[LogFormat::Text, LogFormat::Json], log_format))]
    pub(super) log_format: Option<LogFormat>,
}

impl Options {
    pub(super) fn data_dir(&self) -> PathBuf {
        let named = self.data_dir.clone();
        let named = named.or_else(|| env::var_os("KUORI_DATA").map(PathBuf::from));
        named.unwrap_or_else(|| PathBuf::from("kuori-data"))
    }

    /// Which log lines are written, as `RUST_LOG` would say it; `ordinary` where neither `-q` nor
    /// `-v` is given.
    pub(super) fn log_filter<'a>(&self, ordinary: &'a str) -> &'a str {
        match (self.quiet, self.verbose) {
            (true, _) => "error",
            (false, 0) => ordinary,
            (false, 1) => "info,kuori=debug",
            (false, _) => "debug,kuori=trace",
        }
    }
}

fn log_format(format: LogFormat) -> &'static str {
    match format {
        LogFormat::Text => "text",
        LogFormat::Json => "json",
    }
}
