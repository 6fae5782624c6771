//! TOML in; each room's plain settings out, or a list of all that is wrong.
//!
//! ```text
//! text ─check (against the schema)─► tables ─read─► Config
//!            └─► problems ◄────────────────┘
//! ```
//!
//! The format is the structs in `tables/`. Their doc comments and bounds become the JSON Schema, and
//! the schema is what a file is checked against and what `docs/settings.md` is written from, so
//! the three cannot differ. What is wrong is reported and left out; the rest is read on, so that
//! everything is told at once. A problem names the key and never repeats a value that could be a
//! secret.
//!
//! This room does not open the file, look at the environment, or know whether a folder exists.

mod check;
mod folders;
mod key_path;
mod nearest;
mod problem;
mod reference;
mod schema;
mod services;
mod settings;
mod tables;

#[cfg(test)]
mod tests;

pub(crate) use nearest::nearest;
pub use problem::Problem;
pub use reference::reference;
pub use schema::schema;
pub use settings::{
    AccountConfig, Config, ConsentFeedConfig, CourierConfig, FolderConfig, InboxConfig, LogConfig,
    MailboxConfig, PrintHouseConfig, RetentionConfig, SenderConfig, ServerConfig, ServiceConfig,
};

use std::path::PathBuf;

use tables::Tables;

/// What `kuori run` uses where there is no file; every line of it is explained there.
const DEMO: &str = include_str!("../../samples/config/demo.toml");

/// Reads a settings file.
///
/// # Errors
///
/// Everything that is wrong, in the order of the file. Where the text is not TOML, only that.
pub fn parse(text: &str) -> Result<Config, Vec<Problem>> {
    read(text, None)
}

/// As [`parse`], with another data folder than the file names.
pub fn parse_at(text: &str, data_folder: PathBuf) -> Result<Config, Vec<Problem>> {
    read(text, Some(data_folder))
}

impl Config {
    /// The settings of `samples/config/demo.toml` with another data folder: one sender, one print
    /// house, and the embedded SFTP server on 127.0.0.1:2222.
    ///
    /// # Panics
    ///
    /// Never: the text is built in, and a test reads it.
    pub fn embedded(data_folder: PathBuf) -> Self {
        #[expect(
            clippy::expect_used,
            reason = "the text is our own, and a test reads it"
        )]
        read(DEMO, Some(data_folder)).expect("the embedded settings are valid")
    }
}

fn read(text: &str, data_folder: Option<PathBuf>) -> Result<Config, Vec<Problem>> {
    let (table, mut problems) = check::check(text)?;
    let tables = match table.try_into::<Tables>() {
        Ok(tables) => tables,
        Err(error) => {
            problems.add(&key_path::KeyPath::root(), error.message());
            return Err(problems.into_list());
        }
    };
    let config = tables.read(data_folder, &mut problems);
    if problems.is_empty() {
        Ok(config)
    } else {
        Err(problems.into_list())
    }
}
