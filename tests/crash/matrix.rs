//! A day, killed at every point.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Mutex,
    thread,
    time::Instant,
};

use tokio::runtime::Runtime;

use super::{
    by_hand,
    day::Day,
    not_passed::NOT_PASSED,
    outcome::Outcome,
    points::{self, Kill, Passed},
    props::Props,
};
use crate::program::{Dice, InHands};

/// Days that are played at once: most of the time they wait for disks and for each other.
pub(super) const AT_ONCE: usize = 6;

#[test]
fn a_house_killed_at_a_dozen_drawn_points_loses_nothing_and_sends_nothing_twice() {
    let stage = Stage::set();
    stage.assert_all_points_are_passed();
    let mut dice = Dice(seed());
    let plans = (0..12).map(|_| vec![stage.drawn(&mut dice)]).collect();
    stage.play_all(plans).assert_well();
}

#[test]
#[ignore = "takes minutes: each point, drawn ones, and some days with two kills in a row"]
fn a_house_killed_at_every_point_loses_nothing_and_sends_nothing_twice() {
    let stage = Stage::set();
    let mut dice = Dice(seed());
    let mut plans: Vec<_> = stage.every_point(&mut dice);
    let (drawn, twice) = if is_whole() { (200, 40) } else { (20, 5) };
    plans.extend((0..drawn).map(|_| vec![stage.drawn(&mut dice)]));
    plans.extend((0..twice).map(|_| vec![stage.drawn(&mut dice), stage.drawn_early(&mut dice)]));
    if let Ok(wanted) = env::var("KUORI_CRASH_ONLY") {
        plans.retain(|plan| plan.iter().any(|kill| kill.to_string().contains(&wanted)));
    }
    stage.play_all(plans).assert_well();
}

/// Whether each point is tried at its first, its last and one other pass, and not at one of them that
/// the seed draws.
fn is_whole() -> bool {
    env::var("KUORI_CRASH_PASSES").is_ok_and(|asked| asked == "all")
}

/// `KUORI_CRASH_SEED`, or the one that every run has.
pub(super) fn seed() -> u64 {
    let asked = env::var("KUORI_CRASH_SEED").ok();
    let seed = asked.map_or(20_261_123, |asked| {
        asked.parse().expect("KUORI_CRASH_SEED is a number")
    });
    eprintln!("seed {seed}");
    seed
}

/// Everything that days are played with, and what an undisturbed one comes to.
struct Stage {
    props: Props,
    runtime: Runtime,
    passed: Passed,
    undisturbed: Outcome,
}

/// What many days came to.
#[derive(Default)]
struct Tally {
    days: u64,
    kills: u64,
    /// Kills whose point was passed less often than in the day that was recorded.
    not_reached: u64,
    points: BTreeSet<String>,
    letters: u64,
    /// Letters of the undisturbed day that are in nobody's hands.
    lost: u64,
    /// Letters that are in somebody's hands once more.
    doubled: u64,
    failed: Vec<String>,
}

impl Stage {
    fn set() -> Self {
        let (props, runtime) = (Props::make(), Runtime::new().unwrap());
        let (day, passed) = Day::record(&props, &runtime);
        let undisturbed = Outcome::of(&day);
        drop(day);
        Self {
            props,
            runtime,
            passed,
            undisturbed,
        }
    }

    fn assert_all_points_are_passed(&self) {
        let mut passed = self.passed.names();
        passed.extend(by_hand::passed().names());
        let excused: BTreeMap<_, _> = NOT_PASSED.iter().copied().collect();
        let sources = points::in_sources();
        let missing =
            |name: &&String| !passed.contains(*name) && !excused.contains_key(name.as_str());
        let missing = sources.iter().filter(missing);
        let missing: Vec<_> = missing.filter(|it| !is_of_demos(it)).collect();
        assert!(missing.is_empty(), "no day passes {missing:#?}");
        let gone = excused.keys().filter(|name| !sources.contains(**name));
        let gone: Vec<_> = gone.collect();
        assert!(gone.is_empty(), "the sources have no {gone:?}");
    }

    /// The first pass, the last one, and one between them; or one of these.
    fn every_point(&self, dice: &mut Dice) -> Vec<Vec<Kill>> {
        let (mut plans, mut passes_in_all) = (Vec::new(), 0);
        for ((who, point), &times) in &self.passed.0 {
            let mut passes = BTreeSet::from([1, times]);
            if times > 2 {
                passes.insert(2 + dice.below(times - 2));
            }
            passes_in_all += passes.len();
            if !is_whole() {
                let kept = usize::try_from(dice.below(passes.len() as u64)).unwrap();
                passes = passes.into_iter().skip(kept).take(1).collect();
            }
            plans.extend(passes.into_iter().map(|pass| {
                vec![Kill {
                    who: *who,
                    point: point.clone(),
                    pass,
                }]
            }));
        }
        eprintln!(
            "{} points of daemon and commands, {} of {passes_in_all} passes of them \
             (KUORI_CRASH_PASSES=all for all)",
            self.passed.0.len(),
            plans.len()
        );
        plans
    }

    fn drawn(&self, dice: &mut Dice) -> Kill {
        let points: Vec<_> = self.passed.0.iter().collect();
        let drawn = usize::try_from(dice.below(points.len() as u64)).unwrap();
        let ((who, point), times) = points[drawn];
        Kill {
            who: *who,
            point: point.clone(),
            pass: 1 + dice.below(*times),
        }
    }

    /// A point that is likely to be passed once more after a start.
    fn drawn_early(&self, dice: &mut Dice) -> Kill {
        let mut kill = self.drawn(dice);
        kill.pass = 1 + kill.pass.min(2) / 2;
        kill
    }

    fn play_all(&self, plans: Vec<Vec<Kill>>) -> Tally {
        let (since, worked_before) = (Instant::now(), worked_secs());
        let plans = Mutex::new(plans.into_iter());
        let tally = Mutex::new(Tally::default());
        thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| {
                    loop {
                        let Some(plan) = plans.lock().unwrap().next() else {
                            return;
                        };
                        let played = catch_unwind(AssertUnwindSafe(|| self.play(&plan, &tally)));
                        tally.lock().unwrap().add(&plan, played);
                    }
                });
            }
        });
        let tally = tally.into_inner().unwrap();
        eprintln!(
            "{} days: {} kills at {} points ({} not reached), {} letters checked, \
             {} lost, {} doubled, {} days failed; {} s, {} core-seconds",
            tally.days,
            tally.kills,
            tally.points.len(),
            tally.not_reached,
            tally.letters,
            tally.lost,
            tally.doubled,
            tally.failed.len(),
            since.elapsed().as_secs(),
            worked_secs() - worked_before
        );
        tally
    }

    fn play(&self, plan: &[Kill], tally: &Mutex<Tally>) -> (Vec<Kill>, u32) {
        let mut day = Day::play(&self.props, &self.runtime, plan);
        let hands = InHands::count(&day.site.path("data/mailboxes"), &day.site.path("printed"));
        let mut counted = tally.lock().unwrap();
        counted.count(&hands, self.undisturbed.letters);
        drop(counted);
        let outcome = Outcome::of(&day);
        assert_eq!(outcome, self.undisturbed);
        (std::mem::take(&mut day.killed), outcome.letters)
    }
}

/// Only a demo makes keys for those outside.
fn is_of_demos(point: &str) -> bool {
    point.ends_with("transport: key") || point.ends_with("transport: folder of the key")
}

/// Of this process and those that it has waited for.
fn worked_secs() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(4);
    ticks.filter_map(|it| it.parse::<u64>().ok()).sum::<u64>() / 100
}

impl Tally {
    /// Before anything else is asked of a day, which may fail.
    fn count(&mut self, hands: &InHands, expected: u32) {
        let names: BTreeSet<_> = hands
            .in_mailboxes
            .keys()
            .chain(hands.in_piece_lists.keys())
            .collect();
        let found = u32::try_from(names.len()).unwrap();
        self.lost += u64::from(expected.saturating_sub(found));
        self.doubled += u64::from(hands.letters() - found);
    }

    fn add(&mut self, plan: &[Kill], played: thread::Result<(Vec<Kill>, u32)>) {
        self.days += 1;
        if self.days.is_multiple_of(50) {
            eprintln!("{} days, {} failed", self.days, self.failed.len());
        }
        match played {
            Ok((killed, letters)) => {
                self.kills += killed.len() as u64;
                self.not_reached += (plan.len() - killed.len()) as u64;
                self.points
                    .extend(killed.into_iter().map(|kill| kill.point));
                self.letters += u64::from(letters);
            }
            Err(panic) => {
                let plan: Vec<_> = plan.iter().map(ToString::to_string).collect();
                let said = panic.downcast_ref::<String>().map_or("", String::as_str);
                self.failed
                    .push(format!("{}: {said}", plan.join(", then ")));
            }
        }
    }

    /// Lost and doubled letters are among the failed days.
    fn assert_well(&self) {
        assert!(self.failed.is_empty(), "{:#?}", self.failed);
        // Of a few days, which somebody asks for by name, each may.
        assert!(
            self.days < 10 || self.not_reached * 4 < self.days,
            "most kills came to nothing"
        );
    }
}
