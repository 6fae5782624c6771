/// What to do about a failure: asked of each room's error, answered without a catch-all arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// Trying the same again later can help: the network, a full disk, a busy database.
    Retry,
    /// A person has to look: the batch stops with its reason and the others go on.
    Hold,
    /// The data is at fault and will stay so: the sender is told.
    Reject,
}
