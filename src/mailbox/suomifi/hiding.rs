use std::collections::HashMap;

use crate::domain::without_identity_codes;

const MASK: &str = "[hidden]";
/// Of a longer text, that many characters in a row are enough to be hidden.
const RUN: usize = 12;
/// Shorter words and texts stand in many a sentence, and say nothing of anybody.
const SHORTEST: usize = 3;
const MOST_CHARS: usize = 300;

/// The words of another side, fit for a log: in one line, not too long, and with `[hidden]` in place
/// of identity codes and of what was sent in confidence, or parts of it.
pub(super) fn fit_for_a_log(words: &str, private: &[&str]) -> String {
    let masked = without_identity_codes(words);
    let mut said: Vec<char> = masked.chars().map(in_line).collect();
    said.truncate(4 * MOST_CHARS);
    let hidden = hidden(&said, private);
    let text = without(&said, &hidden);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.chars().take(MOST_CHARS).collect()
}

fn in_line(c: char) -> char {
    if c.is_control() { ' ' } else { c }
}

/// Which characters of `said` repeat something private.
fn hidden(said: &[char], private: &[&str]) -> Vec<bool> {
    let said: Vec<char> = said.iter().copied().map(folded).collect();
    let mut hidden = vec![false; said.len()];
    let mut by_length: HashMap<usize, Windows<'_>> = HashMap::new();
    for text in private {
        let text: Vec<char> = text.trim().chars().map(in_line).map(folded).collect();
        let length = text.len().min(RUN);
        if length < SHORTEST {
            continue;
        }
        let places = by_length
            .entry(length)
            .or_insert_with(|| windows(&said, length));
        for run in text.windows(length) {
            for at in places.get(run).into_iter().flatten() {
                hidden
                    .iter_mut()
                    .skip(*at)
                    .take(length)
                    .for_each(|it| *it = true);
            }
        }
    }
    hidden
}

/// Where each run of so many characters stands.
type Windows<'a> = HashMap<&'a [char], Vec<usize>>;

fn windows(said: &[char], length: usize) -> Windows<'_> {
    let mut windows = Windows::new();
    for (at, run) in said.windows(length).enumerate() {
        windows.entry(run).or_default().push(at);
    }
    windows
}

fn folded(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

fn without(said: &[char], hidden: &[bool]) -> String {
    let (mut text, mut was_hidden) = (String::new(), false);
    for (c, is_hidden) in said.iter().zip(hidden) {
        match (is_hidden, was_hidden) {
            (false, _) => text.push(*c),
            (true, false) => text.push_str(MASK),
            (true, true) => {}
        }
        was_hidden = *is_hidden;
    }
    text
}

/// A name or an address, and its words: a service may repeat only some of them.
pub(super) fn with_its_words(text: &str) -> impl Iterator<Item = &str> {
    std::iter::once(text).chain(text.split_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_is_hidden_wherever_it_is_repeated() {
        let private = ["Maija Mallikas", "a secret of some length, kept well", "ab"];
        for (said, shown) in [
            ("maija mallikas is long", "[hidden] is long"),
            (
                "begins with `a secret of some` and",
                "begins with `[hidden]` and",
            ),
            (
                "recipient 131052-9085 is not known",
                "recipient [hidden] is not known",
            ),
            (
                "title must not be empty (ab)",
                "title must not be empty (ab)",
            ),
            ("two\nlines\u{7}", "two lines"),
        ] {
            assert_eq!(fit_for_a_log(said, &private), shown);
        }
    }

    #[test]
    fn long_words_are_cut() {
        assert_eq!(fit_for_a_log(&"ä".repeat(9_000), &[]).chars().count(), 300);
    }
}
