use proptest::{prelude::*, sample::Index};

/// What an upload, a tool or somebody with bad intentions does to a file.
#[derive(Debug, Clone)]
pub(super) enum Mutation {
    Flip {
        at: Index,
        bit: u8,
    },
    Set {
        at: Index,
        value: u8,
    },
    CutOff {
        at: Index,
    },
    Remove {
        at: Index,
        length: usize,
    },
    Repeat {
        at: Index,
        length: usize,
    },
    Move {
        from: Index,
        to: Index,
        length: usize,
    },
    Swap {
        one: Index,
        other: Index,
        length: usize,
    },
}

/// A few of them.
pub(super) fn mutations() -> impl Strategy<Value = Vec<Mutation>> {
    prop::collection::vec(mutation(), 0..5)
}

/// One byte each, so that what stands in the file stays where it stands.
pub(super) fn changed_bytes() -> impl Strategy<Value = Vec<Mutation>> {
    prop::collection::vec(set(), 0..4)
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = any::<Index>;
    let length = || prop_oneof![3 => 1_usize..8, 1 => 1_usize..400];
    prop_oneof![
        4 => (at(), 0_u8..8).prop_map(|(at, bit)| Mutation::Flip { at, bit }),
        4 => set(),
        1 => at().prop_map(|at| Mutation::CutOff { at }),
        2 => (at(), length()).prop_map(|(at, length)| Mutation::Remove { at, length }),
        2 => (at(), length()).prop_map(|(at, length)| Mutation::Repeat { at, length }),
        2 => (at(), at(), length()).prop_map(|(from, to, length)| Mutation::Move { from, to, length }),
        1 => (at(), at(), length()).prop_map(|(one, other, length)| Mutation::Swap { one, other, length }),
    ]
}

fn set() -> impl Strategy<Value = Mutation> {
    (any::<Index>(), any::<u8>()).prop_map(|(at, value)| Mutation::Set { at, value })
}

/// The file after all of them, in their order.
pub(super) fn mutated(bytes: &[u8], mutations: &[Mutation]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for mutation in mutations {
        if !bytes.is_empty() {
            mutation.apply(&mut bytes);
        }
    }
    bytes
}

impl Mutation {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let size = bytes.len();
        let range = |at: &Index, length: usize| {
            let start = at.index(size);
            start..size.min(start + length)
        };
        match self {
            Self::Flip { at, bit } => bytes[at.index(size)] ^= 1 << bit,
            Self::Set { at, value } => bytes[at.index(size)] = *value,
            Self::CutOff { at } => bytes.truncate(at.index(size)),
            Self::Remove { at, length } => drop(bytes.drain(range(at, *length))),
            Self::Repeat { at, length } => {
                let copy = bytes[range(at, *length)].to_vec();
                let at = at.index(size);
                bytes.splice(at..at, copy);
            }
            Self::Move { from, to, length } => {
                let moved: Vec<_> = bytes.drain(range(from, *length)).collect();
                let to = to.index(bytes.len() + 1);
                bytes.splice(to..to, moved);
            }
            Self::Swap { one, other, length } => {
                let length = (*length).min(size);
                for step in 0..length {
                    bytes.swap(
                        (one.index(size) + step) % size,
                        (other.index(size) + step) % size,
                    );
                }
            }
        }
    }
}
