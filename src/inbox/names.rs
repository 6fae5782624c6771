use std::collections::HashSet;

/// Whether a name belongs to an upload in progress, or to nobody's batch at all.
pub(super) fn is_unfinished(name: &str, endings: &[String]) -> bool {
    let name = name.to_lowercase();
    name.starts_with('.') || endings.iter().any(|ending| name.ends_with(ending.as_str()))
}

/// Whether a file can be a batch: it has one of the names. An empty `.ok` says that the file beside
/// it is whole, and is none itself.
pub(super) fn is_batch(name: &str, bytes: u64, patterns: &[String]) -> bool {
    let name = name.to_lowercase();
    let is_marker = bytes == 0 && fits(name.as_bytes(), b"*.ok");
    let matches = |pattern: &String| fits(name.as_bytes(), pattern.to_lowercase().as_bytes());
    !is_marker && patterns.iter().any(matches)
}

/// Whether a file is the `<name>.ok` that says "the file beside me is whole".
pub(super) fn is_marker_of(name: &str, ending: &str, others: &HashSet<&str>) -> bool {
    name.strip_suffix(ending)
        .is_some_and(|stem| others.contains(stem))
}

/// `*` is any number of bytes, `?` one character's first byte and those that follow it.
fn fits(name: &[u8], pattern: &[u8]) -> bool {
    let (mut at, mut in_pattern) = (0, 0);
    // Where the last star was, and how far the name was then: it can swallow one byte more.
    let mut star = None;
    loop {
        match (name.get(at), pattern.get(in_pattern)) {
            (_, Some(b'*')) => {
                star = Some((at, in_pattern));
                in_pattern += 1;
            }
            (None, None) => return true,
            (Some(_), Some(b'?')) => {
                at += 1;
                while name.get(at).is_some_and(|byte| byte & 0xC0 == 0x80) {
                    at += 1;
                }
                in_pattern += 1;
            }
            (Some(byte), Some(wanted)) if byte == wanted => {
                at += 1;
                in_pattern += 1;
            }
            _ => {
                let Some((from, star_at)) = star.filter(|(from, _)| *from < name.len()) else {
                    return false;
                };
                star = Some((from + 1, star_at));
                (at, in_pattern) = (from + 1, star_at + 1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Settings, *};

    #[test]
    fn uploads_in_progress_are_known_by_their_names() {
        let endings = Settings::known_unfinished_endings();
        for name in [".hidden.zip", "a.zip.part", "a.TEMPPI", "a.zip.filepart"] {
            assert!(is_unfinished(name, &endings), "{name}");
        }
        for name in ["a.zip", "a.ok", "partial.zip"] {
            assert!(!is_unfinished(name, &endings), "{name}");
        }
    }

    #[test]
    fn only_zips_are_batches_whatever_they_are_called_when_finished() {
        let is_batch = |name, bytes| is_batch(name, bytes, &Settings::usual_names());
        assert!(is_batch("a.zip", 0) && is_batch("A.ZIP", 9) && is_batch("kirjeet.ok", 9));
        assert!(!is_batch("a.zip.ok", 0) && !is_batch("readme.txt", 9));
    }

    #[test]
    fn a_pattern_has_stars_and_question_marks() {
        for (name, pattern) in [
            ("a.zip", "*"),
            ("letters_1.zip", "letters_?.zip"),
            ("letters_ä.zip", "letters_?.zip"),
            ("aXbXc", "a*b*c"),
            ("aabab", "*ab"),
            ("", "*"),
        ] {
            assert!(
                fits(name.as_bytes(), pattern.as_bytes()),
                "{name} {pattern}"
            );
        }
        for (name, pattern) in [
            ("a.zip", "*.ok"),
            ("letters_12.zip", "letters_?.zip"),
            ("abc", "ab"),
            ("ab", "abc"),
            ("", "?"),
        ] {
            assert!(
                !fits(name.as_bytes(), pattern.as_bytes()),
                "{name} {pattern}"
            );
        }
    }

    #[test]
    fn a_pattern_of_many_stars_takes_no_time() {
        let (name, pattern) = ("a".repeat(255), "*a".repeat(120) + "b");
        assert!(!fits(name.as_bytes(), pattern.as_bytes()));
    }

    #[test]
    fn a_marker_is_one_only_beside_its_file() {
        let beside = |names: [&'static str; 2]| HashSet::from(names);
        assert!(is_marker_of(
            "a.zip.ok",
            ".ok",
            &beside(["a.zip", "a.zip.ok"])
        ));
        assert!(!is_marker_of("b.ok", ".ok", &beside(["a.zip", "b.ok"])));
    }
}
