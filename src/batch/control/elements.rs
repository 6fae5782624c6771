use quick_xml::{
    events::BytesStart,
    name::{NamespaceError, NamespaceResolver, QName, ResolveResult},
};

/// The elements that are open, and the namespaces that they declare.
pub(super) struct Elements {
    /// Their names, with prefixes, the outermost first.
    names: String,
    opened: Vec<Opened>,
    resolver: NamespaceResolver,
    /// The namespaces that the caller knows.
    ours: &'static [&'static str],
    /// The prefix asked for last, with its colon, until another declaration may change its meaning: most documents
    /// have one.
    last: Option<(String, Home)>,
}

struct Opened {
    /// Where its name begins.
    name: usize,
    declares: bool,
}

/// The namespace of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Home {
    /// One of those that the caller knows.
    Ours,
    /// None at all.
    Nowhere,
    Elsewhere,
}

impl Elements {
    pub(super) fn new(ours: &'static [&'static str]) -> Self {
        Self {
            names: String::new(),
            opened: Vec::new(),
            resolver: NamespaceResolver::default(),
            ours,
            last: None,
        }
    }

    pub(super) fn depth(&self) -> usize {
        self.opened.len()
    }

    /// The full name of the innermost.
    pub(super) fn innermost(&self) -> Option<&str> {
        self.names.get(self.opened.last()?.name..)
    }

    /// Opens an element that declares no namespace.
    pub(super) fn open(&mut self, name: &str) {
        self.push(name, false);
    }

    /// Opens an element with the namespaces that it declares.
    pub(super) fn open_declaring(&mut self, start: &BytesStart<'_>) -> Result<(), NamespaceError> {
        let level = u16::try_from(self.depth());
        let too_deep = |_| NamespaceError::TooDeeplyNested(usize::from(u16::MAX));
        self.resolver.set_level(level.map_err(too_deep)?);
        self.resolver.push(start)?;
        self.last = None;
        self.push(start.name().as_ref(), true);
        Ok(())
    }

    fn push(&mut self, name: &str, declares: bool) {
        self.opened.push(Opened {
            name: self.names.len(),
            declares,
        });
        self.names.push_str(name);
    }

    /// Closes the innermost.
    pub(super) fn close(&mut self) {
        let Some(Opened { name, declares }) = self.opened.pop() else {
            return;
        };
        self.names.truncate(name);
        if declares {
            // As deep as where it was opened, or the declaration would not have been taken.
            let level = u16::try_from(self.depth()).unwrap_or(u16::MAX);
            self.resolver.set_level(level);
            self.last = None;
        }
    }

    /// The namespace of an open element of that name, which begins with the prefix and its colon;
    /// `None` where the prefix is bound to none.
    pub(super) fn home(&mut self, name: &str, prefix: &str) -> Option<Home> {
        // Byte by byte: prefixes are short, and the empty one has nothing to call `memcmp` for.
        let is_known = |known: &str| known.bytes().eq(prefix.bytes());
        if let Some((_, home)) = self.last.as_ref().filter(|(known, _)| is_known(known)) {
            return Some(*home);
        }
        let home = match self.resolver.resolve_element(QName(name)).0 {
            ResolveResult::Bound(namespace) if self.ours.contains(&namespace.0) => Home::Ours,
            ResolveResult::Bound(_) => Home::Elsewhere,
            ResolveResult::Unbound => Home::Nowhere,
            ResolveResult::Unknown(_) => return None,
        };
        self.last = Some((prefix.to_owned(), home));
        Some(home)
    }
}
