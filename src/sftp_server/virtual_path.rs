use std::fmt;

use super::refusal::Refusal;

/// A path as an account sees it, below its own `/`: normalised, without `.` and `..`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct VirtualPath {
    components: Vec<String>,
}

impl VirtualPath {
    /// Reads a client's path. `..` at the top stays at the top, as in a changed root.
    ///
    /// A name in another encoding than UTF-8 arrives here with U+FFFD in it, so two different
    /// names could look alike: it is refused.
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        let mut components: Vec<String> = Vec::new();
        for component in text.split('/') {
            match component {
                "" | "." => {}
                ".." => {
                    components.pop();
                }
                name => components.push(checked(name)?.to_owned()),
            }
        }
        Ok(Self { components })
    }

    pub(super) fn components(&self) -> &[String] {
        &self.components
    }
}

impl fmt::Display for VirtualPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", self.components.join("/"))
    }
}

fn checked(name: &str) -> Result<&str, Refusal> {
    let odd = |c: char| c.is_control() || c == '\\';
    if name.contains(char::REPLACEMENT_CHARACTER) {
        return Err(Refusal::Denied("file names must be UTF-8"));
    }
    if name.contains(odd) {
        return Err(Refusal::Denied(
            "file names may not hold control characters or `\\`",
        ));
    }
    if name.len() > 255 {
        return Err(Refusal::Denied("the name is too long"));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        VirtualPath::parse(text).map_or_else(|e| e.to_string(), |path| path.to_string())
    }

    #[test]
    fn no_path_leaves_the_top() {
        assert_eq!(shown(""), "/");
        assert_eq!(shown("."), "/");
        assert_eq!(shown("inbox/./a.zip"), "/inbox/a.zip");
        assert_eq!(shown("/inbox/../../../etc/passwd"), "/etc/passwd");
        assert_eq!(shown("//inbox//a.zip/"), "/inbox/a.zip");
    }

    #[test]
    fn a_name_that_could_mislead_is_refused() {
        assert_eq!(shown("inbox/J\u{fffd}rg.zip"), "file names must be UTF-8");
        for odd in ["a\nb", "a\0b", "a\\b", "a\u{7f}"] {
            assert!(VirtualPath::parse(odd).is_err(), "{odd:?}");
        }
        assert!(VirtualPath::parse(&"a".repeat(255)).is_ok());
        assert!(VirtualPath::parse(&"a".repeat(256)).is_err());
    }
}
