use std::fmt;

/// Where a value stands in the file: `senders.example-city.gate`, `print_houses.p.envelopes[2].name`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct KeyPath(String);

impl KeyPath {
    pub(super) fn root() -> Self {
        Self::default()
    }

    pub(super) fn key(&self, key: &str) -> Self {
        let key = written(key);
        Self(if self.0.is_empty() {
            key
        } else {
            format!("{self}.{key}")
        })
    }

    /// An element of an array. `index` is 0-based, and written 1-based as people count.
    pub(super) fn element(&self, index: usize) -> Self {
        Self(format!("{self}[{}]", index + 1))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The table or array that this stands in; the root has none.
    pub(super) fn parent(&self) -> Option<Self> {
        if self.0.is_empty() {
            return None;
        }
        let end = self.0.rfind(['.', '[']).unwrap_or(0);
        Some(Self(self.0.get(..end)?.to_owned()))
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A key as TOML writes it: quoted unless it is bare. Control characters would break the line.
fn written(key: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !key.is_empty() && key.chars().all(is_bare) {
        key.to_owned()
    } else {
        format!("{key:?}")
    }
}
