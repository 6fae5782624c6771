//! Which version of the standard a new file claims.

/// What a new file says it is. What stands in it is the same but for what the version deprecates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PdfVersion {
    /// ISO 32000-1.
    #[default]
    Pdf17,
    /// ISO 32000-2. The information dictionary, which it deprecates (14.3.3), is left out; the XMP
    /// packet says the same. Document parts are part of the standard itself.
    Pdf20,
}

impl PdfVersion {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pdf17 => "1.7",
            Self::Pdf20 => "2.0",
        }
    }

    /// The first two lines of a file (7.5.2).
    pub(super) fn header(self) -> &'static [u8] {
        match self {
            Self::Pdf17 => b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
            Self::Pdf20 => b"%PDF-2.0\n%\xe2\xe3\xcf\xd3\n",
        }
    }

    pub(super) fn has_information(self) -> bool {
        self == Self::Pdf17
    }
}
