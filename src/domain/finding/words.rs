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
