//! Document parts.

use super::*;

fn piece(writer: &mut Writer<Vec<u8>>, sequence: i64) -> std::io::Result<()> {
    let metadata = [
        ("Sequence", PartValue::Number(sequence)),
        ("Piece id", PartValue::Text("P-ä")),
    ];
    writer.begin_part(&metadata)?;
    writer.add_blank_page(None)?;
    writer.add_blank_page(None)?;
    writer.end_part()
}

#[test]
fn each_piece_is_a_leaf_with_its_pages_and_its_metadata() {
    let mut writer = Writer::new(Vec::new(), &settings(true)).unwrap();
    piece(&mut writer, 1).unwrap();
    piece(&mut writer, 2).unwrap();
    let out = writer.finish().unwrap().0;
    assert_eq!(
        count(&out, "/DPM<</Sequence 1/Piece#20id<FEFF0050002D00E4>>>"),
        1
    );
    let read = read_back(&out);
    let pages: Vec<_> = read.get_pages().into_values().collect();
    let root = read
        .catalog()
        .unwrap()
        .get(b"DPartRoot")
        .unwrap()
        .as_reference()
        .unwrap();
    let node = read
        .get_dictionary(root)
        .unwrap()
        .get(b"DPartRootNode")
        .unwrap();
    let node = read.get_dictionary(node.as_reference().unwrap()).unwrap();
    let leaves = node.get(b"DParts").unwrap().as_array().unwrap()[0]
        .as_array()
        .unwrap();
    for (leaf, pages) in leaves.iter().zip(pages.chunks(2)) {
        let leaf = leaf.as_reference().unwrap();
        let part = read.get_dictionary(leaf).unwrap();
        assert_eq!(
            part.get(b"Start").unwrap().as_reference().unwrap(),
            pages[0]
        );
        assert_eq!(part.get(b"End").unwrap().as_reference().unwrap(), pages[1]);
        for page in pages {
            let page = read.get_dictionary(*page).unwrap();
            assert_eq!(page.get(b"DPart").unwrap().as_reference().unwrap(), leaf);
        }
    }
}

#[test]
fn without_parts_a_piece_leaves_no_trace() {
    let mut writer = Writer::new(Vec::new(), &settings(false)).unwrap();
    piece(&mut writer, 1).unwrap();
    assert_eq!(count(&writer.finish().unwrap().0, "DPart"), 0);
}

#[test]
fn pages_and_parts_out_of_order_are_errors() {
    let writer = || Writer::new(Vec::new(), &settings(true)).unwrap();
    assert!(writer().add_blank_page(None).is_err());
    assert!(writer().end_part().is_err());
    let mut nested = writer();
    nested.begin_part(&[]).unwrap();
    assert!(nested.begin_part(&[]).is_err());
    assert!(nested.finish().is_err());
    let mut empty = writer();
    empty.begin_part(&[]).unwrap();
    assert!(empty.end_part().is_err());
}

/// Three pieces: of two pages, of one, and of three.
fn three_pieces() -> lopdf::Document {
    let mut writer = Writer::new(Vec::new(), &settings(true)).unwrap();
    for (sequence, pages) in [(1, 2), (2, 1), (3, 3)] {
        let metadata = [("Sequence", PartValue::Number(sequence))];
        writer.begin_part(&metadata).unwrap();
        for _ in 0..pages {
            writer.add_blank_page(None).unwrap();
        }
        writer.end_part().unwrap();
    }
    read_back(&writer.finish().unwrap().0)
}

fn followed<'d>(
    file: &'d lopdf::Document,
    dictionary: &lopdf::Dictionary,
    key: &[u8],
) -> &'d lopdf::Dictionary {
    // All of them must be indirect.
    let number = dictionary.get(key).unwrap().as_reference().unwrap();
    file.get_dictionary(number).unwrap()
}

fn keys(dictionary: &lopdf::Dictionary) -> String {
    let keys = dictionary
        .iter()
        .map(|(key, _)| String::from_utf8_lossy(key));
    let mut keys: Vec<_> = keys.collect();
    keys.sort();
    keys.join(" ")
}

/// The grammar of ISO 16612-2, 6.5 as the Arlington model has it.
#[test]
fn the_root_of_the_parts_names_its_node_and_each_level_and_where_records_are() {
    let file = three_pieces();
    let catalog = file.catalog().unwrap();
    assert!(catalog.get(b"Metadata").unwrap().as_reference().is_ok());
    assert!(!catalog.has(b"OutputIntents"));
    let root = followed(&file, catalog, b"DPartRoot");
    assert_eq!(keys(root), "DPartRootNode NodeNameList RecordLevel Type");
    assert!(root.has_type(b"DPartRoot"));
    let names = root.get(b"NodeNameList").unwrap().as_array().unwrap();
    let names: Vec<_> = names.iter().map(|name| name.as_name().unwrap()).collect();
    assert_eq!(names, [&b"Bundle"[..], b"Piece"]);
    // The level of the leaves: one name a level, and records are pieces.
    assert_eq!(root.get(b"RecordLevel").unwrap().as_i64().unwrap(), 1);
}

#[test]
fn the_inner_node_has_arrays_of_leaves_and_no_pages() {
    let file = three_pieces();
    let root = file.catalog().unwrap().get(b"DPartRoot").unwrap();
    let root = root.as_reference().unwrap();
    let node = followed(&file, file.get_dictionary(root).unwrap(), b"DPartRootNode");
    assert_eq!(keys(node), "DParts Parent Type");
    assert!(node.has_type(b"DPart"));
    assert_eq!(node.get(b"Parent").unwrap().as_reference().unwrap(), root);
    let arrays = node.get(b"DParts").unwrap().as_array().unwrap();
    for leaves in arrays {
        let leaves = leaves.as_array().unwrap();
        assert!(leaves.len() < 8_191);
        assert!(leaves.iter().all(|leaf| leaf.as_reference().is_ok()));
    }
}

#[test]
fn leaves_have_a_parent_a_first_page_a_last_one_if_it_is_another_and_metadata_in_place() {
    let file = three_pieces();
    let root = followed(&file, file.catalog().unwrap(), b"DPartRoot");
    let node = root.get(b"DPartRootNode").unwrap().as_reference().unwrap();
    let arrays = file.get_dictionary(node).unwrap().get(b"DParts").unwrap();
    let arrays = arrays.as_array().unwrap().iter();
    let leaves = arrays.flat_map(|leaves| leaves.as_array().unwrap());
    let pages: Vec<_> = file.get_pages().into_values().collect();
    let mut next = pages.iter();
    for (leaf, count) in leaves.zip([2, 1, 3]) {
        let id = leaf.as_reference().unwrap();
        let leaf = file.get_dictionary(id).unwrap();
        let expected = match count {
            1 => "DPM Parent Start Type",
            _ => "DPM End Parent Start Type",
        };
        assert_eq!(keys(leaf), expected);
        assert_eq!(leaf.get(b"Parent").unwrap().as_reference().unwrap(), node);
        assert!(leaf.get(b"DPM").unwrap().as_dict().is_ok());
        let own: Vec<_> = next.by_ref().take(count).copied().collect();
        assert_eq!(leaf.get(b"Start").unwrap().as_reference().unwrap(), own[0]);
        for page in own {
            let page = file.get_dictionary(page).unwrap();
            assert_eq!(page.get(b"DPart").unwrap().as_reference().unwrap(), id);
            // One of the two, and not both.
            assert!(page.has(b"TrimBox") && !page.has(b"ArtBox"));
        }
    }
    assert_eq!(next.next(), None);
}

/// What would claim conformance: nobody has looked whether the senders' pages conform.
#[test]
fn nothing_in_the_file_claims_conformance() {
    let mut writer = Writer::new(Vec::new(), &settings(true)).unwrap();
    piece(&mut writer, 1).unwrap();
    let out = writer.finish().unwrap().0;
    for claim in ["GTS_PDFVT", "GTS_PDFX", "pdfvtid", "pdfxid", "pdfaid"] {
        assert_eq!(count(&out, claim), 0, "{claim}");
    }
}

#[test]
fn parts_and_pages_are_read_back_as_they_were_written() {
    let mut writer = Writer::new(Vec::new(), &settings(true)).unwrap();
    piece(&mut writer, 7).unwrap();
    writer.begin_part(&[]).unwrap();
    let drawn = crate::pdf::Overlay(b"0 0 9 9 re f".to_vec());
    writer.add_blank_page(Some(drawn)).unwrap();
    writer.end_part().unwrap();
    let out = writer.finish().unwrap().0;
    let document = Document::open(&out, &Limits::default()).unwrap();
    let parts = document.written_parts().unwrap().unwrap();
    let pages: Vec<_> = parts
        .iter()
        .map(|part| (part.first_page, part.last_page))
        .collect();
    assert_eq!(pages, [(1, 2), (3, 3)]);
    assert_eq!(parts[0].number("Sequence"), Some(7));
    assert_eq!(parts[1].number("Sequence"), None);
    for (page, part) in [(1, 0), (2, 0), (3, 1)] {
        let page = document.written_page(page).unwrap();
        assert!(page.is_trimmed && page.geometry.is_upright_a4(0.1));
        assert_eq!(page.part, Some(parts[part].id));
    }
    let last = document.last_content(3, 100).unwrap().unwrap();
    assert!(String::from_utf8_lossy(&last).contains("0 0 9 9 re f"));
    assert_eq!(document.last_content(1, 100), Ok(None));
    assert!(document.written_page(4).is_err());
}

#[test]
fn a_file_without_parts_says_so() {
    let mut writer = Writer::new(Vec::new(), &settings(false)).unwrap();
    writer.add_blank_page(None).unwrap();
    let out = writer.finish().unwrap().0;
    let document = Document::open(&out, &Limits::default()).unwrap();
    assert!(document.written_parts().unwrap().is_none());
    assert_eq!(document.written_page(1).unwrap().part, None);
}
