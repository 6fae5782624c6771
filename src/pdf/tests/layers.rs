//! Layers are carried over in the state that they have in print.

use super::*;

/// Layers 6 and 7, named on the page; `properties` are those of the catalog.
fn layered(properties: &str, usage: &str) -> Vec<u8> {
    let page = format!("{A4}/Resources<</Properties<</A 6 0 R/B 7 0 R>>>>");
    let catalog = format!("<</Type/Catalog/Pages 2 0 R/OCProperties<<{properties}>>>>");
    Pdf::with_page(&page)
        .object(1, &catalog)
        .object(6, &format!("<</Type/OCG/Name(a){usage}>>"))
        .object(7, "<</Type/OCG/Name(b)/Usage 8 0 R>>")
        .object(8, "<</View<</ViewState/OFF>>>>")
        .finished()
}

/// The names of the layers of a file: those that are shown, and those that are hidden.
fn layers_of(out: &lopdf::Document) -> (String, String) {
    let Ok(properties) = out.catalog().unwrap().get(b"OCProperties") else {
        return Default::default();
    };
    let properties = properties.as_dict().unwrap();
    let default = properties.get(b"D").unwrap().as_dict().unwrap();
    let off = default.get(b"OFF").unwrap().as_array().unwrap();
    let all = properties.get(b"OCGs").unwrap().as_array().unwrap();
    let name = |layer: &lopdf::Object| {
        let layer = out.dereference(layer).unwrap().1.as_dict().unwrap();
        String::from_utf8_lossy(layer.get(b"Name").unwrap().as_str().unwrap()).into_owned()
    };
    let sorted = |layers: Vec<&lopdf::Object>| {
        let names: std::collections::BTreeSet<_> = layers.into_iter().map(name).collect();
        names.into_iter().collect()
    };
    let shown = all.iter().filter(|layer| !off.contains(layer));
    (sorted(shown.collect()), sorted(off.iter().collect()))
}

fn states(properties: &str, usage: &str) -> (String, String) {
    layers_of(&read_back(&spliced(&[&layered(properties, usage)])))
}

fn are(shown: &str, hidden: &str) -> (String, String) {
    (shown.to_owned(), hidden.to_owned())
}

const BOTH: &str = "/OCGs[6 0 R 7 0 R]";

#[test]
fn the_default_configuration_decides() {
    let states = |default: &str| states(&format!("{BOTH}/D<<{default}>>"), "");
    assert_eq!(states(""), are("ab", ""));
    assert_eq!(states("/OFF[7 0 R]"), are("a", "b"));
    assert_eq!(states("/BaseState/OFF"), are("", "ab"));
    assert_eq!(states("/BaseState/OFF/ON[7 0 R]"), are("b", "a"));
    assert_eq!(states("/BaseState/Unchanged/OFF[6 0 R]"), are("b", "a"));
}

#[test]
fn printing_switches_layers_where_the_configuration_says_so() {
    let default = "/D<</OFF[7 0 R]/AS[<</Event/Print/Category[/Print]/OCGs[6 0 R]>>]>>";
    let states = |default: &str, usage: &str| states(&format!("{BOTH}{default}"), usage);
    let off = "/Usage<</Print<</PrintState/OFF>>>>";
    assert_eq!(states(default, off), are("", "ab"));
    assert_eq!(
        states(default, "/Usage<</View<</ViewState/OFF>>>>"),
        are("a", "b")
    );
    assert_eq!(
        states(&default.replace("Event/Print", "Event/View"), off),
        are("a", "b")
    );
    assert_eq!(states("/D<<>>", off), are("ab", ""));
    let hidden_on_screen = default.replace("OFF[7", "OFF[6");
    let on = "/Usage<</Print<</PrintState/ON>>>>";
    assert_eq!(states(&hidden_on_screen, on), are("ab", ""));
}

#[test]
fn a_layer_for_another_intent_hides_nothing() {
    let states = |default: &str, own: &str| states(&format!("{BOTH}/D<<{default}>>"), own);
    assert_eq!(states("/OFF[6 0 R]", "/Intent/Design"), are("ab", ""));
    assert_eq!(
        states("/OFF[6 0 R]", "/Intent[/Design/View]"),
        are("b", "a")
    );
    assert_eq!(
        states("/OFF[6 0 R]/Intent/All", "/Intent/Design"),
        are("b", "a")
    );
}

#[test]
fn nothing_is_left_that_could_change_a_state() {
    let usage = "/Intent/Design/Usage<</Print<</PrintState/OFF>>/CreatorInfo 8 0 R>>";
    let out = spliced(&[&layered(&format!("{BOTH}/D<<>>"), usage)]);
    assert_eq!(count(&out, "/Intent null/Usage null"), 1);
    assert_eq!(count(&out, "/Usage"), 2);
    assert_eq!(count(&out, "ViewState"), 0);
}

#[test]
fn equal_layers_in_different_states_are_not_shared() {
    let shown = layered(&format!("{BOTH}/D<<>>"), "");
    let hidden = layered(&format!("{BOTH}/D<</OFF[6 0 R]>>"), "");
    let out = spliced(&[&shown, &hidden, &shown, &hidden]);
    assert_eq!(layers_of(&read_back(&out)), are("ab", "a"));
    assert_eq!(count(&out, "/Type/OCG"), 3);
    // For readers that compare layers by what is in them.
    assert_eq!(count(&out, "<</XXHidden true/Type/OCG"), 1);
}

#[test]
fn only_layers_that_pages_reach_are_carried_over() {
    let plain = Pdf::with_page(A4).finished();
    assert_eq!(count(&spliced(&[&plain]), "OCProperties"), 0);
    let unreached = Pdf::with_page(A4)
        .object(
            1,
            "<</Type/Catalog/Pages 2 0 R/OCProperties<</OCGs[6 0 R]/D<</OFF[6 0 R]>>>>>>",
        )
        .object(6, "<</Type/OCG/Name(a)>>")
        .finished();
    assert_eq!(count(&spliced(&[&unreached]), "OCProperties"), 0);
}

#[test]
fn a_layer_reached_through_a_membership_is_carried_over() {
    let page = format!("{A4}/Resources<</Properties<</M 8 0 R>>>>");
    let properties = "/OCProperties<</OCGs[6 0 R]/D<</OFF[6 0 R]>>>>";
    let bytes = Pdf::with_page(&page)
        .object(1, &format!("<</Type/Catalog/Pages 2 0 R{properties}>>"))
        .object(6, "<</Type/OCG/Name(a)>>")
        .object(8, "<</Type/OCMD/OCGs[6 0 R]/P/AllOff>>")
        .finished();
    let out = spliced(&[&bytes]);
    assert_eq!(layers_of(&read_back(&out)), are("", "a"));
    assert_eq!(count(&out, "/P/AllOff"), 1);
}

/// Whether an annotation with that `/OC` is drawn where layer 6 is shown and 7 is hidden.
fn is_drawn(membership: &str) -> bool {
    let annotation = format!("<</Subtype/Stamp/F 4/Rect[0 0 9 9]/AP<</N 5 0 R>>/OC {membership}>>");
    let properties = format!("{BOTH}/D<</OFF[7 0 R]>>");
    let bytes = Pdf::with_page(&format!("{A4}/Annots[{annotation}]"))
        .object(
            1,
            &format!("<</Type/Catalog/Pages 2 0 R/OCProperties<<{properties}>>>>"),
        )
        .stream(5, "/Subtype/Form/BBox[0 0 9 9]", b"")
        .object(6, "<</Type/OCG/Name(a)>>")
        .object(7, "<</Type/OCG/Name(b)>>")
        .object(8, "[/Or 9 0 R 9 0 R]")
        .object(9, "[/And 8 0 R 8 0 R]")
        .finished();
    assert_eq!(
        open(&bytes).unwrap().page(1).unwrap().dropped_annotations(),
        0
    );
    count(&spliced(&[&bytes]), "Annotation0 Do") == 1
}

#[test]
fn annotations_on_hidden_layers_are_not_drawn() {
    assert!(is_drawn("6 0 R"));
    assert!(!is_drawn("7 0 R"));
    let policy =
        |policy: &str, groups: &str| is_drawn(&format!("<</Type/OCMD/OCGs {groups}{policy}>>"));
    let both = "[6 0 R 7 0 R]";
    assert!(policy("", both));
    assert!(policy("/P/AnyOff", both));
    assert!(!policy("/P/AllOn", both));
    assert!(!policy("/P/AllOff", both));
    assert!(policy("/P/AllOff", "7 0 R"));
    assert!(policy("/P/AllOff", "[]") && policy("", "[null]") && is_drawn("99 0 R"));
    let expression = |expression: &str| is_drawn(&format!("<</Type/OCMD/VE{expression}>>"));
    assert!(expression("[/And 6 0 R[/Not 7 0 R]]"));
    assert!(!expression("[/Or 7 0 R[/Not 6 0 R]]"));
    assert!(expression("[/Or 7 0 R 6 0 R]"));
}

#[test]
fn an_expression_without_end_is_refused() {
    let endless = "<</Type/OCMD/VE 8 0 R>>";
    let page = format!("{A4}/Annots[<</Subtype/Stamp/F 4/OC{endless}>>]");
    let bytes = Pdf::with_page(&page)
        .object(
            1,
            &format!("<</Type/Catalog/Pages 2 0 R/OCProperties<<{BOTH}/D<<>>>>>>"),
        )
        .object(6, "<</Type/OCG/Name(a)>>")
        .object(8, "[/And 9 0 R 9 0 R]")
        .object(9, "[/Or[/Not 8 0 R]8 0 R]")
        .finished();
    assert!(matches!(
        open(&bytes).unwrap().page(1),
        Err(Refusal::Limit { .. })
    ));
}
