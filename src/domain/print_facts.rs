/// What a look at a letter's pages found that its way onto paper depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PrintFacts {
    /// Pages on which something stands that is neither grey nor white.
    pub colour_pages: u32,
    /// Nothing stands in the recipient window: an address page of ours goes in front.
    pub lacks_address: bool,
    /// Some page's content leaves its graphics state changed: it is wrapped.
    pub is_unbalanced: bool,
    /// Some page lies on its side and the sender lets it be turned.
    pub has_landscape: bool,
}
