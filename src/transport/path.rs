use std::{fmt, str::FromStr};

/// A path below a remote folder: relative, components parted by `/`. The empty path is the
/// folder itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RemotePath(String);

/// A name that is not used: it could leave the folder, or look like another one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{escaped}` is not a usable path: {reason}")]
pub struct InvalidPath {
    escaped: String,
    reason: &'static str,
}

/// Bytes that common file systems allow for one name.
const MAX_NAME_BYTES: usize = 255;

impl RemotePath {
    /// The remote folder itself.
    pub fn root() -> Self {
        Self::default()
    }

    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `self/name`, where `name` is one component.
    pub fn join(&self, name: &str) -> Result<Self, InvalidPath> {
        check_name(name)?;
        Ok(if self.is_root() {
            Self(name.to_owned())
        } else {
            Self(format!("{self}/{name}"))
        })
    }

    /// The last component; the root has none.
    pub fn name(&self) -> Option<&str> {
        self.0.rsplit('/').next().filter(|name| !name.is_empty())
    }

    /// The folder that this stands in; the root's is the root.
    #[must_use]
    pub fn parent(&self) -> Self {
        let parent = self.0.rsplit_once('/').map_or("", |(parent, _)| parent);
        Self(parent.to_owned())
    }

    /// The first component; the root's is the root.
    #[must_use]
    pub fn top(&self) -> Self {
        let top = self.0.split('/').next().unwrap_or_default();
        Self(top.to_owned())
    }
}

impl FromStr for RemotePath {
    type Err = InvalidPath;

    fn from_str(text: &str) -> Result<Self, InvalidPath> {
        if text.is_empty() {
            return Ok(Self::root());
        }
        text.split('/').try_for_each(check_name)?;
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for RemotePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check_name(name: &str) -> Result<(), InvalidPath> {
    match why_unusable(name) {
        None => Ok(()),
        Some(reason) => Err(InvalidPath {
            escaped: name.escape_debug().take(300).collect(),
            reason,
        }),
    }
}

fn why_unusable(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("it has an empty component or starts with `/`")
    } else if name == "." || name == ".." {
        Some("it has a component `.` or `..`")
    } else if name.contains(['/', '\\']) {
        Some("a name has a separator in it")
    } else if name.contains(char::is_control) {
        Some("it has a control character")
    } else if name.contains(char::REPLACEMENT_CHARACTER) {
        Some("it is not UTF-8")
    } else if name.len() > MAX_NAME_BYTES {
        Some("a name is longer than 255 bytes")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_knows_its_name_and_its_folder() {
        let path: RemotePath = "inbox/a.zip".parse().unwrap();
        assert_eq!(path.name(), Some("a.zip"));
        assert_eq!(path.parent().as_str(), "inbox");
        assert_eq!(path.parent().parent(), RemotePath::root());
        assert_eq!(RemotePath::root().name(), None);
        assert_eq!("a/b/c".parse::<RemotePath>().unwrap().top().as_str(), "a");
        assert_eq!(RemotePath::root().top(), RemotePath::root());
        assert_eq!(
            RemotePath::root()
                .join("inbox")
                .unwrap()
                .join("a.zip")
                .unwrap(),
            path
        );
    }

    #[test]
    fn a_path_that_could_leave_the_folder_is_refused() {
        for bad in [
            "/etc", "..", "a/../b", "a//b", "a/", ".", "a\\b", "a\nb", "a\0",
        ] {
            assert!(bad.parse::<RemotePath>().is_err(), "{bad:?}");
        }
        assert!(RemotePath::root().join("a/b").is_err());
    }

    #[test]
    fn a_name_may_have_255_bytes_and_no_more() {
        assert!("a".repeat(255).parse::<RemotePath>().is_ok());
        assert!("a".repeat(256).parse::<RemotePath>().is_err());
    }

    #[test]
    fn a_name_that_was_not_utf_8_is_refused_and_shown_escaped() {
        let error = "J\u{fffd}\u{1b}[1m".parse::<RemotePath>().unwrap_err();
        assert!(!error.to_string().contains('\u{1b}'), "{error}");
    }
}
