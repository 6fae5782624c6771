use std::str::FromStr;

use crate::config::{key_path::KeyPath, problem::Problems};

/// The name of a sender or print house, which is the key of its table.
pub(super) fn usable_name<T: FromStr>(
    given: &str,
    example: &str,
    at: &KeyPath,
    problems: &mut Problems,
) -> Option<T> {
    let name = given.parse().ok();
    if name.is_none() {
        let message = format!("must have a name of 1 to 40 of a-z, 0-9 and `-`, as `{example}`");
        let meant = like(given).filter(|name| name.parse::<T>().is_ok());
        problems.add_suggesting(at, message, meant.as_deref());
    }
    name
}

/// `Example_City` as `example-city`.
fn like(given: &str) -> Option<String> {
    let usable = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let name: String = given.chars().map(usable).collect();
    let name = name.trim_matches('-').to_ascii_lowercase();
    (!name.is_empty()).then_some(name)
}
