/// How a finished upload is told from a growing one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completeness {
    /// A file appears under its final name only when it is whole: the embedded server, and senders
    /// who rename.
    ByName,
    /// Size and time have not changed for this long, over at least two looks, and the file ends as
    /// a ZIP does.
    Settled { settle_secs: u32 },
    /// A file of the same name with this ending stands beside it.
    Marker { ending: String },
}
