use crate::pdf::Refusal;

/// Why there is no picture of a page.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the page cannot be taken out of its PDF")]
    Page(#[source] Refusal),
    #[error("the page cannot be written to memory")]
    Write(#[source] std::io::Error),
    #[error("the renderer cannot read the page")]
    Unreadable,
    /// At that resolution.
    #[error(
        "the page measures {width_mm:.0} × {height_mm:.0} mm, which is {pixels} pixels; {limit} are drawn at most"
    )]
    TooLarge {
        width_mm: f64,
        height_mm: f64,
        pixels: u64,
        limit: u64,
    },
    #[error("the picture of a page cannot be read")]
    Decode(#[source] png::DecodingError),
    #[error("what was drawn is no picture of {} × {} pixels", wanted.width, wanted.height)]
    OtherPicture { wanted: super::Size },
    #[error("the picture of a page cannot be written")]
    Encode(#[source] png::EncodingError),
}
