use crate::pdf::NotRewritten;

/// Why the child wrote no PDF. It tells its parent by its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Unreadable,
    Locked,
    /// Something that the pages need is not there.
    NotWhole,
    TooLong,
    GrowsTooLong,
    /// The child could not do its work.
    Failed,
}

const CODES: [(Verdict, u8); 6] = [
    (Verdict::Unreadable, 10),
    (Verdict::Locked, 11),
    (Verdict::NotWhole, 12),
    (Verdict::TooLong, 13),
    (Verdict::GrowsTooLong, 14),
    (Verdict::Failed, 15),
];

/// Of a Rust program that panicked: a bug of the library, which the next run has too.
const PANICKED: i32 = 101;

impl Verdict {
    pub(super) fn exit_code(self) -> u8 {
        let code = CODES.iter().find(|(verdict, _)| *verdict == self);
        code.map_or(1, |(_, code)| *code)
    }

    pub(super) fn of_exit_code(code: i32) -> Self {
        if code == PANICKED {
            return Self::Unreadable;
        }
        let known = CODES.iter().find(|(_, known)| i32::from(*known) == code);
        known.map_or(Self::Failed, |(verdict, _)| *verdict)
    }
}

impl From<Verdict> for NotRewritten {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Unreadable => Self::Refused("it cannot read it either"),
            Verdict::Locked => Self::Locked,
            Verdict::NotWhole => Self::Refused("some of it is lost"),
            Verdict::TooLong => Self::Limit("bytes of a PDF for the second reader"),
            Verdict::GrowsTooLong => Self::Limit("bytes of a PDF from the second reader"),
            Verdict::Failed => Self::Failed(std::io::Error::other("the child could not work")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_comes_back_from_its_exit_code() {
        for (verdict, _) in CODES {
            assert_eq!(Verdict::of_exit_code(verdict.exit_code().into()), verdict);
        }
        assert_eq!(Verdict::of_exit_code(1), Verdict::Failed);
        assert_eq!(Verdict::of_exit_code(101), Verdict::Unreadable);
    }
}
