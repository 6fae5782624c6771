/// Most children of a node, so that readers find any page of many in a few steps.
const FAN_OUT: u32 = 100;

/// The shape of a balanced page tree, known before the first page is written.
///
/// Nodes are counted from 0 level by level, the one above the pages first; the last is the root.
/// That makes a parent's number plain arithmetic, so that pages can be written as they come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PageTree {
    pages: u32,
    /// How many nodes each level has, the lowest first.
    levels: Vec<u32>,
}

/// A node: its number, its parent's (none for the root), the pages below it and its children.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) number: u32,
    pub(super) parent: Option<u32>,
    pub(super) pages: u32,
    pub(super) children: Children,
}

/// What stands below a node, by number from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Children {
    Pages(std::ops::Range<u32>),
    Nodes(std::ops::Range<u32>),
}

impl PageTree {
    pub(super) fn of(pages: u32) -> Self {
        let mut levels = vec![pages.div_ceil(FAN_OUT)];
        while let Some(&width) = levels.last().filter(|&&width| width > 1) {
            levels.push(width.div_ceil(FAN_OUT));
        }
        Self { pages, levels }
    }

    pub(super) fn nodes(&self) -> u32 {
        self.levels.iter().sum()
    }

    pub(super) fn root(&self) -> u32 {
        self.nodes().saturating_sub(1)
    }

    /// The node above a page (from 0).
    pub(super) fn parent_of_page(page: u32) -> u32 {
        page / FAN_OUT
    }

    /// All nodes, in the order of their numbers.
    pub(super) fn walk(&self) -> impl Iterator<Item = Node> {
        let mut first = 0;
        let mut below = (0, self.pages);
        let mut reach = 1;
        self.levels
            .iter()
            .enumerate()
            .flat_map(move |(level, &width)| {
                let (this, under) = ((first, width), below);
                (first, below, reach) = (first + width, this, reach * FAN_OUT);
                let above = (width > 1).then_some(first);
                let (reach, pages) = (reach, self.pages);
                (0..width).map(move |index| Node {
                    number: this.0 + index,
                    parent: above.map(|above| above + index / FAN_OUT),
                    pages: pages.min((index + 1) * reach) - index * reach,
                    children: children(level, under, index),
                })
            })
    }
}

/// The children of the node `index` of a level: a stretch of the `(first, width)` below it.
fn children(level: usize, (first, width): (u32, u32), index: u32) -> Children {
    let stretch = first + index * FAN_OUT..first + width.min((index + 1) * FAN_OUT);
    if level == 0 {
        Children::Pages(stretch)
    } else {
        Children::Nodes(stretch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_file_has_one_node() {
        let tree = PageTree::of(100);
        let root = Node {
            number: 0,
            parent: None,
            pages: 100,
            children: Children::Pages(0..100),
        };
        assert_eq!(tree.walk().collect::<Vec<_>>(), [root]);
    }

    #[test]
    fn one_page_more_gives_a_second_level() {
        let nodes: Vec<Node> = PageTree::of(101).walk().collect();
        let children: Vec<_> = nodes.iter().map(|node| node.children.clone()).collect();
        assert_eq!(
            children,
            [
                Children::Pages(0..100),
                Children::Pages(100..101),
                Children::Nodes(0..2)
            ]
        );
        let parents: Vec<_> = nodes.iter().map(|node| node.parent).collect();
        assert_eq!(parents, [Some(2), Some(2), None]);
    }

    #[test]
    fn parents_and_children_agree_at_three_levels() {
        let tree = PageTree::of(20_050);
        let nodes: Vec<Node> = tree.walk().collect();
        assert_eq!(nodes.len(), 201 + 3 + 1);
        assert_eq!(nodes.last().unwrap().number, tree.root());
        assert_eq!(nodes.last().unwrap().pages, 20_050);
        for node in &nodes {
            let counted: u32 = match &node.children {
                Children::Pages(pages) => {
                    for page in pages.clone() {
                        assert_eq!(PageTree::parent_of_page(page), node.number);
                    }
                    u32::try_from(pages.len()).unwrap()
                }
                Children::Nodes(numbers) => numbers
                    .clone()
                    .map(|number| &nodes[number as usize])
                    .inspect(|child| assert_eq!(child.parent, Some(node.number)))
                    .map(|child| child.pages)
                    .sum(),
            };
            assert_eq!(counted, node.pages);
        }
    }
}
