use super::Found;
use crate::{
    batch::Paper,
    domain::{Code, expected_sheets},
};

/// A letter that no envelope of the print house holds.
pub(in crate::batch) fn too_many_sheets(
    pages: u32,
    duplex: Option<bool>,
    paper: &Paper,
) -> Option<Found> {
    let limit = paper.max_sheets?;
    let sheets = expected_sheets(pages, duplex.unwrap_or(paper.duplex), paper.address_page);
    (sheets > limit).then(|| {
        let detail = format!("{sheets} sheets are more than the largest envelope holds, {limit}");
        (Code::TooManySheets, detail)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_may_have_as_many_sheets_as_the_largest_envelope_holds_and_no_more() {
        let paper = Paper::default();
        assert_eq!((paper.max_sheets, paper.duplex), (Some(60), true));
        let is_told =
            |pages, duplex, paper: &Paper| too_many_sheets(pages, duplex, paper).is_some();
        assert!(!is_told(120, None, &paper));
        assert!(is_told(121, None, &paper));
        assert!(!is_told(60, Some(false), &paper));
        assert!(is_told(61, Some(false), &paper));
        let with_page = Paper {
            address_page: true,
            ..paper
        };
        assert!(!is_told(118, None, &with_page));
        assert!(is_told(119, None, &with_page));
        let nobody_prints = Paper {
            max_sheets: None,
            ..paper
        };
        assert!(!is_told(u32::MAX, None, &nobody_prints));
    }
}
