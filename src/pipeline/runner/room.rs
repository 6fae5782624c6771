use super::Settings;
use crate::{
    domain::{BatchState, SenderId, Step},
    store::StepsWaiting,
};

/// What a step needs most, and shares with others of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// All cores.
    Computing,
    /// The mailbox.
    Delivering,
    /// Rows.
    Light,
}

impl Kind {
    pub(super) fn of(state: BatchState) -> Self {
        match state.next_step() {
            Step::Open | Step::Compose => Self::Computing,
            Step::Deliver => Self::Delivering,
            Step::Route | Step::Report => Self::Light,
        }
    }
}

/// Where a step works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    Any,
    /// Kept for batches that are small.
    Small,
}

/// A step that is being worked on.
#[derive(Debug, Clone)]
pub(super) struct Taken {
    pub(super) sender: SenderId,
    pub(super) bytes: u64,
    pub(super) kind: Kind,
    pub(super) lane: Lane,
}

/// What room there is beside the steps that are being worked on.
pub(super) struct Room<'a> {
    pub(super) settings: &'a Settings,
    pub(super) taken: Vec<Taken>,
}

/// What may be claimed next.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) lane: Lane,
    pub(super) states: Vec<BatchState>,
    pub(super) max_bytes: u64,
}

impl Room<'_> {
    /// Which of those that wait there is room for; `None` where there is room for none. A small batch
    /// takes the place that is kept for it only where there is no other.
    pub(super) fn offer(&self, waiting: &[StepsWaiting]) -> Option<Offer> {
        let small = self.settings.small_batch_bytes;
        let offers = [(Lane::Any, u64::MAX), (Lane::Small, small)];
        let mut offers = offers.into_iter().map(|(lane, max_bytes)| Offer {
            lane,
            states: self.states(lane, max_bytes, waiting),
            max_bytes,
        });
        offers.find(|offer| !offer.states.is_empty())
    }

    fn states(&self, lane: Lane, max_bytes: u64, waiting: &[StepsWaiting]) -> Vec<BatchState> {
        let has_room = |state: &BatchState| {
            let fits = |some: &&StepsWaiting| some.state == *state && some.least_bytes <= max_bytes;
            self.has_place(lane, Kind::of(*state)) && waiting.iter().any(|some| fits(&some))
        };
        BatchState::ALL.into_iter().filter(has_room).collect()
    }

    fn has_place(&self, lane: Lane, kind: Kind) -> bool {
        match lane {
            Lane::Small => {
                self.count(|taken| taken.lane == Lane::Small) < self.settings.small_batches_at_once
            }
            Lane::Any => !self.is_full() && !self.is_full_of(kind),
        }
    }

    fn is_full(&self) -> bool {
        self.count(|taken| taken.lane == Lane::Any) >= self.settings.batches_at_once
    }

    fn is_full_of(&self, kind: Kind) -> bool {
        let most = match kind {
            Kind::Computing => self.settings.computing_at_once,
            Kind::Delivering => self.settings.delivering_at_once,
            Kind::Light => usize::MAX,
        };
        self.count(|taken| taken.lane == Lane::Any && taken.kind == kind) >= most
    }

    fn count(&self, which: impl Fn(&Taken) -> bool) -> usize {
        self.taken.iter().filter(|taken| which(taken)).count()
    }

    /// Whether a step is to give way to some of those that there is no room for: they can use its
    /// place, and are another sender's, or smaller. Among equals of one sender the oldest goes first
    /// and stays there.
    pub(super) fn is_wanted(&self, own: &Taken, waiting: &[StepsWaiting]) -> bool {
        let wants = |some: &StepsWaiting| {
            let frees = match own.lane {
                Lane::Small => some.least_bytes <= self.settings.small_batch_bytes,
                Lane::Any => Kind::of(some.state) == own.kind || self.is_full(),
            };
            frees && (some.sender != own.sender || some.least_bytes < own.bytes)
        };
        waiting.iter().any(wants)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LARGE: u64 = 1 << 30;

    fn waiting(sender: &str, state: BatchState, least_bytes: u64) -> StepsWaiting {
        StepsWaiting {
            sender: sender.parse().unwrap(),
            state,
            least_bytes,
            most_crashes: 0,
        }
    }

    fn taken(sender: &str, kind: Kind, lane: Lane) -> Taken {
        Taken {
            sender: sender.parse().unwrap(),
            bytes: LARGE,
            kind,
            lane,
        }
    }

    fn offered(taken: Vec<Taken>, some: &[StepsWaiting]) -> Option<(Lane, Vec<BatchState>)> {
        let settings = &Settings::default();
        let offer = Room { settings, taken }.offer(some);
        offer.map(|offer| (offer.lane, offer.states))
    }

    #[test]
    fn each_kind_has_its_bound_and_the_rest_goes_on() {
        let computing = || taken("a", Kind::Computing, Lane::Any);
        let wait = [
            waiting("b", BatchState::Received, LARGE),
            waiting("b", BatchState::Composed, LARGE),
        ];
        let both = vec![BatchState::Received, BatchState::Composed];
        assert_eq!(offered(vec![computing()], &wait), Some((Lane::Any, both)));
        let light = (Lane::Any, vec![BatchState::Composed]);
        assert_eq!(offered(vec![computing(), computing()], &wait), Some(light));
        assert_eq!(offered(vec![computing(), computing()], &wait[..1]), None);
    }

    #[test]
    fn a_small_batch_has_a_place_beside_large_ones_and_a_second_one_waits() {
        let full = || vec![taken("a", Kind::Computing, Lane::Any); 2];
        let limit = Settings::default().small_batch_bytes;
        let small = [waiting("b", BatchState::Received, limit)];
        let one = Some((Lane::Small, vec![BatchState::Received]));
        assert_eq!(offered(full(), &small), one);
        let over = [waiting("b", BatchState::Received, limit + 1)];
        assert_eq!(offered(full(), &over), None);
        let mut fuller = full();
        fuller.push(taken("c", Kind::Computing, Lane::Small));
        assert_eq!(offered(fuller, &small), None);
        // Where there is another place, that one stays free.
        let any = Some((Lane::Any, vec![BatchState::Received]));
        assert_eq!(offered(Vec::new(), &small), any);
    }

    #[test]
    fn a_step_gives_way_to_other_senders_and_to_smaller_batches_of_its_own() {
        let settings = &Settings::default();
        let own = taken("a", Kind::Delivering, Lane::Any);
        let room = Room {
            settings,
            taken: vec![own.clone(); 2],
        };
        let wanted = |sender, state, bytes| room.is_wanted(&own, &[waiting(sender, state, bytes)]);
        assert!(wanted("b", BatchState::Routed, 2 * LARGE));
        assert!(wanted("a", BatchState::Routed, LARGE - 1));
        assert!(!wanted("a", BatchState::Routed, LARGE));
        // Its place would be of no use to them.
        assert!(!wanted("b", BatchState::Received, 1));
    }
}
