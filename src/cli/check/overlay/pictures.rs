use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::Suspect;
use crate::{
    cli::{
        page_picture::{Legend, PictureOfPage},
        words::counted,
    },
    domain::without_identity_codes,
};

/// The pictures of a batch.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct Pictures {
    pages: Vec<EntryPage>,
    /// Pages with an error or a warning beyond `--overlay-pages`.
    left_out: u64,
}

#[derive(Serialize, JsonSchema)]
struct EntryPage {
    /// The entry of the ZIP, but for identity codes.
    entry: String,
    #[serde(flatten)]
    picture: PictureOfPage,
}

impl Pictures {
    /// None yet, beside those that are not to be drawn.
    pub(super) fn beside(left_out: u64) -> Self {
        Self {
            pages: Vec::new(),
            left_out,
        }
    }

    pub(super) fn add(&mut self, letter: &Suspect, picture: PictureOfPage) {
        let entry = without_identity_codes(&letter.document().0).into_owned();
        self.pages.push(EntryPage { entry, picture });
    }

    pub(super) fn fail(&mut self, letters: &[Suspect], why: &str) {
        for letter in letters {
            for page in &letter.on {
                self.add(letter, PictureOfPage::failed(*page, why.to_owned()));
            }
        }
    }
}

/// A row a picture, how many are left out, and what the colours mean.
impl fmt::Display for Pictures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for EntryPage { entry, picture } in &self.pages {
            writeln!(f, "Picture   {picture} of `{entry}`")?;
        }
        if self.left_out > 0 {
            let pages = counted(self.left_out, "page", "pages");
            writeln!(
                f,
                "          {pages} more: `--overlay-pages` says how many are drawn"
            )?;
        }
        Legend::of(self.pages.iter().flat_map(|page| page.picture.zones())).fmt(f)
    }
}
