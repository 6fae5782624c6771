use crate::domain::Private;

/// Of a title, and of each field of an address but the postal code.
const MAX_LINE: usize = 256;
const MAX_POSTAL_CODE: usize = 64;
const MAX_BODY: usize = 40_000;
const MAX_FILE_NAME: usize = 200;

const NO_TITLE: &str = "Letter";
const NO_BODY: &str = "Viesti on liitteenä.\n\nMeddelandet är bifogat.\n\nThe message is attached.";
/// For a field that must not be empty.
const NOTHING: &str = "-";

/// One line of 1 to 256 characters.
pub(super) fn title(given: &Private<String>) -> String {
    line(given.expose(), MAX_LINE).unwrap_or_else(|| NO_TITLE.to_owned())
}

/// 1 to 40,000 characters, of which line ends and tabs are the only ones that are no text.
pub(super) fn body(given: &Private<String>) -> String {
    let lines = given.expose().replace("\r\n", "\n").replace('\r', "\n");
    let is_text = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
    let text: String = lines.chars().filter(is_text).collect();
    let text = cut(text.trim(), MAX_BODY);
    if text.is_empty() {
        return NO_BODY.to_owned();
    }
    text.to_owned()
}

/// A field of an address that must be there.
pub(super) fn field(given: Option<&Private<String>>) -> String {
    optional(given).unwrap_or_else(|| NOTHING.to_owned())
}

/// A field of an address that may be left out.
pub(super) fn optional(given: Option<&Private<String>>) -> Option<String> {
    line(given?.expose(), MAX_LINE)
}

/// Countries without postal codes write none.
pub(super) fn postal_code(given: Option<&Private<String>>) -> String {
    let code = given.and_then(|code| line(code.expose(), MAX_POSTAL_CODE));
    code.unwrap_or_else(|| NOTHING.to_owned())
}

/// A name of a file that stands in a header and on any disk.
pub(super) fn file_name(given: &str) -> String {
    let usable = |c: char| {
        if c.is_control() || "/\\\"<>:|?*".contains(c) {
            '_'
        } else {
            c
        }
    };
    let name: String = given.chars().map(usable).collect();
    let name = name.trim_matches(['.', ' ']);
    match name.rsplit_once('.') {
        Some((stem, ending)) if ending.len() < 8 => {
            format!("{}.{ending}", cut(stem, MAX_FILE_NAME))
        }
        _ if name.is_empty() => "letter.pdf".to_owned(),
        _ => cut(name, MAX_FILE_NAME).to_owned(),
    }
}

fn line(given: &str, most: usize) -> Option<String> {
    let spaced: String = given
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let words: Vec<_> = spaced.split_whitespace().collect();
    let text = words.join(" ");
    let text = cut(&text, most);
    (!text.is_empty()).then(|| text.to_owned())
}

/// At most so many characters, counted in whichever way counts more of them: the other side may
/// count halves of UTF-16.
fn cut(text: &str, most: usize) -> &str {
    let mut counted = 0;
    let end = text.char_indices().find(|(_, c)| {
        counted += c.len_utf16();
        counted > most
    });
    let text = end.map_or(text, |(end, _)| text.get(..end).unwrap_or(text));
    text.trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn private(text: impl Into<String>) -> Private<String> {
        Private::new(text.into())
    }

    #[test]
    fn a_title_is_one_line_of_1_to_256_characters() {
        assert_eq!(
            title(&private(" Päätös\r\n\u{7}asiassa\t1 ")),
            "Päätös asiassa 1"
        );
        assert_eq!(title(&private("\u{0}\n")), "Letter");
        assert_eq!(title(&private("ä".repeat(256))), "ä".repeat(256));
        assert_eq!(title(&private("ä".repeat(257))), "ä".repeat(256));
        // Each counts as two in UTF-16, and is never cut in half.
        let title = title(&private(format!("a{}", "😀".repeat(200))));
        assert_eq!(title, format!("a{}", "😀".repeat(127)));
    }

    #[test]
    fn a_body_keeps_its_lines_and_is_never_empty() {
        assert_eq!(body(&private("a\r\nb\rc\td\u{1b}[2J")), "a\nb\nc\td[2J");
        assert!(body(&private(" \n")).contains("liitteenä"));
        assert_eq!(body(&private("x".repeat(40_000))).len(), 40_000);
        assert_eq!(body(&private("x".repeat(40_001))).len(), 40_000);
    }

    #[test]
    fn fields_of_an_address_are_never_empty_nor_too_long() {
        assert_eq!(field(None), "-");
        assert_eq!(field(Some(&private("\n"))), "-");
        assert_eq!(field(Some(&private("x".repeat(257)))).len(), 256);
        assert_eq!(optional(Some(&private(" "))), None);
        assert_eq!(postal_code(None), "-");
        assert_eq!(postal_code(Some(&private("9".repeat(65)))).len(), 64);
    }

    #[test]
    fn a_file_keeps_its_name_as_far_as_it_is_one() {
        for (given, name) in [
            ("päätös 1.pdf", "päätös 1.pdf"),
            ("../../a\"b\n.pdf", "_.._a_b_.pdf"),
            ("", "letter.pdf"),
            ("...", "letter.pdf"),
        ] {
            assert_eq!(file_name(given), name);
        }
        let long = file_name(&format!("{}.pdf", "x".repeat(500)));
        assert_eq!(long.len(), 204);
        assert!(long.ends_with("x.pdf"));
    }
}
