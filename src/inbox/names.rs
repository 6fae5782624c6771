use std::path::Path;

/// Whether a name belongs to an upload in progress, or to nobody's batch at all.
pub(super) fn is_unfinished(name: &str, endings: &[String]) -> bool {
    let name = name.to_lowercase();
    name.starts_with('.') || endings.iter().any(|ending| name.ends_with(ending.as_str()))
}

/// Whether a file can be a batch: `*.zip`, or what OPH renames its finished ZIP to, `*.ok`. An empty
/// `.ok` says that the file beside it is whole.
pub(super) fn is_batch(name: &str, bytes: u64) -> bool {
    let ending = Path::new(name).extension().unwrap_or_default();
    ending.eq_ignore_ascii_case("zip") || (ending.eq_ignore_ascii_case("ok") && bytes > 0)
}

/// Whether a file is the empty `<name>.ok` that says "the file beside me is whole".
pub(super) fn is_marker_of(name: &str, ending: &str, others: &[&str]) -> bool {
    name.strip_suffix(ending)
        .is_some_and(|stem| others.contains(&stem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uploads_in_progress_are_known_by_their_names() {
        let endings = super::super::Settings::known_unfinished_endings();
        for name in [".hidden.zip", "a.zip.part", "a.TEMPPI", "a.zip.filepart"] {
            assert!(is_unfinished(name, &endings), "{name}");
        }
        for name in ["a.zip", "a.ok", "partial.zip"] {
            assert!(!is_unfinished(name, &endings), "{name}");
        }
    }

    #[test]
    fn only_zips_are_batches_whatever_they_are_called_when_finished() {
        assert!(is_batch("a.zip", 0) && is_batch("A.ZIP", 9) && is_batch("kirjeet.ok", 9));
        assert!(!is_batch("a.zip.ok", 0) && !is_batch("readme.txt", 9));
    }

    #[test]
    fn a_marker_is_one_only_beside_its_file() {
        assert!(is_marker_of("a.zip.ok", ".ok", &["a.zip", "a.zip.ok"]));
        assert!(!is_marker_of("b.ok", ".ok", &["a.zip", "b.ok"]));
    }
}
