use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Words of a text, with letters as plain as they get, so that two ways to write a name or an
/// address are equal: no case, no accents, no punctuation. Personal data.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut folded = String::with_capacity(text.len());
    for c in text.nfkd().filter(|c| !is_combining_mark(*c)) {
        push_plain(&mut folded, c);
    }
    let words = folded.split(|c: char| !c.is_alphanumeric());
    words.filter(|word| !word.is_empty()).map(short).collect()
}

/// Some letters do not fall into a plain one and an accent.
fn push_plain(folded: &mut String, c: char) {
    match c {
        'ß' | 'ẞ' => folded.push_str("ss"),
        'þ' | 'Þ' => folded.push_str("th"),
        'æ' | 'Æ' => folded.push('a'),
        'ø' | 'Ø' | 'œ' | 'Œ' => folded.push('o'),
        'đ' | 'Đ' | 'ð' | 'Ð' => folded.push('d'),
        'ł' | 'Ł' => folded.push('l'),
        'ı' => folded.push('i'),
        // Apostrophes and soft hyphens stand within a word, not between two.
        '\'' | '’' | '‘' | '`' | '´' | '\u{ad}' => {}
        c => folded.extend(c.to_lowercase()),
    }
}

/// Two letters that stand for one with an accent: `Mueller` is `Müller`, `Aaland` is `Åland`.
fn short(word: &str) -> String {
    let mut short = String::with_capacity(word.len());
    let mut last = None;
    for c in word.chars() {
        let stands_for_one = matches!((last, c), (Some('a' | 'o' | 'u'), 'e') | (Some('a'), 'a'));
        if stands_for_one {
            last = None;
        } else {
            short.push(c);
            last = Some(c);
        }
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_equal_however_they_are_written() {
        for (one, other) in [
            ("Åke MÄKELÄ", "ake makela"),
            ("Jürgen Weiß-Müller", "JUERGEN WEISS MUELLER"),
            ("O’Connor", "O'connor"),
            ("Søren Ærø", "soren aro"),
            ("A\u{308}ijälä", "Äijälä"),
            ("Wi\u{fb01}", "WIFI"),
            ("Aaltonen", "altonen"),
        ] {
            assert_eq!(words(one), words(other), "{one}");
        }
        assert_eq!(words(" - "), Vec::<String>::new());
        assert_ne!(words("Mäki"), words("Mäkinen"));
    }
}
