use super::*;

/// The values of an attribute with and without a fault in the second letter.
fn with_and_without(kind: FaultKind, element: &str, attribute: &str) -> [Vec<String>; 2] {
    let faulty = Spec {
        faults: vec![Fault { letter: 2, kind }],
        ..few(Shape::ManyInOne)
    };
    [faulty, few(Shape::ManyInOne)].map(|spec| {
        let xml = entries(&spec).pop().unwrap().1;
        attributes(&xml, element, attribute)
    })
}

#[test]
fn a_fault_in_the_control_data_changes_its_letter_and_no_other() {
    let cases = [
        (FaultKind::IdentityCodeSlip, "Recipient", "SSN"),
        (FaultKind::PostalCodeMissing, "Eu1", "postalCode"),
        (FaultKind::LetterIdRepeated, "Letter", "senderLetterId"),
        (FaultKind::PageTooMany, "Location", "pages"),
        (FaultKind::PageTooFew, "Location", "pages"),
    ];
    for (kind, element, attribute) in cases {
        let [with, without] = with_and_without(kind, element, attribute);
        let changed: Vec<usize> = (0..7).filter(|&n| with[n] != without[n]).collect();
        assert_eq!(changed, [1], "{kind:?}");
    }
}

#[test]
fn an_identity_code_with_a_slip_is_no_identity_code() {
    let [with, _] = with_and_without(FaultKind::IdentityCodeSlip, "Recipient", "SSN");
    let slip = with[1].parse::<crate::domain::PersonalIdentityCode>();
    assert_eq!(
        slip,
        Err(crate::domain::InvalidIdentityCode::CheckCharacter)
    );
}

#[test]
fn faults_of_the_page_are_drawn() {
    let with = |kind| {
        let spec = Spec {
            faults: vec![Fault { letter: 1, kind }],
            ..few(Shape::OneLetter)
        };
        document(&entries(&spec), "L-1-1.pdf")
    };
    let inked = with(FaultKind::InkInMargin);
    assert!(beginnings(&inked, 1).iter().any(|(x, _)| *x < 15.0));

    let foreign = with(FaultKind::UsLetterPaper);
    let page = foreign.get_dictionary(foreign.get_pages()[&1]).unwrap();
    let media_box = page.get(b"MediaBox").unwrap().as_array().unwrap();
    assert!((media_box[3].as_float().unwrap() - 792.0).abs() < 0.1);

    let name = |position| {
        recipient::recipient(&few(Shape::OneLetter), position)
            .address
            .name
    };
    let text = with(FaultKind::AnotherPersonsAddress)
        .extract_text(&[1])
        .unwrap();
    assert!(text.contains(name(2).unwrap().expose()));
    assert!(!text.contains(name(1).unwrap().expose()));

    let text = with(FaultKind::EmptyWindow).extract_text(&[1]).unwrap();
    assert!(!text.contains(name(1).unwrap().expose()));
    let text = with(FaultKind::CrowdedWindow).extract_text(&[1]).unwrap();
    assert!(text.contains("2.3.2026"));
}
