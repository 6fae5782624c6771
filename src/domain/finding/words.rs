/// What a code means and what the sender should do about it, in one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    pub meaning: &'static str,
    pub remedy: &'static str,
}

/// A language's words for every code, in the order of the English ones: meaning, then remedy.
///
/// It is a `match` without a catch-all, so that a code without words does not compile.
macro_rules! translation {
    ($($name:ident = $meaning:literal, $remedy:literal;)+) => {
        pub(super) fn words(code: $crate::domain::Code) -> $crate::domain::Words {
            match code {
                $($crate::domain::Code::$name => $crate::domain::Words {
                    meaning: $meaning,
                    remedy: $remedy,
                },)+
            }
        }
    };
}

pub(super) use translation;

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashMap};

    use super::*;
    use crate::domain::{Code, Language};

    fn sentences(code: Code, language: Language) -> [&'static str; 2] {
        let Words { meaning, remedy } = code.words(language);
        [meaning, remedy]
    }

    #[test]
    fn every_code_says_in_every_language_what_it_means_and_what_to_do() {
        for (&code, language) in Code::ALL
            .iter()
            .flat_map(|code| Language::ALL.map(|l| (code, l)))
        {
            for sentence in sentences(code, language) {
                let is_whole = sentence.ends_with('.')
                    && sentence.trim() == sentence
                    && !sentence.contains("  ")
                    && sentence.len() > 10;
                assert!(is_whole, "{code} in {language:?}: {sentence:?}");
            }
        }
    }

    #[test]
    fn no_translation_is_left_in_english() {
        for &code in Code::ALL {
            for language in [Language::Finnish, Language::Swedish] {
                let (ours, english) = (sentences(code, language), code.words(Language::English));
                let is_left = ours.contains(&english.meaning) || ours.contains(&english.remedy);
                assert!(!is_left, "{code} in {language:?}");
            }
        }
    }

    /// A row copied and not rewritten would say the same of two codes.
    #[test]
    fn two_codes_say_the_same_only_where_they_do_in_english() {
        for language in [Language::Finnish, Language::Swedish] {
            let mut said = HashMap::new();
            for &code in Code::ALL {
                let english = sentences(code, Language::English);
                for (ours, english) in sentences(code, language).into_iter().zip(english) {
                    let before = said.insert(ours, english);
                    let is_alike = before.is_none_or(|before| before == english);
                    assert!(is_alike, "{code} in {language:?}: {ours:?}");
                }
            }
        }
    }

    /// What a sender types must survive translation: `file`, `startPage`, `unzip -t`.
    #[test]
    fn every_translation_names_the_same_commands_and_fields() {
        let typed = |code, language| {
            let text = sentences(code, language).join(" ");
            let spans = text.split('`').skip(1).step_by(2).map(str::to_owned);
            spans.collect::<BTreeSet<_>>()
        };
        for &code in Code::ALL {
            for language in [Language::Finnish, Language::Swedish] {
                let english = typed(code, Language::English);
                assert_eq!(typed(code, language), english, "{code} in {language:?}");
            }
        }
    }
}
