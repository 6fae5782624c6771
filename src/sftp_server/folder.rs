/// A folder in an account's home, and what may be done in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Folder {
    Inbox,
    Receipts,
    Pickup,
    Feedback,
}

impl Folder {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Receipts => "receipts",
            Self::Pickup => "pickup",
            Self::Feedback => "feedback",
        }
    }

    /// The account may upload and rename here, and remove its own leftovers; a finished file is
    /// ours to take. Such a folder has no subfolders. In the others, which we fill, deleting says
    /// "picked up".
    pub(super) fn takes_uploads(self) -> bool {
        matches!(self, Self::Inbox | Self::Feedback)
    }
}

/// Whether `name` is one that clients give to a file which they are going to rename:
/// `.filepart` (WinSCP), `.part`, `.tmp` and the like, or a leading dot.
pub(super) fn is_temporary(name: &str) -> bool {
    const ENDINGS: [&str; 7] = [
        ".filepart",
        ".part",
        ".partial",
        ".tmp",
        ".temp",
        ".temppi",
        ".crdownload",
    ];
    let lower = name.to_ascii_lowercase();
    lower.starts_with('.') || ENDINGS.iter().any(|ending| lower.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_unfinished_files_are_known() {
        for name in [
            "a.zip.filepart",
            "a.zip.part",
            "A.ZIP.PART",
            ".a.zip",
            "a.tmp",
        ] {
            assert!(is_temporary(name), "{name}");
        }
        for name in ["a.zip", "part.zip", "apart", "tmp"] {
            assert!(!is_temporary(name), "{name}");
        }
    }
}
