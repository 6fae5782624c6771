//! The table of postal codes: a file that the settings or the command line name.

use std::{fs, path::Path, sync::Arc};

use super::CommandError;
use crate::{
    batch::PostalCodes,
    config::{Config, Problem},
};

/// Reads the table that the settings name, and gives it to every sender.
///
/// # Errors
///
/// What is wrong with it, a problem a row.
pub(super) fn give(config: &mut Config) -> Result<(), Vec<Problem>> {
    let Some(file) = &config.postal_codes_file else {
        return Ok(());
    };
    let table = table(file).map_err(|faults| {
        let faults = faults.into_iter();
        faults
            .map(|fault| problem(file, &fault))
            .collect::<Vec<_>>()
    })?;
    for sender in &mut config.senders {
        sender.settings.batch.postal_codes = Some(Arc::clone(&table));
    }
    Ok(())
}

/// Reads a table that the command line names.
pub(super) fn read(file: &Path) -> Result<Arc<PostalCodes>, CommandError> {
    table(file).map_err(|faults| {
        let error = format!("`{}` is no table of postal codes", file.display());
        faults
            .into_iter()
            .fold(CommandError::failed(error), CommandError::caused_by)
            .hint("docs/settings.md says what `postal_codes_file` can be")
    })
}

fn table(file: &Path) -> Result<Arc<PostalCodes>, Vec<String>> {
    let bytes = fs::read(file).map_err(|error| vec![format!("it cannot be read: {error}")])?;
    let table = PostalCodes::parse(&bytes);
    table
        .map(Arc::new)
        .map_err(|bad| bad.iter().map(ToString::to_string).collect())
}

fn problem(file: &Path, fault: &str) -> Problem {
    Problem {
        key: "postal_codes_file".to_owned(),
        line: None,
        message: format!("names `{}`: {fault}", file.display()),
        suggestion: None,
    }
}
