/// Numbers that look random and are a pure function of where they are drawn.
///
/// The generator is splitmix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
/// Generators", OOPSLA 2014). It is good enough for made-up letters and for nothing secret.
pub(super) struct Dice {
    state: u64,
}

/// What is drawn. Each purpose has its own stream, so that a change in the wording of a letter
/// moves nobody's mailbox.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    IdentityCodes = 1,
    Person = 2,
    Address = 3,
    Mailbox = 4,
    Pages = 5,
    Wording = 6,
    Consent = 7,
}

const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

impl Dice {
    /// The stream of one purpose for letter `letter` (1-based; 0 for the whole batch).
    pub(super) fn new(seed: u64, letter: u32, purpose: Purpose) -> Self {
        let place = (u64::from(letter) << 8) | purpose as u64;
        Self {
            state: mix(seed ^ mix(place.wrapping_add(GOLDEN_GAMMA))),
        }
    }

    pub(super) fn roll(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN_GAMMA);
        mix(self.state)
    }

    /// A number from 0 to `bound` - 1; 0 where `bound` is 0.
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        let scaled = (self.roll() >> 32) * u64::from(bound);
        u32::try_from(scaled >> 32).unwrap_or_default()
    }

    /// Whether something happens that happens in `share` (0 to 1) of all cases.
    pub(super) fn happens(&mut self, share: f64) -> bool {
        let unit = f64::from(self.below(u32::MAX)) / f64::from(u32::MAX);
        unit < share
    }

    /// One of the list; the default value where the list is empty.
    pub(super) fn pick<T: Copy + Default>(&mut self, list: &[T]) -> T {
        let bound = u32::try_from(list.len()).unwrap_or(u32::MAX);
        list.get(self.below(bound) as usize)
            .copied()
            .unwrap_or_default()
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_gives_the_published_numbers() {
        let mut dice = Dice { state: 1_234_567 };
        let first = [dice.roll(), dice.roll(), dice.roll()];
        assert_eq!(
            first,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    #[test]
    fn draws_stay_below_the_bound_and_reach_all_of_it() {
        let mut dice = Dice::new(1, 1, Purpose::Person);
        let mut seen = [0_u32; 6];
        for _ in 0..6_000 {
            seen[dice.below(6) as usize] += 1;
        }
        assert!(
            seen.iter().all(|&count| (800..1_200).contains(&count)),
            "{seen:?}"
        );
    }

    #[test]
    fn streams_of_two_purposes_differ() {
        let person = Dice::new(1, 1, Purpose::Person).roll();
        assert_ne!(person, Dice::new(1, 1, Purpose::Address).roll());
        assert_ne!(person, Dice::new(1, 2, Purpose::Person).roll());
        assert_ne!(person, Dice::new(2, 1, Purpose::Person).roll());
    }
}
