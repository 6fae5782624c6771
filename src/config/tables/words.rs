//! Values that are one of a few words.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    batch::ArtificialIds,
    domain::{DuplicateLetterIds, Language, PostageClass, ServiceKind},
    notices::Tls,
    pipeline::{Gate, Landscape},
    print::{Destination, OmrLine, OmrParity, OmrSequence, PdfVersion, Sides},
    receipts::{Format, Level},
    routing::IncompleteAddress,
    telemetry::LogFormat,
};

/// A word of the file for each value of a room.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident for $target:ty { $($(#[$word:meta])* $value:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        pub(super) enum $name {
            $($(#[$word])* $value),+
        }

        impl From<$name> for $target {
            fn from(name: $name) -> Self {
                match name {
                    $($name::$value => Self::$value),+
                }
            }
        }

        impl From<$target> for $name {
            fn from(value: $target) -> Self {
                match value {
                    $(<$target>::$value => Self::$value),+
                }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                <$target>::default().into()
            }
        }
    };
}

words! {
    LogFormatName for LogFormat {
        Text,
        /// One object a line.
        Json,
    }
}

words! {
    SidesName for Sides {
        /// The front of each sheet.
        Fronts,
        All,
        /// The first page of a letter.
        First,
    }
}

words! {
    OmrLineName for OmrLine {
        /// Always printed: where a reader begins, or the benchmark.
        Start,
        /// Always printed.
        Safety,
        /// Always printed, between groups of others.
        Retiming,
        /// On the last sheet of a piece.
        EndOfSet,
        /// On all sheets but the last of a piece.
        NotEndOfSet,
        /// On the first sheet of a piece.
        BeginOfSet,
        /// On all sheets but the first of a piece.
        NotBeginOfSet,
        /// The highest bit of the sequence.
        #[serde(rename = "sequence-4")]
        Sequence4,
        /// The middle one.
        #[serde(rename = "sequence-2")]
        Sequence2,
        /// The lowest one.
        #[serde(rename = "sequence-1")]
        Sequence1,
        /// Makes the number of lines even.
        Parity,
        /// On the first sheet of a piece: feed a fixed insert.
        InsertOnFirst,
        /// On the last sheet of a piece: feed a fixed insert.
        InsertOnLast,
        /// Never printed: a place that must be white.
        Blank,
    }
}

words! {
    OmrSequenceName for OmrSequence {
        /// 0 to 7, and again.
        #[serde(rename = "from-0")]
        From0,
        /// 1 to 7, and again.
        #[serde(rename = "from-1")]
        From1,
    }
}

words! {
    OmrParityName for OmrParity {
        /// The lines that are not always printed.
        Data,
        /// All lines.
        All,
    }
}

words! {
    GateName for Gate {
        /// The messages without errors go on.
        Partial,
        /// One refused message refuses the batch.
        AllOrNothing,
    }
}

words! {
    LandscapeName for Landscape {
        /// The letter cannot be printed.
        Refuse,
        /// The page is turned upright for print.
        Turn,
    }
}

words! {
    DuplicateLetterIdsName for DuplicateLetterIds {
        /// It is refused, and nothing is sent twice.
        Refuse,
        /// It goes on, with a warning.
        Accept,
    }
}

words! {
    ReceiptsName for Level {
        /// An acknowledgement and reports of every message.
        All,
        /// Only what needs the sender's hand.
        Errors,
        /// Nothing.
        None,
    }
}

words! {
    LanguageName for Language {
        /// English.
        #[serde(rename = "en")]
        English,
        /// Finnish.
        #[serde(rename = "fi")]
        Finnish,
        /// Swedish.
        #[serde(rename = "sv")]
        Swedish,
    }
}

words! {
    TlsName for Tls {
        /// Encrypted from the first byte.
        Required,
        /// Encrypted by STARTTLS; where the mail server offers none, nothing is sent.
        Starttls,
        /// In the clear: for a mail server on this machine.
        None,
    }
}

words! {
    FormatName for Format {
        /// As `schemas/receipt.xsd` says.
        Xml,
        /// As `schemas/receipt.csvw.json` says.
        Csv,
        /// As `schemas/receipt.schema.json` says.
        Json,
    }
}

words! {
    DestinationName for Destination {
        Domestic,
        Foreign,
    }
}

words! {
    PostageName for PostageClass {
        Priority,
        Economy,
    }
}

words! {
    ServiceName for ServiceKind {
        Ordinary,
        /// With proof of receipt.
        Verifiable,
    }
}

words! {
    IncompleteAddressName for IncompleteAddress {
        Refuse,
        /// Post it to the sender's own `address_rows`.
        UseSendersAddress,
    }
}

words! {
    ArtificialIdsName for ArtificialIds {
        /// Nothing is said.
        Accept,
        /// Each letter gets a warning, unless its batch is a test.
        Warn,
    }
}

words! {
    PdfVersionName for PdfVersion {
        /// ISO 32000-1.
        #[serde(rename = "1.7")]
        Pdf17,
        /// ISO 32000-2: no information dictionary, since it deprecates it.
        #[serde(rename = "2.0")]
        Pdf20,
    }
}
