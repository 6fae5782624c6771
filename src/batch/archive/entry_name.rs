use std::borrow::Cow;

use super::{code_page, header::Central};

/// An entry's name as text, or why two programs could read two names.
///
/// Source: APPNOTE.TXT 6.3.10, appendix D.
pub(super) fn decoded<'a>(header: &Central<'a>) -> Result<Cow<'a, str>, &'static str> {
    let raw = header.fields.name;
    let second = header.fields.extra.unicode_path(raw).transpose()?;
    match (std::str::from_utf8(raw), second) {
        (Ok(name), None) => Ok(name.into()),
        (Ok(name), Some(second)) if name == second => Ok(name.into()),
        (Ok(_), Some(_)) => Err("an entry has two names"),
        (Err(_), _) if header.says_utf8() => Err("an entry's name is not text"),
        (Err(_), Some(second)) => Ok(second.into()),
        (Err(_), None) => Ok(code_page::decoded(raw).into()),
    }
}

/// What is wrong with an entry's name, or `None` where it can be taken.
///
/// Names are only looked up, never used as paths; those that no honest tool writes are refused
/// all the same, because someone may unpack the file by hand.
pub(super) fn fault(name: &str, max_chars: usize) -> Option<&'static str> {
    let path = name.strip_suffix('/').unwrap_or(name);
    let has_drive = path.as_bytes().get(1) == Some(&b':');
    if path.is_empty() {
        Some("an entry has an empty name")
    } else if name.chars().count() > max_chars {
        Some("an entry's name is too long")
    } else if name.chars().any(is_invisible) {
        Some("an entry's name holds a control character")
    } else if name.contains('\\') {
        Some("an entry's name holds a backslash")
    } else if path.starts_with('/') || has_drive {
        Some("an entry's name is absolute")
    } else if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        Some("an entry's name climbs, or has an empty part")
    } else {
        None
    }
}

/// Control characters, and those that make a name look like another one: line and paragraph
/// separators, and what turns the direction of writing. Source: Unicode Standard Annex #9, table 2.
fn is_invisible(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Whether the entry is what an operating system puts into every ZIP: no part of the batch.
pub(in crate::batch) fn is_clutter(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or(name);
    name.starts_with("__MACOSX/") || matches!(last, ".DS_Store" | "Thumbs.db" | "desktop.ini")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_honest_tools_are_taken() {
        for name in ["letters.pdf", "2026/ä ö.xml", "folder/", "a..b.pdf", "…"] {
            assert_eq!(fault(name, 512), None, "{name}");
        }
    }

    #[test]
    fn names_that_climb_or_are_absolute_are_refused() {
        let bad = [
            "",
            "/",
            "../a",
            "a/../b",
            "a//b",
            "./a",
            "/etc/passwd",
            "C:\\w",
            "C:w",
            "c:/w",
            "..",
            "a/..",
            "//server/share",
            "a\\b",
            "a\0b",
            "a\nb",
            "a\u{7f}",
            "a\u{85}",
            "a\u{202e}fdp.exe",
        ];
        for name in bad {
            assert!(fault(name, 512).is_some(), "{name:?}");
        }
    }

    #[test]
    fn a_name_may_be_as_long_as_the_limit_and_no_longer() {
        assert_eq!(fault(&"ä".repeat(512), 512), None);
        assert!(fault(&"ä".repeat(513), 512).is_some());
    }
}
