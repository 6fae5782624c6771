mod finnish;
mod swedish;
mod words;

use std::{borrow::Cow, fmt};

use super::{Language, without_identity_codes};

pub use self::words::Words;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth saying; nothing follows from it.
    Info,
    /// The message goes on, and somebody should look.
    Warning,
    /// What the finding concerns cannot go on.
    Error,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Which channel a finding closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Affects {
    Both,
    Mailbox,
    Print,
}

impl Affects {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Mailbox => "mailbox",
            Self::Print => "print",
        }
    }
}

/// Where in the batch something was found. Every part is optional; none holds personal data.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash)]
pub struct Place {
    /// The entry of the ZIP, as it is named there but for identity codes.
    pub entry: Option<String>,
    /// 1-based line of the control data.
    pub line: Option<u32>,
    /// 1-based position of the message in the batch; absent means the whole batch.
    pub message: Option<u32>,
    /// 1-based page of the entry.
    pub page: Option<u32>,
}

impl Place {
    pub fn batch() -> Self {
        Self::default()
    }

    pub fn entry(name: impl Into<String>) -> Self {
        Self::default().in_entry(name)
    }

    pub fn message(position: u32) -> Self {
        Self {
            message: Some(position),
            ..Self::default()
        }
    }

    /// An identity code in the name is masked.
    #[must_use]
    pub fn in_entry(self, name: impl Into<String>) -> Self {
        Self {
            entry: Some(masked(name.into())),
            ..self
        }
    }

    #[must_use]
    pub fn on_line(self, line: u32) -> Self {
        Self {
            line: Some(line),
            ..self
        }
    }

    #[must_use]
    pub fn of_message(self, position: u32) -> Self {
        Self {
            message: Some(position),
            ..self
        }
    }

    #[must_use]
    pub fn on_page(self, page: u32) -> Self {
        Self {
            page: Some(page),
            ..self
        }
    }
}

/// Something wrong, or worth saying, in the data. It is an answer to the sender, never an exception.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Finding {
    pub code: Code,
    pub place: Place,
    /// This case in one sentence without personal data: `page 14 is past the last page, 12`.
    pub detail: String,
}

impl Finding {
    /// An identity code in the detail is masked: it may quote what the sender wrote.
    pub fn new(code: Code, place: Place, detail: impl Into<String>) -> Self {
        Self {
            code,
            place,
            detail: masked(detail.into()),
        }
    }

    pub fn severity(&self) -> Severity {
        self.code.severity()
    }

    pub fn is_error(&self) -> bool {
        self.severity() == Severity::Error
    }
}

fn masked(text: String) -> String {
    match without_identity_codes(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(masked) => masked,
    }
}

macro_rules! codes {
    ($($name:ident = $code:literal, $severity:ident, $affects:ident,
       $meaning:literal, $remedy:literal;)+) => {
        /// The catalogue of findings: each with a stable code, what it means, and what to do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $meaning] $name,)+
        }

        impl Code {
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The stable code that receipts carry.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            pub fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)+ }
            }

            /// Which channel a finding of this kind is about, and closes if it closes any.
            pub fn affects(self) -> Affects {
                match self { $(Self::$name => Affects::$affects,)+ }
            }

            fn in_english(self) -> Words {
                match self {
                    $(Self::$name => Words { meaning: $meaning, remedy: $remedy },)+
                }
            }

            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == code)
            }
        }
    };
}

codes! {
    // The archive.
    ArchiveUnreadable = "archive-unreadable", Error, Both,
        "The file is not a ZIP archive, or its directory cannot be read.",
        "Make the ZIP again and check it with `unzip -t` before you upload it.";
    ArchiveDamaged = "archive-damaged", Error, Both,
        "An entry cannot be read to its end, or its checksum does not match.",
        "Upload the file again; if it happens twice, make the ZIP again.";
    ArchiveInconsistent = "archive-inconsistent", Error, Both,
        "The archive contradicts itself, so two programs could read two different batches from it.",
        "Make the ZIP with an ordinary tool, without appending to it or patching it.";
    ArchiveEncrypted = "archive-encrypted", Error, Both,
        "An entry is encrypted.",
        "Send the batch without a ZIP password; the connection is encrypted already.";
    ArchiveMethod = "archive-method", Error, Both,
        "An entry is compressed by a method other than deflate.",
        "Use the ordinary `stored` or `deflate` method.";
    ArchiveEntryName = "archive-entry-name", Error, Both,
        "An entry's name climbs out of its folder, is absolute, or is not text.",
        "Name entries with letters, digits, `-`, `_`, `.` and `/` between folders.";
    ArchiveSymlink = "archive-symlink", Error, Both,
        "An entry is a symbolic link.",
        "Put the file itself into the ZIP.";
    ArchiveDuplicateName = "archive-duplicate-name", Error, Both,
        "Two entries have the same name.",
        "Give each file a name of its own.";
    ArchiveTooLarge = "archive-too-large", Error, Both,
        "The ZIP, or what it unpacks to, is over the limit.",
        "Split the batch.";
    ArchiveEntryTooLarge = "archive-entry-too-large", Error, Both,
        "An entry unpacks to more than the limit for one file.",
        "Split the file; a PDF of one letter may have 10 MiB.";
    ArchiveRatio = "archive-ratio", Error, Both,
        "An entry unpacks to an implausible multiple of its packed size.",
        "Check what made the file; a real letter does not compress this far.";
    ArchiveTooManyEntries = "archive-too-many-entries", Error, Both,
        "The ZIP has more entries than the limit.",
        "Split the batch.";
    ArchiveNestedTooDeep = "archive-nested-too-deep", Error, Both,
        "A ZIP inside a ZIP inside a ZIP.",
        "Nest one level at most.";
    ArchiveHidden = "archive-hidden", Error, Both,
        "An entry is itself an archive, of a kind or under a name that is not opened.",
        "Put the files themselves into the ZIP.";

    // The control data.
    ControlDataMissing = "control-data-missing", Error, Both,
        "The ZIP holds no control data: no `LetterBundle` XML and no `batch.csv`.",
        "Add the control data that describes the letters.";
    ControlDataMalformed = "control-data-malformed", Error, Both,
        "The control data is not well-formed.",
        "Check it with `xmllint` (XML) or a CSV reader, at the line named.";
    ControlDataDoctype = "control-data-doctype", Error, Both,
        "The XML has a document type declaration or an entity of its own.",
        "Leave out the DOCTYPE; only the five entities of XML itself are read.";
    ControlDataEncoding = "control-data-encoding", Error, Both,
        "The bytes are not in the encoding that the control data declares, or that is not read.",
        "Write UTF-8 or ISO-8859-1 and declare the one you write.";
    ControlDataVersion = "control-data-version", Error, Both,
        "The XML is not a `LetterBundle` of version v0x4 or v1x0.",
        "Use the namespace `urn:itella.com:/schema/ipost/letterbundle/v1x0`.";
    ControlDataUnknown = "control-data-unknown", Info, Both,
        "The control data has an element, attribute or column that Kuori does not use.",
        "Nothing, if you did not expect it to have an effect.";
    ControlDataValue = "control-data-value", Error, Both,
        "A value of the control data is not one of those allowed.",
        "Correct the value; the finding says which are allowed.";
    CsvColumnMissing = "csv-column-missing", Error, Both,
        "`batch.csv` lacks a column that every batch needs.",
        "Add the column `file`, and either `recipient_id` or the address columns.";
    FieldTooLong = "field-too-long", Error, Both,
        "A field is longer than the limit.",
        "Shorten it; a field may have 512 characters.";
    TooManyMessages = "too-many-messages", Error, Both,
        "The batch has more messages than the limit.",
        "Split the batch.";
    NoMessages = "no-messages", Error, Both,
        "The control data describes no letter.",
        "Check the export that made the batch.";
    ShapeNotSupported = "shape-not-supported", Error, Both,
        "The batch has a shape that Kuori does not read yet.",
        "Send one PDF with one `LetterBundle`, or `batch.csv` with PDFs.";
    DocumentMissing = "document-missing", Error, Both,
        "The control data names a PDF that is not in the ZIP.",
        "Add the file, or correct its name; upper and lower case count.";
    DocumentUnused = "document-unused", Warning, Both,
        "A file in the ZIP is not named by the control data.",
        "Check that no letter is missing from the control data.";

    // Page ranges: a slip here would give someone else's page.
    PageRangeMissing = "page-range-missing", Error, Both,
        "A letter does not say which pages are its own, and its PDF holds several letters.",
        "Write `Location` with `startPage` and `pages`; in CSV `start_page` and `pages`.";
    PageRangeOutside = "page-range-outside", Error, Both,
        "A letter's pages are not all in the PDF.",
        "Count the pages again: `startPage` begins at 1.";
    PageRangeOverlap = "page-range-overlap", Error, Both,
        "Two letters share a page, so someone would get someone else's page.",
        "Correct the page ranges. The whole file is refused until they fit.";
    PageRangeGap = "page-range-gap", Error, Both,
        "A page belongs to no letter, so someone would miss a page.",
        "Correct the page ranges. The whole file is refused until they fit.";

    // The message.
    MessageDuplicate = "message-duplicate", Error, Both,
        "A message with the same id of the sender's was received before.",
        "Give each letter an id of its own; nothing is sent twice.";
    MessageRepeated = "message-repeated", Warning, Both,
        "A message with the same id of the sender's was received in an earlier batch; the sender's settings let it go all the same.",
        "Nothing, if the letter is to go again; else give each letter an id of its own.";
    RecipientIdInvalid = "recipient-id-invalid", Error, Both,
        "The recipient's id is malformed or its check character is wrong.",
        "Correct the id, or leave it out so that the letter is printed.";
    AddressIncomplete = "address-incomplete", Warning, Print,
        "The address lacks a name, street, postal code or city.",
        "Complete the address, so that the letter can be printed if it must.";
    CountryInvalid = "country-invalid", Warning, Print,
        "The country is not a two-letter code that some country has.",
        "Use ISO 3166-1 alpha-2, such as `FI` or `SE`, or `XX` where you do not know.";
    RecipientIdIgnored = "recipient-id-ignored", Warning, Mailbox,
        "The recipient's id is malformed or its check character is wrong; you asked for print, which needs none.",
        "Correct the id, or leave it out.";
    RecipientIdArtificial = "recipient-id-artificial", Warning, Mailbox,
        "The recipient's identity code is artificial (individual number 900 to 999): no person has it.",
        "Mark tests with `isTest`; in earnest, write the person's own code.";
    AddressRowLong = "address-row-long", Warning, Print,
        "A row of the address has more characters than the post reads.",
        "Shorten the field to 30 characters; `city` has the postal code before it.";
    AddressRowCut = "address-row-cut", Error, Print,
        "A field of the address is longer than its two rows of the address page, which would lose its end.",
        "Shorten the field; the post reads 30 characters a row.";
    AddressCharacter = "address-character", Error, Print,
        "The address or the subject has a character that the address page cannot show.",
        "Write it in Latin, Greek or Cyrillic letters.";
    PostalCodeForm = "postal-code-form", Info, Print,
        "The postal code is written with a space or a country before it, and was read without.",
        "Write its five digits alone.";
    PostalCodeUnknown = "postal-code-unknown", Warning, Print,
        "The table of postal codes does not have the postal code.",
        "Check the code: the letter is posted as it is. A very new code may be missing from the table.";
    PostalCodeLocality = "postal-code-locality", Warning, Print,
        "The postal code is that of another locality.",
        "Check both: the letter is posted as it is.";
    PostalCodePoBox = "postal-code-po-box", Info, Print,
        "The address is a post-office box, and the last digit of the postal code is not 1.",
        "Check the code: only large receivers have box codes of their own.";

    // The PDF.
    PdfUnreadable = "pdf-unreadable", Error, Both,
        "The PDF cannot be read, even after its cross-references were rebuilt.",
        "Make the PDF again and open it in a viewer before you send it.";
    PdfEncrypted = "pdf-encrypted", Error, Both,
        "The PDF is encrypted.",
        "Save it without a password or restrictions.";
    PdfLimits = "pdf-limits", Error, Both,
        "The PDF is over a limit of depth, objects or expansion.",
        "Make the PDF again by an ordinary program.";
    PdfRebuilt = "pdf-rebuilt", Warning, Both,
        "The PDF's cross-references are damaged, and were rebuilt from its objects.",
        "Check the letter: it goes on as a viewer would show it. Have the program that makes the PDF mended.";
    PdfDecrypted = "pdf-decrypted", Info, Both,
        "The PDF was encrypted with an empty password, and goes on without.",
        "Nothing; save it without a password if restrictions were not meant.";
    PdfSecondReader = "pdf-second-reader", Warning, Both,
        "The PDF could only be read by a second, more lenient reader.",
        "Check the letter, and make the PDF by another program.";
    PdfActiveContent = "pdf-active-content", Error, Print,
        "The PDF has scripts, actions, a dynamic form or media, so that what it shows may change.",
        "Make the PDF without them: print it to a PDF, or save it as PDF/A.";
    PageSize = "page-size", Error, Print,
        "A page is not upright A4, within 2 mm.",
        "Set the page size to 210 × 297 mm.";
    PageLandscape = "page-landscape", Info, Print,
        "A page lies on its side; it is turned upright for print.",
        "Nothing, if the page may be read from the side.";
    TooLargeForMailbox = "too-large-for-mailbox", Warning, Mailbox,
        "The letter's PDF, with its attachments, is larger than a mailbox takes.",
        "Nothing, if it may go on paper; else make the PDF smaller.";
    MailboxServiceRefused = "mailbox-service-refused", Error, Mailbox,
        "The mailbox service does not take the message, and says why.",
        "Nothing: the operator looks at it. Do not send the letter again.";
    AttachmentNotPrintable = "attachment-not-printable", Error, Print,
        "The letter has attachments, and on paper it would lose them.",
        "Nothing, if it may go to a mailbox; else put everything into one PDF.";
    AttachmentType = "attachment-type", Error, Mailbox,
        "An attachment is not of a kind that a mailbox takes, or not what its name says.",
        "Attach PDF, Word, Excel, PowerPoint, OpenDocument, JPEG, PNG or plain text under its usual ending.";
    TooManySheets = "too-many-sheets", Error, Print,
        "The letter has more sheets than the largest envelope of the print house holds.",
        "Split the letter, or print on both sides.";
    NoPostage = "no-postage", Error, Print,
        "The print house has no postage for a letter of this class, destination and weight.",
        "Make the letter lighter: print on both sides, or split it; or choose the other class.";
    LetterNotComposable = "letter-not-composable", Error, Print,
        "The letter's pages could not be put into a bundle.",
        "Make the PDF again by an ordinary program.";

    // What stands on the page.
    FontNotEmbedded = "font-not-embedded", Error, Print,
        "A font that a page uses is not in the PDF, so that print could show other letters.",
        "Embed all fonts when you make the PDF, or save it as PDF/A.";
    Transparency = "transparency", Info, Print,
        "Pages have transparent parts, which presses may flatten in different ways.",
        "Nothing; if a picture prints badly, make it without transparency.";
    AnnotationDropped = "annotation-dropped", Warning, Print,
        "A note, stamp or form field has no appearance of its own, and is not printed.",
        "Check that nothing is lost; flatten forms and notes when you make the PDF.";
    AddressMissing = "address-missing", Warning, Print,
        "The envelope's window would show no address, so that an address page goes in front.",
        "Put the address into the window on the first page, or leave it to the address page, which adds a sheet.";
    AddressMismatch = "address-mismatch", Error, Both,
        "The address in the envelope's window is another than that of the control data: this could be somebody else's letter.",
        "Check that letters and control data are in the same order, and correct whichever address is old.";
    AddressUnread = "address-unread", Info, Print,
        "The text in the envelope's window cannot be read, so that the address was not compared.",
        "Write the address as text, in a font that says which character each sign is.";
    AddressZoneCrowded = "address-zone-crowded", Warning, Print,
        "Something besides the address stands in the envelope's window, or the window cuts it.",
        "Keep the window free of all but the address, and the address within it.";
    ZoneNotEmpty = "zone-not-empty", Error, Print,
        "Text or lines stand in a zone that must stay white for print.",
        "Move it out of the zone; the finding says how far.";
    ZonePicture = "zone-picture", Warning, Print,
        "A picture covers a zone that must stay white for print, and it is not known whether it is white there.",
        "Check that the picture is white in the zone, or move it.";
}

impl Code {
    /// What it means, and what the sender should do.
    pub fn words(self, language: Language) -> Words {
        match language {
            Language::English => self.in_english(),
            Language::Finnish => finnish::words(self),
            Language::Swedish => swedish::words(self),
        }
    }

    /// Which channel a finding of this kind closes for what it concerns.
    ///
    /// An error closes what it is about; so do the warnings after which a letter can go on paper
    /// alone. Whether a letter can be posted to its address is for routing to say, and closes nothing.
    pub fn closes(self) -> Option<Affects> {
        let leaves_paper = matches!(self, Self::TooLargeForMailbox | Self::RecipientIdIgnored);
        (leaves_paper || self.severity() == Severity::Error).then(|| self.affects())
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_can_be_found_by_its_text_and_no_two_are_alike() {
        for &code in Code::ALL {
            assert_eq!(Code::from_code(code.as_str()), Some(code));
        }
    }

    #[test]
    fn errors_close_what_they_are_about_and_of_the_others_only_those_that_leave_paper() {
        assert_eq!(Code::PageSize.closes(), Some(Affects::Print));
        assert_eq!(Code::AttachmentType.closes(), Some(Affects::Mailbox));
        assert_eq!(Code::PdfEncrypted.closes(), Some(Affects::Both));
        let closing = Code::ALL
            .iter()
            .copied()
            .filter(|code| code.closes().is_some() && code.severity() != Severity::Error);
        let closing: Vec<_> = closing.map(|code| (code, code.closes())).collect();
        let mailbox = Some(Affects::Mailbox);
        assert_eq!(
            closing,
            [
                (Code::RecipientIdIgnored, mailbox),
                (Code::TooLargeForMailbox, mailbox)
            ]
        );
    }
}
