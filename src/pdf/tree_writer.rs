//! The page tree of the new file, balanced: no node has more than a hundred kids.

use std::io::{self, Write};

use super::output::Output;

const MOST_KIDS: usize = 100;

/// Collects pages; the nodes are written at the end.
#[derive(Default)]
pub(super) struct TreeWriter {
    nodes: Vec<Node>,
    pages: u32,
}

struct Node {
    number: u32,
    kids: Vec<u32>,
    pages: u32,
}

impl TreeWriter {
    pub(super) fn pages(&self) -> u32 {
        self.pages
    }

    /// Takes the page; returns the object number of its parent.
    pub(super) fn take_page<W: Write>(
        &mut self,
        page: u32,
        output: &mut Output<W>,
    ) -> io::Result<u32> {
        self.pages += 1;
        match self.nodes.last_mut() {
            Some(node) if node.kids.len() < MOST_KIDS => {
                node.take(page, 1);
                Ok(node.number)
            }
            _ => {
                let mut node = Node::new(output)?;
                node.take(page, 1);
                let number = node.number;
                self.nodes.push(node);
                Ok(number)
            }
        }
    }

    /// Writes the nodes, level by level; returns the object number of the root.
    pub(super) fn finish<W: Write>(self, output: &mut Output<W>) -> io::Result<u32> {
        let mut level = self.nodes;
        while level.len() > 1 {
            let mut above = Vec::with_capacity(level.len() / MOST_KIDS + 1);
            for nodes in level.chunks(MOST_KIDS) {
                let mut parent = Node::new(output)?;
                for node in nodes {
                    node.write(Some(parent.number), output)?;
                    parent.take(node.number, node.pages);
                }
                above.push(parent);
            }
            level = above;
        }
        let root = match level.pop() {
            Some(root) => root,
            None => Node::new(output)?,
        };
        root.write(None, output)?;
        Ok(root.number)
    }
}

impl Node {
    fn new<W: Write>(output: &mut Output<W>) -> io::Result<Self> {
        Ok(Self {
            number: output.reserve()?,
            kids: Vec::new(),
            pages: 0,
        })
    }

    fn take(&mut self, kid: u32, pages: u32) {
        self.kids.push(kid);
        self.pages += pages;
    }

    fn write<W: Write>(&self, parent: Option<u32>, output: &mut Output<W>) -> io::Result<()> {
        output.begin(self.number)?;
        output.put(b"<</Type/Pages/Count ");
        output.integer(u64::from(self.pages));
        if let Some(parent) = parent {
            output.put(b"/Parent ");
            output.reference(parent);
        }
        output.put(b"/Kids[");
        for kid in &self.kids {
            output.reference(*kid);
            output.put(b" ");
        }
        output.put(b"]>>");
        output.end();
        Ok(())
    }
}
