//! In what paint things stand.

use super::*;

const RESOURCES: &str = "/Resources<</ColorSpace<</Icc[/ICCBased 6 0 R]/Spot[/Separation/Red/DeviceCMYK 7 0 R]\
    /Black[/Separation/Black/DeviceCMYK 7 0 R]/None[/Separation/None/DeviceCMYK 7 0 R]\
    /Inks[/DeviceN[/Black/Red]/DeviceCMYK 7 0 R]/Greys[/Indexed/DeviceRGB 1<000000808080>]\
    /Reds[/Indexed/DeviceRGB 1(\\000\\000\\000\\377\\000\\000)]/Stencil[/Pattern/DeviceGray]/Lab[/Lab<<>>]>>\
    /Pattern<</Tiles 8 0 R/Stencil 9 0 R/Fade<</PatternType 2/Shading<</ColorSpace/DeviceGray>>>>>>\
    /Shading<</Rainbow<</ColorSpace/DeviceRGB>>>>\
    /ExtGState<</Half<</ca .5>>/Gone<</ca 0/CA 0>>/Multiply<</BM[/Multiply/Normal]>>/Plain<</BM/Normal/SMask/None>>\
    /Mask<</SMask<<>>>>>>\
    /XObject<</Grey 10 0 R/Photo 11 0 R/Stencil 12 0 R>>>>";

fn with_resources(content: &str) -> PageContent {
    let image = |entries: &str| format!("/Subtype/Image/Width 1/Height 1{entries}");
    let pdf = page(RESOURCES, content)
        .object(6, "<</N 3>>")
        .object(7, "<</FunctionType 2/Domain[0 1]/N 1>>")
        .stream(
            8,
            "/PatternType 1/PaintType 1/BBox[0 0 9 9]/Resources<<>>",
            b"0 1 0 rg 0 0 1 1 re f",
        )
        .stream(
            9,
            "/PatternType 1/PaintType 2/BBox[0 0 9 9]/Resources<<>>",
            b"0 0 1 1 re f",
        )
        .stream(
            10,
            &image("/ColorSpace/DeviceGray/BitsPerComponent 1"),
            b"x",
        )
        .stream(
            11,
            &image("/ColorSpace[/ICCBased 6 0 R]/SMask 10 0 R/BitsPerComponent 8"),
            b"xxx",
        )
        .stream(12, &image("/ImageMask true"), b"x");
    found(pdf)
}

/// What one thing looks like after those operators.
fn check(before: &str, expected: Paint) {
    let found = with_resources(&format!("{before} 0 0 9 9 re f"));
    assert_eq!(paints(&found), [expected], "{before}");
    assert_eq!(found.has_colour, expected == Paint::Colour, "{before}");
    let is_seen = matches!(expected, Paint::Grey | Paint::Colour);
    assert_eq!(found.is_blank, !is_seen, "{before}");
}

#[test]
fn what_is_set_is_what_is_painted_with() {
    check("", Paint::Grey);
    check("1 g", Paint::White);
    check("1 0 0 rg", Paint::Colour);
    check("1 0 0 RG", Paint::Grey);
    check("0 0 0 0 k", Paint::White);
    check("q 1 0 0 rg Q", Paint::Grey);
}

#[test]
fn a_space_says_what_its_numbers_mean() {
    check("/DeviceCMYK cs", Paint::Grey);
    check("/Icc cs 1 1 1 sc", Paint::White);
    check("/Icc cs 1 1 .5 scn", Paint::Colour);
    check("/Spot cs", Paint::Colour);
    check("/Spot cs 0 scn", Paint::White);
    check("/Black cs .5 scn", Paint::Grey);
    check("/None cs 1 scn", Paint::Invisible);
    check("/Inks cs 1 0 scn", Paint::Grey);
    check("/Inks cs 0 1 scn", Paint::Colour);
    check("/Lab cs 100 0 0 scn", Paint::White);
    check("/Missing cs 0 scn", Paint::Colour);
}

#[test]
fn a_palette_is_grey_if_all_of_it_is() {
    check("/Greys cs 1 sc", Paint::Grey);
    check("/Reds cs 0 sc", Paint::Colour);
}

#[test]
fn a_pattern_looks_like_what_is_in_it() {
    check("/Pattern cs /Tiles scn", Paint::Colour);
    check("/Pattern cs /Fade scn", Paint::Grey);
    check("/Stencil cs 1 /Stencil scn", Paint::White);
    check("/Stencil cs .5 /Stencil scn", Paint::Grey);
}

#[test]
fn a_picture_looks_like_its_space_at_most() {
    assert_eq!(paints(&with_resources("1 0 0 rg /Grey Do")), [Paint::Grey]);
    let photo = with_resources("/Photo Do");
    assert_eq!(paints(&photo), [Paint::Colour]);
    assert!(photo.has_transparency);
    assert_eq!(paints(&with_resources("1 g /Stencil Do")), [Paint::White]);
}

#[test]
fn a_shading_fills_what_the_clip_leaves() {
    let found = with_resources("0 0 50 40 re W n /Rainbow sh");
    assert_eq!(areas(&found), [[0.0, 60.0, 50.0, 100.0]]);
    assert_eq!(
        (&found.drawn[0].ink, found.has_colour),
        (&Ink::Shading, true)
    );
}

#[test]
fn transparency_counts_where_something_is_painted_with_it() {
    let is_told = |content: &str| with_resources(content).has_transparency;
    assert!(is_told("/Half gs 0 0 1 1 re f"));
    assert!(is_told("/Multiply gs 0 0 1 1 re f"));
    assert!(is_told("/Mask gs 0 0 1 1 re f"));
    assert!(!is_told("/Half gs"));
    assert!(!is_told("/Half gs 0 0 1 1 re S"));
    assert!(!is_told("/Plain gs 0 0 1 1 re f"));
    assert!(!is_told("/Mask gs /Plain gs 0 0 1 1 re f"));
    check("/Gone gs", Paint::Invisible);
}

#[test]
fn a_page_of_white_is_blank() {
    let found = drawn("1 g 0 0 200 100 re f");
    assert_eq!(paints(&found), [Paint::White]);
    assert!(found.is_blank && drawn("").is_blank);
}
