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
