use super::{Format, Level};

/// What a sender wants to hear, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub level: Level,
    /// Every receipt comes in each of these.
    pub formats: Vec<Format>,
    /// A detached signature lies beside each receipt.
    pub sign: bool,
    /// The hour, 0 to 23 by the clocks of the site, after which what has changed since the last
    /// delivery report is told.
    pub delivery_report_hour: i8,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            level: Level::All,
            formats: vec![Format::Xml],
            sign: false,
            delivery_report_hour: 6,
        }
    }
}
