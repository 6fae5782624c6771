#[cfg(test)]
mod tests;

use super::{
    ControlData, Draft, Fields, StatedPages, Unknown,
    blocks::Blocks,
    elements::Home,
    markup::{Element, Markup, Piece},
};
use crate::{
    batch::Limits,
    domain::{Code, Finding, Place, PostageClass, StatedRecipient},
};

/// `LetterBundle` XML, versions v1x0 and v0x4, with any prefix.
///
/// The customer number and password that travel in `StdBundleProcessing` are passed over without
/// being read.
pub(super) struct LetterBundle<'l> {
    markup: Markup<'l>,
    reading: Reading<'l>,
}

/// What was understood so far.
struct Reading<'l> {
    limits: &'l Limits,
    place: &'l Place,
    path: Vec<Node>,
    common: Common,
    /// What the bundle has said outside its letters, and whether it has had one.
    bundle: Seen,
    letter: Option<(Draft, Fields<'l>, Seen)>,
    unknown: Unknown,
    remarks: Vec<Finding>,
    is_test: bool,
}

/// What is wrong outside of letters refuses the file, so a few remarks say enough.
const MAX_REMARKS: usize = 100;

const NAMESPACES: [&str; 2] = [
    "urn:itella.com:/schema/ipost/letterbundle/v1x0",
    "urn:itella-letterbundle-v0x4",
];

/// What an element is where it stands. Below an element that is not known, none is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    LetterBundle,
    Bundle,
    BundleCommon,
    Sender,
    Processing,
    StdBundleProcessing,
    DeliveryChannelControl,
    ExternalFile,
    Letter,
    LetterMeta,
    Location,
    Recipient,
    Address,
    Eu1,
    LetterDetails,
    Subject,
    Ignored,
}

impl Node {
    /// Whether letters go by what stands there, where it is not theirs.
    fn holds_for_letters(self) -> bool {
        matches!(
            self,
            Self::BundleCommon
                | Self::StdBundleProcessing
                | Self::DeliveryChannelControl
                | Self::ExternalFile
        )
    }
}

/// What holds for every letter of a `Bundle`, unless the letter says otherwise.
#[derive(Debug, Clone, Default)]
struct Common {
    file: Option<String>,
    postage: Option<PostageClass>,
    duplex: Option<bool>,
    deny_electronic_only: bool,
    deny_electronic_copy: bool,
}

/// What a letter or a bundle has said already, a bit a node: said twice, nobody knows which of the two
/// is meant.
#[derive(Debug, Default)]
struct Seen(u32);

impl Seen {
    /// Whether it is said for the first time.
    fn add(&mut self, node: Node) -> bool {
        let bit = 1 << node as u32;
        let is_new = self.0 & bit == 0;
        self.0 |= bit;
        is_new
    }

    fn has(&self, node: Node) -> bool {
        self.0 & (1 << node as u32) != 0
    }
}

impl<'l> LetterBundle<'l> {
    pub(super) fn new(blocks: &'l mut dyn Blocks, place: &'l Place, limits: &'l Limits) -> Self {
        Self {
            markup: Markup::new(blocks, place, &NAMESPACES, limits),
            reading: Reading {
                limits,
                place,
                path: Vec::new(),
                common: Common::default(),
                bundle: Seen::default(),
                letter: None,
                unknown: Unknown::default(),
                remarks: Vec::new(),
                is_test: false,
            },
        }
    }
}

impl Reading<'_> {
    fn open(&mut self, element: &Element<'_>) -> Result<(), Finding> {
        let node = match self.path.last() {
            None => self.root(element)?,
            Some(&parent) => self.child(parent, element),
        };
        self.path.push(node);
        match node {
            Node::Ignored => {}
            Node::Bundle => (self.common, self.bundle) = Default::default(),
            Node::Letter => self.begin_letter(element.line),
            _ => self.once(node, element.line),
        }
        if node != Node::Ignored {
            self.attributes(node, element);
        }
        Ok(())
    }

    fn root(&self, element: &Element<'_>) -> Result<Node, Finding> {
        if element.name == "LetterBundle" && element.home == Home::Ours {
            return Ok(Node::LetterBundle);
        }
        let place = self.place.clone().on_line(element.line);
        let detail = "the root element is no `LetterBundle` of a known namespace";
        Err(Finding::new(Code::ControlDataVersion, place, detail))
    }

    fn child(&mut self, parent: Node, element: &Element<'_>) -> Node {
        // Hand-made templates forget the prefix below the root.
        let is_ours = element.home != Home::Elsewhere;
        let node = known_child(parent, element.name).filter(|_| is_ours);
        if node.is_none() && is_ours && element.name == "Letter" {
            let detail = "a `Letter` stands where none is read, and would be lost";
            self.remark(element.line, detail.to_owned());
        } else if node.is_none() && parent != Node::Ignored {
            let place = self.place.clone().on_line(element.line);
            self.unknown.element(element.name, place);
        }
        node.unwrap_or(Node::Ignored)
    }

    fn begin_letter(&mut self, line: u32) {
        self.bundle.add(Node::Letter);
        let mut draft = Draft::new(line);
        draft.file.clone_from(&self.common.file);
        draft.postage = self.common.postage;
        draft.duplex = self.common.duplex;
        draft.deny_electronic_only = self.common.deny_electronic_only;
        draft.deny_electronic_copy = self.common.deny_electronic_copy;
        let fields = Fields::new(self.limits, self.place, line);
        self.letter = Some((draft, fields, Seen::default()));
    }

    fn once(&mut self, node: Node, line: u32) {
        if let Some((_, fields, seen)) = &mut self.letter {
            if !seen.add(node) {
                let detail = format!("the letter has a second `{node:?}`");
                fields.find(Code::ControlDataValue, detail);
            }
        } else if node.holds_for_letters() {
            if self.bundle.has(Node::Letter) {
                let detail = "stands behind a letter, for which it would not hold";
                self.remark(line, format!("`{node:?}` {detail}"));
            } else if !self.bundle.add(node) {
                self.remark(line, format!("the bundle has a second `{node:?}`"));
            }
        }
    }

    /// Tells what is wrong outside of letters.
    fn remark(&mut self, line: u32, detail: String) {
        if self.remarks.len() < MAX_REMARKS {
            let place = self.place.clone().on_line(line);
            let finding = Finding::new(Code::ControlDataValue, place, detail);
            self.remarks.push(finding);
        }
    }

    fn attributes(&mut self, node: Node, element: &Element<'_>) {
        let mut pages = (None, None);
        for (name, value) in element.attributes() {
            let is_known = match &mut self.letter {
                Some((draft, fields, _)) => of_letter(node, name, value, draft, fields, &mut pages),
                None => self.of_common(node, name, value, element.line),
            };
            let is_about_schema = name.starts_with("xsi:") || name.starts_with("xml:");
            if !is_known && !is_about_schema {
                let place = self.place.clone().on_line(element.line);
                self.unknown.attribute(element.name, name, place);
            }
        }
        if let (Node::Location, Some((draft, fields, _))) = (node, &mut self.letter) {
            draft.pages = stated_pages(pages, fields);
        }
    }

    /// Takes an attribute that stands outside a letter; `false` where it is not known.
    fn of_common(&mut self, node: Node, name: &str, value: &str, line: u32) -> bool {
        let mut fields = Fields::new(self.limits, self.place, line);
        let common = &mut self.common;
        let is_known = match (node, name) {
            (Node::BundleCommon, "isTest") => {
                self.is_test |= fields.flag(name, value).unwrap_or_default();
                true
            }
            (Node::StdBundleProcessing, "letterClass") => {
                common.postage = postage(value);
                if common.postage.is_none() && !value.trim().is_empty() {
                    self.unknown
                        .note("value of `letterClass`".to_owned(), fields.place());
                }
                true
            }
            (Node::StdBundleProcessing, "isDuplex") => {
                common.duplex = fields.flag(name, value);
                true
            }
            (Node::DeliveryChannelControl, "denyElectronicOnlyDelivery") => {
                common.deny_electronic_only = fields.flag(name, value).unwrap_or_default();
                true
            }
            (Node::DeliveryChannelControl, "denyElectronicCopyDelivery") => {
                common.deny_electronic_copy = fields.flag(name, value).unwrap_or_default();
                true
            }
            (Node::ExternalFile, "fileName") => {
                common.file = fields.line(name, value);
                true
            }
            _ => is_unused(node, name),
        };
        let room = MAX_REMARKS.saturating_sub(self.remarks.len());
        self.remarks
            .extend(fields.into_findings().into_iter().take(room));
        is_known
    }

    /// All that is used stands in attributes.
    fn words(&mut self, line: u32) {
        if let Some(node) = self.path.last().filter(|node| **node != Node::Ignored) {
            let place = self.place.clone().on_line(line);
            self.unknown.note(format!("text in `{node:?}`"), place);
        }
    }

    fn close(&mut self) -> Option<Draft> {
        if self.path.pop() != Some(Node::Letter) {
            return None;
        }
        let (draft, fields, _) = self.letter.take()?;
        Some(draft.finish(fields))
    }
}

impl ControlData for LetterBundle<'_> {
    fn next_draft(&mut self) -> Result<Option<Draft>, Finding> {
        loop {
            match self.markup.next()? {
                Piece::Open(element) => self.reading.open(&element)?,
                Piece::Close => {
                    if let Some(draft) = self.reading.close() {
                        return Ok(Some(draft));
                    }
                }
                Piece::Words(line) => self.reading.words(line),
                Piece::End => return Ok(None),
            }
        }
    }

    fn remarks(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.reading.remarks)
    }

    fn unknown(&mut self) -> Unknown {
        std::mem::take(&mut self.reading.unknown)
    }

    fn is_test(&self) -> bool {
        self.reading.is_test
    }
}

/// The elements seen in production, each under the parents it was seen under.
fn known_child(parent: Node, name: &str) -> Option<Node> {
    let node = match (parent, name) {
        (Node::LetterBundle, "Bundle") => Node::Bundle,
        (Node::Bundle, "BundleCommon") => Node::BundleCommon,
        (Node::Bundle, "Letter") => Node::Letter,
        (Node::BundleCommon | Node::LetterMeta, "Sender") => Node::Sender,
        (Node::BundleCommon | Node::Letter | Node::LetterMeta, "Processing") => Node::Processing,
        (Node::BundleCommon | Node::Processing, "StdBundleProcessing") => Node::StdBundleProcessing,
        (
            Node::BundleCommon
            | Node::Processing
            | Node::StdBundleProcessing
            | Node::Letter
            | Node::LetterMeta,
            "DeliveryChannelControl",
        ) => Node::DeliveryChannelControl,
        (
            Node::Bundle
            | Node::BundleCommon
            | Node::Processing
            | Node::StdBundleProcessing
            | Node::Letter
            | Node::LetterMeta
            | Node::Location,
            "ExternalFile",
        ) => Node::ExternalFile,
        (Node::Letter, "LetterMeta") => Node::LetterMeta,
        (Node::Letter | Node::LetterMeta, "LetterDetails") => Node::LetterDetails,
        (Node::Letter | Node::LetterMeta, "Location") => Node::Location,
        (Node::Letter | Node::LetterMeta, "Recipient") => Node::Recipient,
        (Node::Recipient, "Address") => Node::Address,
        (Node::Recipient | Node::Address, "Eu1") => Node::Eu1,
        (Node::Letter | Node::LetterMeta | Node::LetterDetails, "Subject") => Node::Subject,
        _ => return None,
    };
    Some(node)
}

/// Takes an attribute of a letter; `false` where it is not known.
fn of_letter<'v>(
    node: Node,
    name: &str,
    value: &'v str,
    draft: &mut Draft,
    fields: &mut Fields<'_>,
    pages: &mut (Option<&'v str>, Option<&'v str>),
) -> bool {
    let address = &mut draft.address;
    match (node, name) {
        (Node::Letter, "senderLetterId") => draft.letter_id = fields.private(name, value),
        (Node::Location, "startPage") => pages.0 = Some(value),
        (Node::Location, "pages") => pages.1 = Some(value),
        (Node::Recipient, "SSN") => prefer(&mut draft.recipient, fields.person(name, value), true),
        (Node::Recipient, "ovtID") => {
            prefer(
                &mut draft.recipient,
                fields.organisation(name, value),
                false,
            );
        }
        (Node::Eu1, "name") => address.name = fields.private(name, value),
        (Node::Eu1, "address") => address.street = fields.private(name, value),
        (Node::Eu1, "postalCode") => address.postal_code = fields.private(name, value),
        (Node::Eu1, "city") => address.city = fields.private(name, value),
        (Node::Eu1, "countryCode") => address.country = fields.country(name, value),
        (Node::Subject, "text") => draft.subject = fields.private(name, value),
        (Node::ExternalFile, "fileName") => draft.file = fields.line(name, value),
        (Node::DeliveryChannelControl, "denyElectronicOnlyDelivery") => {
            draft.deny_electronic_only = fields.flag(name, value).unwrap_or_default();
        }
        (Node::DeliveryChannelControl, "denyElectronicCopyDelivery") => {
            draft.deny_electronic_copy = fields.flag(name, value).unwrap_or_default();
        }
        _ => return is_unused(node, name),
    }
    true
}

/// A letter has one recipient: the person, where both a person and an organisation are named.
fn prefer(stated: &mut StatedRecipient, other: StatedRecipient, is_person: bool) {
    let is_better = is_person && other != StatedRecipient::Absent;
    if *stated == StatedRecipient::Absent || is_better {
        *stated = other;
    }
}

fn stated_pages(pages: (Option<&str>, Option<&str>), fields: &mut Fields<'_>) -> StatedPages {
    let first = fields.count("startPage", pages.0.unwrap_or_default());
    let count = fields.count("pages", pages.1.unwrap_or_default());
    StatedPages::of(first, count, fields)
}

/// Attributes that senders write and that nothing here follows from.
fn is_unused(node: Node, name: &str) -> bool {
    let unused: &[&str] = match node {
        Node::LetterBundle => &["schemaVersion"],
        Node::Bundle => &["senderBundleId", "bundleId"],
        Node::Letter => &["letterId"],
        Node::Sender => &["contact", "email", "ovtID", "companyName"],
        Node::StdBundleProcessing => &[
            "customerId",
            "password",
            "serviceFunction",
            "electronicArchiving",
            "envelope",
            "paper",
            "fileFormat",
            "departmentClassification",
        ],
        Node::ExternalFile => &["senderFileId"],
        Node::Recipient => &["emailAddress", "customerCode", "phoneNumber"],
        _ => &[],
    };
    unused.contains(&name)
}

/// `1` and `2`, as first- and second-class letters used to be called.
fn postage(letter_class: &str) -> Option<PostageClass> {
    match letter_class.trim() {
        "1" => Some(PostageClass::Priority),
        "2" => Some(PostageClass::Economy),
        _ => None,
    }
}
