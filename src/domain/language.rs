/// A language that people are told things in. English is the one that codes and logs are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Language {
    #[default]
    English,
    Finnish,
    Swedish,
}

impl Language {
    pub const ALL: [Self; 3] = [Self::English, Self::Finnish, Self::Swedish];

    /// The two letters of ISO 639-1.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Finnish => "fi",
            Self::Swedish => "sv",
        }
    }
}
