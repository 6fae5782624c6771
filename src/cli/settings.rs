use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use super::{CommandError, Options, error::ErrorKind, notice_texts, postal_codes, words::counted};
use crate::config::{self, Config, Problem};

/// The settings of a file, or the embedded ones where none is named.
///
/// `--data-dir` on the command line goes before the file's data folder.
pub(super) fn load(file: Option<&Path>, options: &Options) -> Result<Config, CommandError> {
    let Some(path) = file else {
        return Ok(Config::embedded(options.data_dir()));
    };
    parse(path, options.data_dir.as_deref())
}

/// A settings file, with the table of postal codes and the texts of notices that it names.
pub(super) fn parse(path: &Path, data_folder: Option<&Path>) -> Result<Config, CommandError> {
    let text = read(path)?;
    let config = match data_folder {
        Some(folder) => config::parse_at(&text, folder.to_owned()),
        None => config::parse(&text),
    };
    let mut config = config.map_err(|problems| wrong(path, &problems))?;
    postal_codes::give(&mut config).map_err(|problems| wrong(path, &problems))?;
    notice_texts::give(&mut config).map_err(|problems| wrong(path, &problems))?;
    Ok(config)
}

fn read(path: &Path) -> Result<String, CommandError> {
    fs::read_to_string(path).map_err(|error| {
        CommandError::new(
            ErrorKind::Settings,
            format!("cannot read the settings `{}`", path.display()),
        )
        .caused_by(error.to_string())
        .hint("name the file with `--config`; `samples/config/demo.toml` is one to start from")
    })
}

/// All that is wrong with a settings file, as one error.
fn wrong(path: &Path, problems: &[Problem]) -> CommandError {
    let number = counted(problems.len() as u64, "problem", "problems");
    let mut told = format!("{number} in `{}`", path.display());
    for problem in problems {
        let _ = write!(told, "\n  {problem}");
    }
    CommandError::new(ErrorKind::Settings, told).hint("docs/settings.md has every key")
}

/// The settings file that holds where none is named, if there is one.
pub(super) fn in_current_folder() -> Option<PathBuf> {
    let file = PathBuf::from("kuori.toml");
    file.exists().then_some(file)
}
