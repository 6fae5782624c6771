use super::*;
use crate::{batch::control::blocks::Decoder, domain::RecipientId};

fn drafts(inside: &str) -> Vec<Draft> {
    read(inside).0
}

/// The letters, and what is wrong outside of them.
fn read(inside: &str) -> (Vec<Draft>, Vec<String>) {
    let namespace = NAMESPACES[0];
    let xml = format!("<LetterBundle xmlns='{namespace}'>{inside}</LetterBundle>");
    let limits = Limits::default();
    let (mut blocks, place) = (Decoder::new(xml.as_bytes()), Place::batch());
    let mut bundle = LetterBundle::new(&mut blocks, &place, &limits);
    let mut drafts = Vec::new();
    while let Some(draft) = bundle.next_draft().unwrap() {
        drafts.push(draft);
    }
    let remarks = bundle.remarks().into_iter();
    let remarks = remarks.map(|remark| format!("{}: {}", remark.code, remark.detail));
    (drafts, remarks.collect())
}

#[test]
fn what_a_bundle_says_holds_for_its_letters_unless_they_say_otherwise() {
    let deny = |name: &str| format!("<DeliveryChannelControl {name}='true'/>");
    let common = |class: u8, file: &str| {
        format!(
            "<BundleCommon><Processing><StdBundleProcessing letterClass='{class}' isDuplex='1'/>{}\
             </Processing><ExternalFile fileName='{file}'/></BundleCommon>",
            deny("denyElectronicOnlyDelivery")
        )
    };
    let own = "<Letter><ExternalFile fileName='own.pdf'/></Letter>";
    let drafts = drafts(&format!(
        "<Bundle>{}<Letter/>{own}</Bundle><Bundle>{}<Letter/></Bundle><Bundle><Letter/></Bundle>",
        common(1, "a.pdf"),
        common(2, "b.pdf"),
    ));
    let files: Vec<_> = drafts.iter().map(|draft| draft.file.as_deref()).collect();
    assert_eq!(files, [Some("a.pdf"), Some("own.pdf"), Some("b.pdf"), None]);
    let classes: Vec<_> = drafts.iter().map(|draft| draft.postage).collect();
    let (priority, economy) = (Some(PostageClass::Priority), Some(PostageClass::Economy));
    assert_eq!(classes, [priority, priority, economy, None]);
    assert_eq!(drafts[0].duplex, Some(true));
    assert!(drafts[0].deny_electronic_only && !drafts[0].deny_electronic_copy);
    assert!(!drafts[3].deny_electronic_only);
}

#[test]
fn an_address_that_is_not_the_recipients_is_not_taken_for_it() {
    let address = "<Address><Eu1 name='Mallilan kaupunki'/></Address>";
    let drafts = drafts(&format!(
        "<Bundle><BundleCommon><Sender>{address}</Sender></BundleCommon><Letter><LetterMeta>\
         <Sender>{address}</Sender><ReturnTo><Recipient>{address}</Recipient></ReturnTo>\
         </LetterMeta></Letter></Bundle>"
    ));
    assert_eq!(drafts[0].address.name, None);
}

#[test]
fn a_person_goes_before_the_organisation_they_are_named_with() {
    let stated = |attributes: &str| {
        let letter = format!("<LetterMeta><Recipient {attributes}/></LetterMeta>");
        drafts(&format!("<Bundle><Letter>{letter}</Letter></Bundle>"))
            .remove(0)
            .recipient
    };
    let (person, organisation) = ("SSN='010190Y900P'", "ovtID='003712345671'");
    for both in [
        format!("{person} {organisation}"),
        format!("{organisation} {person}"),
    ] {
        let recipient = stated(&both);
        assert!(matches!(
            recipient,
            StatedRecipient::Valid(RecipientId::Person(_))
        ));
    }
    let recipient = stated(&format!("SSN='N/A' {organisation}"));
    assert!(matches!(
        recipient,
        StatedRecipient::Valid(RecipientId::Business(_))
    ));
    assert_eq!(
        stated(&format!("SSN='x' {organisation}")),
        StatedRecipient::Invalid
    );
    assert_eq!(stated("SSN='' ovtID=' '"), StatedRecipient::Absent);
}

#[test]
fn what_would_hold_for_some_letters_only_is_told() {
    let deny = "<DeliveryChannelControl denyElectronicOnlyDelivery='true'/>";
    let common = format!("<BundleCommon>{deny}</BundleCommon>");
    let behind = |node| {
        format!("control-data-value: `{node}` stands behind a letter, for which it would not hold")
    };
    let (_, told) = read(&format!("<Bundle><Letter/>{common}</Bundle>"));
    assert_eq!(
        told,
        [behind("BundleCommon"), behind("DeliveryChannelControl")]
    );
    let (_, told) = read("<Bundle><Letter/><ExternalFile fileName='b.pdf'/><Letter/></Bundle>");
    assert_eq!(told, [behind("ExternalFile")]);
    let (drafts, told) = read(&format!("<Bundle>{common}<Letter/></Bundle>").repeat(2));
    assert_eq!((drafts.len(), told), (2, vec![]));
}

#[test]
fn what_a_bundle_says_twice_is_told() {
    let twice = |element: &str| {
        let common = format!("<BundleCommon>{element}{element}</BundleCommon>");
        read(&format!("<Bundle>{common}<Letter/></Bundle>")).1
    };
    for node in [
        "ExternalFile",
        "DeliveryChannelControl",
        "StdBundleProcessing",
    ] {
        let expected = format!("control-data-value: the bundle has a second `{node}`");
        assert_eq!(twice(&format!("<{node}/>")), [expected]);
    }
    assert_eq!(twice("<Sender/>"), [""; 0]);
}

#[test]
fn a_letter_where_none_is_read_is_told() {
    let expected = ["control-data-value: a `Letter` stands where none is read, and would be lost"];
    for inside in [
        "<Bundle><Letter/><Letters><Letter/></Letters></Bundle>",
        "<Bundle><Letter><Letter/></Letter></Bundle>",
        "<Bundle><Letter/></Bundle><Letter/>",
    ] {
        assert_eq!(read(inside).1, expected, "{inside}");
    }
    let foreign = "<Bundle><Letter/><Letter xmlns='urn:x'/></Bundle>";
    assert_eq!(read(foreign).1, [""; 0]);
}
