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

    /// The account may upload and rename here. Such a folder has no subfolders.
    pub(super) fn takes_uploads(self) -> bool {
        matches!(self, Self::Inbox | Self::Feedback)
    }

    /// The account may delete `name` here: in a folder that we fill, deleting says "picked up";
    /// in a folder that it fills, only its own leftovers, for a finished file is ours to take.
    pub(super) fn allows_removal_of(self, name: &str) -> bool {
        !self.takes_uploads() || is_temporary(name)
    }
}

/// The poller's own folder in an upload folder, where it moves what it takes: a client that put a
/// file under this name would keep it from taking anything.
pub(super) const OURS: &str = ".kuori";

/// Whether `name` is one that clients give to a file which they are going to rename:
/// `.filepart` (WinSCP), `.part`, `.partial`, `.tmp`, or a leading dot.
pub(super) fn is_temporary(name: &str) -> bool {
    const ENDINGS: [&str; 4] = [".filepart", ".part", ".partial", ".tmp"];
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
