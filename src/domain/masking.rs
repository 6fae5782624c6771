use std::borrow::Cow;

use super::PersonalIdentityCode;

const MASK: &str = "[hidden]";
/// Bytes of an identity code.
const CODE_LENGTH: usize = 11;
/// Where the century sign stands in one.
const SIGN_AT: usize = 6;

/// The text with `[hidden]` in place of every personal identity code in it.
///
/// For words that somebody else chose and that Kuori repeats: names of files and of entries, lines
/// of a log. One whose century sign is `-` or `+` may not touch digits, so that a time such as
/// `20260612-205000` is never taken for one.
pub fn without_identity_codes(text: &str) -> Cow<'_, str> {
    let (mut masked, mut done) = (String::new(), 0);
    while let Some(at) = (done..text.len()).find(|&at| is_code_at(text, at)) {
        masked.push_str(text.get(done..at).unwrap_or_default());
        masked.push_str(MASK);
        done = at + CODE_LENGTH;
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    masked.push_str(text.get(done..).unwrap_or_default());
    Cow::Owned(masked)
}

fn is_code_at(text: &str, at: usize) -> bool {
    let is_digit = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    let touches_a_digit = at > 0 && is_digit(at - 1) || is_digit(at + CODE_LENGTH);
    let may_be_a_number = matches!(text.as_bytes().get(at + SIGN_AT), Some(b'-' | b'+'));
    is_digit(at) && !(may_be_a_number && touches_a_digit) && is_code(text.get(at..at + CODE_LENGTH))
}

fn is_code(text: Option<&str>) -> bool {
    text.is_some_and(|text| text.parse::<PersonalIdentityCode>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_code_is_hidden_wherever_it_stands() {
        for (text, masked) in [
            ("010190Y900P", "[hidden]"),
            ("kirje_010190y900p.pdf", "kirje_[hidden].pdf"),
            ("ä010190-999W,131052-9085ö", "ä[hidden],[hidden]ö"),
            ("x131052-9085y010190-999W", "x[hidden]y[hidden]"),
            ("kirje1010190Y900P2.pdf", "kirje1[hidden]2.pdf"),
        ] {
            assert_eq!(without_identity_codes(text), masked);
        }
    }

    #[test]
    fn what_is_no_identity_code_stays() {
        for text in [
            "",
            "koha_20260612205000_Posti.zip",
            // The last ten characters of both have the form of a code, with its check character.
            "9010190-999W.zip",
            "010190-999W0.zip",
            "010190-999K",
            "310290-9008",
            "päätös",
        ] {
            assert_eq!(without_identity_codes(text), text);
        }
    }

    #[test]
    fn a_time_in_a_file_name_is_no_identity_code() {
        for second in 0..60 {
            let name = format!("koha_20260612-2050{second:02}.zip");
            assert_eq!(without_identity_codes(&name), name);
        }
    }
}
