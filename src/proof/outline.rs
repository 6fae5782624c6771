use super::{Colour, Picture, picture::Paper};
use crate::pdf::{Area, PageGeometry};

/// Something to be drawn over a page.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    pub name: String,
    pub area: Area,
    pub look: Look,
}

/// What an outline means, and so its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// The recipient's address shows through here.
    Window,
    /// The sender's address shows through here.
    SenderWindow,
    /// Our mark stands here.
    Mark,
    /// Must be white: green where it is, else red.
    KeptClear,
    /// Stands where it must not.
    Offence,
}

/// An outline as it was drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawn {
    pub outline: Outline,
    /// Something is seen in what must be white.
    pub is_disturbed: bool,
}

impl Drawn {
    pub fn colour(&self) -> Colour {
        match self.outline.look {
            Look::Window => Colour::Blue,
            Look::SenderWindow => Colour::Orange,
            Look::Mark => Colour::Violet,
            Look::KeptClear if !self.is_disturbed => Colour::Green,
            Look::KeptClear | Look::Offence => Colour::Red,
        }
    }
}

/// Draws outlines over a page as seen; what is red is filled, so that one sees through it.
pub fn draw(picture: &mut Picture, page: &PageGeometry, outlines: Vec<Outline>) -> Vec<Drawn> {
    let paper = Paper::of(page);
    // All are looked at before one is drawn: the edge of one may run through another.
    let looked_at = outlines.into_iter().map(|outline| Drawn {
        is_disturbed: outline.look == Look::KeptClear && !picture.is_white(&outline.area, paper),
        outline,
    });
    let all: Vec<_> = looked_at.collect();
    for drawn in &all {
        let (area, colour) = (&drawn.outline.area, drawn.colour());
        if colour == Colour::Red {
            picture.tint(area, paper, colour.rgb());
        }
        picture.outline(area, paper, colour.rgb());
    }
    all
}
