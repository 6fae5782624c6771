/// What an outline is drawn in; colour-blind people tell red from green here by its filling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    Red,
    Green,
    Blue,
    Orange,
    Violet,
}

impl Colour {
    pub const ALL: [Self; 5] = [
        Self::Red,
        Self::Green,
        Self::Blue,
        Self::Orange,
        Self::Violet,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Red => "red",
            Self::Green => "green",
            Self::Blue => "blue",
            Self::Orange => "orange",
            Self::Violet => "violet",
        }
    }

    /// Red, green and blue.
    pub fn rgb(self) -> [u8; 3] {
        match self {
            Self::Red => [220, 20, 30],
            Self::Green => [0, 150, 60],
            Self::Blue => [20, 90, 220],
            Self::Orange => [230, 140, 0],
            Self::Violet => [150, 30, 200],
        }
    }
}
