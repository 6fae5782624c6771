//! Whether anything may be drawn after a page's content as it stands.
//!
//! Readers go through the content streams of a page as if they were one. What one of them leaves open
//! swallows what comes next, and some readers stop for good where something is wrong: poppler at an
//! operator without the operands that it needs, `MuPDF` after a hundred words that it does not know.
//! Inside a form both end with the form. So content is clean, or it is taken for what it may do.

mod inline_image;
mod operators;

use super::Refusal;
use super::lexer::{Lexer, Token};
use inline_image::skip_inline_image;
use operators::{Kind, Operator, Role};

/// What content that is not clean leaves open even behind the form around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct LooseEnds {
    /// A path that was begun and not painted, or a clip that waits for one.
    pub(super) path: bool,
    /// Marked content sequences that do not end.
    pub(super) marked: usize,
}

impl LooseEnds {
    /// Operators that close it all.
    pub(super) fn closing(self) -> Vec<u8> {
        let path: &[u8] = if self.path { b"n " } else { b"" };
        [path, &b"EMC ".repeat(self.marked)].concat()
    }
}

/// `None` if the content is clean: its operators are known and have what they need, and all that it
/// begins, it ends. `content` is all of a page's, joined. More open than can be closed behind it is a
/// [`Refusal::Limit`].
pub(super) fn loose_ends(content: &[u8]) -> Result<Option<LooseEnds>, Refusal> {
    let mut scan = Scan {
        content,
        lexer: Lexer::of_content(content, 0),
        operands: Vec::new(),
        is_clean: true,
        saved: 0,
        compatible: 0,
        in_text: false,
        ends: LooseEnds::default(),
    };
    scan.run();
    let closed = scan.saved == 0 && scan.compatible == 0 && !scan.in_text;
    let nothing_left = scan.operands.is_empty() && scan.ends == LooseEnds::default();
    if scan.ends.marked > MOST_MARKED {
        return Err(Refusal::Limit {
            what: "marked content that does not end",
        });
    }
    let is_clean = scan.is_clean && closed && nothing_left;
    Ok((!is_clean).then_some(scan.ends))
}

/// Each costs four bytes behind the form.
const MOST_MARKED: usize = 1_000;

struct Scan<'c> {
    content: &'c [u8],
    lexer: Lexer<'c>,
    operands: Vec<Kind>,
    is_clean: bool,
    /// States saved by `q`.
    saved: usize,
    /// Sections in which unknown operators are passed over, by `BX`.
    compatible: usize,
    in_text: bool,
    ends: LooseEnds,
}

/// What poppler keeps for one operator; `scn` of many colourants needs as many.
const MOST_OPERANDS: usize = 33;

/// Arrays and dictionaries inside one another; `MuPDF` gives up at about twice as many.
const MOST_NESTING: usize = 64;

impl Scan<'_> {
    fn run(&mut self) {
        loop {
            self.lexer.skip_space();
            let start = self.lexer.position();
            let Some(token) = self.lexer.next() else {
                // A string that does not end is no token.
                self.is_clean &= start >= self.content.len();
                return;
            };
            match token {
                Token::Integer(_) => self.operand(Kind::Integer),
                Token::Real(digits) => self.real(digits),
                Token::Name(_) => self.operand(Kind::Name),
                Token::Text => self.operand(Kind::Text),
                Token::ArrayOpen => self.composite(Kind::Array),
                Token::DictionaryOpen => self.composite(Kind::Dictionary),
                Token::Keyword(b"true" | b"false" | b"null") => self.operand(Kind::Other),
                Token::Keyword(word) => self.operator(word),
                Token::Reference(_) | Token::ArrayClose | Token::DictionaryClose => {
                    self.is_clean = false;
                }
            }
        }
    }

    fn operand(&mut self, kind: Kind) {
        if self.operands.len() < MOST_OPERANDS {
            self.operands.push(kind);
        } else {
            self.is_clean = false;
        }
    }

    /// Readers disagree about `--5` and `1.2.3`.
    fn real(&mut self, digits: &[u8]) {
        self.is_clean &= is_real(digits);
        self.operand(Kind::Real);
    }

    fn composite(&mut self, kind: Kind) {
        // Where there is doubt already, nothing more need be known of what is inside.
        if self.is_clean {
            let inside = self.lexer.clone();
            if !self.skips_composite(kind) {
                self.is_clean = false;
                self.lexer = inside;
            }
        }
        self.operand(kind);
    }

    /// Goes past an array or a dictionary that was opened; whether it holds values only, and ends.
    fn skips_composite(&mut self, kind: Kind) -> bool {
        let mut open = vec![kind];
        while let Some(innermost) = open.last().copied() {
            let closes = match self.lexer.next() {
                Some(Token::ArrayOpen) => {
                    open.push(Kind::Array);
                    continue;
                }
                Some(Token::DictionaryOpen) => {
                    open.push(Kind::Dictionary);
                    continue;
                }
                Some(Token::ArrayClose) => Kind::Array,
                Some(Token::DictionaryClose) => Kind::Dictionary,
                Some(Token::Keyword(b"true" | b"false" | b"null")) => continue,
                None | Some(Token::Keyword(_) | Token::Reference(_)) => return false,
                Some(_) => continue,
            };
            if closes != innermost || open.len() > MOST_NESTING {
                return false;
            }
            open.pop();
        }
        true
    }

    fn operator(&mut self, word: &[u8]) {
        let operator = Operator::of(word);
        self.is_clean &= match &operator {
            Some(operator) => operator.takes(&self.operands),
            None => self.compatible > 0,
        };
        self.operands.clear();
        if let Some(operator) = operator {
            self.perform(operator.role);
        }
    }

    fn perform(&mut self, role: Role) {
        match role {
            Role::Save => {
                self.is_clean &= !self.in_text;
                self.saved += 1;
            }
            Role::Restore => {
                self.is_clean &= !self.in_text;
                self.is_clean &= take_one(&mut self.saved);
            }
            Role::BeginText => self.is_clean &= !std::mem::replace(&mut self.in_text, true),
            Role::EndText => self.is_clean &= std::mem::replace(&mut self.in_text, false),
            Role::BeginMarked => self.ends.marked += 1,
            Role::EndMarked => self.is_clean &= take_one(&mut self.ends.marked),
            Role::BeginCompatible => self.compatible += 1,
            Role::EndCompatible => self.is_clean &= take_one(&mut self.compatible),
            Role::Path => self.ends.path = true,
            Role::Paint => self.ends.path = false,
            Role::InlineImage => {
                self.is_clean &= skip_inline_image(&mut self.lexer, self.content);
            }
            Role::Other => {}
        }
    }
}

/// Whether it is a sign at most, digits, and a point at most among them.
fn is_real(run: &[u8]) -> bool {
    let is_signed = matches!(run, [b'+' | b'-', ..]);
    let (mut digits, mut points) = (0, 0);
    for byte in run.iter().skip(usize::from(is_signed)) {
        match byte {
            b'0'..=b'9' => digits += 1,
            b'.' => points += 1,
            _ => return false,
        }
    }
    digits > 0 && points <= 1
}

/// Whether there was one to take.
fn take_one(count: &mut usize) -> bool {
    let fewer = count.checked_sub(1);
    *count = fewer.unwrap_or(0);
    fewer.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_clean(content: &str) -> bool {
        loose_ends(content.as_bytes()).unwrap().is_none()
    }

    #[test]
    fn what_producers_write_is_clean() {
        for content in [
            "",
            "% nothing but a comment",
            ".24 0 0 -.24 0 841.92 cm\nq 1 0 0 rg 0 0 5 5 re f Q",
            "BT /F1 12 Tf 1 0 0 1 72 720 Tm [(a\\) q)-250<4142>] TJ T* (q Q) ' 1 2 (b) \" ET",
            "/Span<</MCID 0/ActualText(Q)>>BDC BT(x)Tj ET EMC /P /MC0 BDC EMC",
            "q/Pattern cs/P1 scn .1 .2 .3/P2 scn 0 0 m 1 1 l 2 2 3 3 y h W* n Q",
            "[3 2]0 d 1 J 0 j 4.5 M /RelativeColorimetric ri 1 i /GS0 gs /Fm0 Do /Sh sh",
            "BX foo /x bar EX",
            "q BI/W 4/H 2/BPC 8/CS/G ID 12Q 5678\nEI Q",
        ] {
            assert!(is_clean(content), "{content}");
        }
    }

    #[test]
    fn what_is_begun_and_not_ended_is_no_clean_content() {
        for content in [
            "q",
            "Q q",
            "q Q Q",
            "BT",
            "ET",
            "BT BT ET",
            "BT q ET Q",
            "BX",
            "EX",
            "EMC",
            "(open",
            "(open \\",
            "<41",
            "[1 2",
            "<</A 1",
            "[1 2>>",
            "]",
            ">>",
            "[(] d",
            "1 2",
            "/Name",
        ] {
            assert!(!is_clean(content), "{content}");
        }
    }

    #[test]
    fn an_operator_has_the_operands_that_it_needs() {
        for content in [
            "0 0 rg",
            "/x 0 0 0 0 0 cm",
            "1 Tf",
            "[1] re",
            "0.5 J",
            "(a) Do",
            "/P 1 BDC EMC",
            "Tj",
            "sc",
            "/P sc",
            "(P) scn",
            "--5 w",
            "1.2.3 w",
            "5- w",
            ". w",
            "- w",
            "foo",
            "5 0 R",
            "} {",
            "1 0 d0",
            "ID",
            "EI",
        ] {
            assert!(!is_clean(content), "{content}");
        }
        assert!(is_clean(
            "-.5 w +5. w .5 w 0000000000000000000000000000001 w"
        ));
        assert!(is_clean("9 9 9 0 0 0 rg"), "those before them harm nothing");
    }

    #[test]
    fn what_reaches_past_a_form_is_counted() {
        let ends = |path, marked| Ok(Some(LooseEnds { path, marked }));
        assert_eq!(loose_ends(b"q"), ends(false, 0));
        assert_eq!(loose_ends(b"0 0 m 1 1 l"), ends(true, 0));
        assert_eq!(loose_ends(b"0 0 5 5 re W"), ends(true, 0));
        assert_eq!(loose_ends(b"/A BMC /B BMC EMC"), ends(false, 1));
        let cut_short = b"/OC /L BDC /OC /L BDC [( 0 0 m";
        assert_eq!(loose_ends(cut_short), ends(false, 2));
    }

    #[test]
    fn brackets_without_end_cost_no_more_than_their_length() {
        assert!(!is_clean(&"[".repeat(1_000_000)));
        assert!(!is_clean(&"[<<".repeat(500_000)));
        assert!(is_clean(&format!(
            "[{}{}]0 d",
            "[".repeat(63),
            "]".repeat(63)
        )));
        assert!(!is_clean(&format!(
            "[{}{}]0 d",
            "[".repeat(64),
            "]".repeat(64)
        )));
    }
}
