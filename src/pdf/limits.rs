//! How much of a PDF is taken before it is refused.

/// Bounds on what one file may ask for. They keep hostile files cheap; no honest letter comes
/// near them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Highest object number a file may use. A page is two or three objects, and 16 bytes are held
    /// for each of them.
    pub max_objects: u32,
    /// Arrays and dictionaries inside one another, in one object.
    pub max_nesting: u16,
    /// Levels of the page tree.
    pub max_page_tree_depth: u16,
    /// References followed in a row, from a page downwards.
    pub max_reference_depth: u32,
    /// Bytes of all object streams and cross-reference streams of a file together, inflated.
    /// Files that are large themselves may inflate to four times their size.
    pub max_inflated_object_stream_bytes: u64,
    /// Pages of one file.
    pub max_pages: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_objects: 8_000_000,
            max_nesting: 200,
            max_page_tree_depth: 64,
            max_reference_depth: 500,
            max_inflated_object_stream_bytes: 64 * 1024 * 1024,
            max_pages: 1_000_000,
        }
    }
}
