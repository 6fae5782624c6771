//! A day of a house whose service of Suomi.fi Messages takes messages and prints letters: killed at the
//! points of its couriers, its queue and its events, and started again. Each letter goes one way, once.
//!
//! - `cargo test --test kuori suomifi::crashes` kills it at a few points drawn by a seed.
//! - `cargo test --test kuori suomifi::crashes -- --ignored` kills it at each, before and after.

use std::{collections::BTreeMap, fs, sync::Arc};

use kuori::suomifi_stub::{Happening, Mailboxes, Route, Selection, Trouble};
use tokio::{sync::Semaphore, task::JoinSet};

use super::{
    mortal::{Kill, Mortal, Passed, assert_all_are_passed, drawn, each, sides},
    town::{SENDERS, Town, message_in, private},
};
use crate::program::Dice;

const LETTERS: u32 = 24;
/// Days that are played at the same time: mostly they wait.
const AT_ONCE: usize = 3;
/// Kills of the normal run.
const DRAWN: usize = 3;

const UPLOAD: &str = "/v2/attachments";
const SEND: &str = "/v2/messages/electronic";
const EVENTS: &str = "/v2/events";

const COURIER: &str = "rate_per_sec = 200.0\nin_flight = 3\nfirst_wait_secs = 1\n\
    longest_wait_secs = 1\nevents_poll_secs = 1";

/// What a day passes whatever the service refuses.
const POINTS: [&str; 20] = [
    "commit/record the mailbox services",
    "commit/queue messages",
    "commit/give a turn",
    "commit/take messages in hand",
    "commit/record the next turn",
    "commit/note uploaded files",
    "commit/put messages back",
    "commit/count a refusal",
    "commit/put messages off",
    "commit/try messages again",
    "commit/put a mailbox service off",
    "commit/note that a mailbox service works",
    "commit/record what was sent",
    "commit/record who has no mailbox",
    "commit/settle a queue",
    "commit/record what a mailbox service tells",
    "commit/put the events of a mailbox service off",
    "commit/read the events of a mailbox service from their beginning",
    "remote/courier: upload",
    "remote/courier: send",
];

/// What it passes where the service refuses two messages. Whose they are hangs on the kill: an answer
/// that got lost with the program is another one the next time.
const OF_REFUSALS: [&str; 2] = [
    "commit/record what is too large",
    "commit/record what a service refuses",
];

struct Day {
    house: Mortal,
    with_refusals: bool,
}

/// State of each message, in their order.
type States = Vec<String>;

impl Day {
    /// Plays a whole day. Returns what became of its letters, and whether the kill has come.
    async fn play(kill: Option<Kill>, with_refusals: bool) -> (Self, States, bool) {
        let is_to_be_killed = kill.is_some();
        let mut day = Self {
            house: Mortal::new(town().await, kill),
            with_refusals,
        };
        day.queue_all().await;
        day.bring_all().await;
        day.hear_all().await;
        day.house.stop();
        // The house is put in order, as with each start.
        day.house.town.run().await;
        let states = day.states();
        day.assert_each_went_once(&states);
        day.house.town.assert_at_rest();
        let was_killed = is_to_be_killed && !day.house.is_to_be_killed();
        (day, states, was_killed)
    }

    /// All letters wait, since the service takes no file; it was offered one of them again after that one had
    /// stepped aside.
    async fn queue_all(&mut self) {
        let no_file = Trouble::status(503).on(UPLOAD);
        self.house.town.stub.trouble(no_file);
        self.house.town.upload(SENDERS[0], "letters.zip", LETTERS);
        self.house
            .until("all letters wait", |house| {
                house.number("SELECT COUNT(*) FROM mailbox_queue") == u64::from(LETTERS)
                    && is_batch_at_rest(house)
                    && house.number("SELECT COUNT(*) FROM mailbox_services WHERE failures > 0") == 1
                    && house.number("SELECT COUNT(*) FROM mailbox_queue WHERE refusals > 2") > 0
            })
            .await;
    }

    /// The service works again; half of those who had a mailbox have none any more.
    async fn bring_all(&mut self) {
        self.house.town.stub.replace_mailboxes(Mailboxes::Even);
        self.house.town.stub.end_troubles();
        self.house
            .town
            .stub
            .trouble(Trouble::status(503).on(SEND).skip(2).times(1));
        if self.with_refusals {
            for (status, skip) in [(413, 9), (400, 13)] {
                let refusal = Trouble::status(status).on(SEND).skip(skip).times(1);
                self.house.town.stub.trouble(refusal);
            }
        }
        self.house
            .until("all letters have gone", |house| {
                let on_its_way = "SELECT COUNT(*) FROM messages
                 WHERE state NOT IN ('delivered', 'handed-over', 'held')";
                house.number(on_its_way) == 0
                    && house.number("SELECT COUNT(*) FROM mailbox_queue") == 0
                    && is_batch_at_rest(house)
            })
            .await;
    }

    /// Recipients read what they have, and the service tells of it after some trouble.
    async fn hear_all(&mut self) {
        self.house
            .until("events are read", |house| {
                house.number("SELECT COUNT(*) FROM service_feeds WHERE continuation IS NOT NULL")
                    == 1
            })
            .await;
        let stub = &self.house.town.stub;
        stub.trouble(Trouble::status(500).on(EVENTS).times(1));
        stub.trouble(Trouble::status(400).on(EVENTS).skip(1).times(1));
        let read = stub.happen(Happening::Read, &Selection::default()).len() as u64;
        assert!(read > 0, "nobody has anything to read");
        self.house
            .until("all that was read is told", |house| {
                house.number("SELECT COUNT(*) FROM message_events WHERE what = 'read'") == read
                    && house.number("SELECT COUNT(*) FROM service_feeds WHERE tries = 0") == 1
            })
            .await;
    }

    fn states(&self) -> States {
        self.house
            .texts("SELECT state FROM messages ORDER BY position")
    }

    /// By what the service has.
    fn assert_each_went_once(&self, states: &[String]) {
        let mut taken = BTreeMap::<_, Vec<_>>::new();
        for message in self.house.town.stub.accepted() {
            let (batch, position) = message_in(&message.external_id);
            assert_eq!(batch, 1);
            taken.entry(position).or_default().push(message.route);
        }
        for (position, state) in (1..).zip(states) {
            let routes = taken.remove(&position).unwrap_or_default();
            let due: &[Route] = match state.as_str() {
                "delivered" => &[Route::Electronic],
                "handed-over" => &[Route::Paper],
                _ => &[],
            };
            assert_eq!(routes, due, "{position} is {state}");
        }
        assert!(taken.is_empty(), "nobody knows of {taken:?}");
        let held = states.iter().filter(|state| *state == "held").count();
        assert!(held <= usize::from(self.with_refusals), "{states:?}");
    }
}

fn is_batch_at_rest(house: &Mortal) -> bool {
    let at_rest = "SELECT COUNT(*) FROM batches WHERE state = 'reported' AND due_at IS NULL";
    house.number(at_rest) == 1
}

/// One whose letters the service prints, and may not choose the way of.
pub(super) async fn town() -> Town {
    let town = Town::new(COURIER).await;
    fs::write(town.path("print-password"), "abcd\n").unwrap();
    private(&town.path("print-password"));
    let folder = town.path("");
    let folder = folder.to_str().unwrap().trim_end_matches('/');
    let printing = format!(
        "[print_houses.example-print.suomifi]\n\
         service = \"letters\"\n\
         user = \"EXAMPL\"\n\
         password_file = \"{folder}/print-password\"\n\
         contact_email = \"letters@example.com\"\n\
         let_service_choose = false"
    );
    let settings = fs::read_to_string(town.path("kuori.toml")).unwrap();
    let settings = settings.replace(&format!("directory = \"{folder}/print-house\""), &printing);
    fs::write(town.path("kuori.toml"), settings).unwrap();
    town
}

/// Days without a kill: what becomes of each letter, and how often each point is passed.
async fn undisturbed() -> (States, Passed) {
    let (_, states, _) = Day::play(None, false).await;
    let (with_refusals, _, _) = Day::play(None, true).await;
    (states, with_refusals.house.passed())
}

fn all_points() -> Vec<String> {
    sides(POINTS.into_iter().chain(OF_REFUSALS))
}

/// Plays a day for each kill, some at a time; all of them end as the undisturbed one.
async fn play_all(kills: Vec<Kill>, undisturbed: States) {
    let (places, undisturbed) = (Arc::new(Semaphore::new(AT_ONCE)), Arc::new(undisturbed));
    let mut days = JoinSet::new();
    for kill in kills {
        let (places, undisturbed) = (Arc::clone(&places), Arc::clone(&undisturbed));
        days.spawn(async move {
            let _place = places.acquire_owned().await.unwrap();
            let is_of_refusals = OF_REFUSALS.iter().any(|it| kill.point.starts_with(it));
            let (_, states, was_killed) = Day::play(Some(kill.clone()), is_of_refusals).await;
            assert!(was_killed || kill.pass > 1, "{kill:?} was not reached");
            if !is_of_refusals {
                assert_eq!(states, *undisturbed, "{kill:?}");
            }
        });
    }
    let (mut played, mut failed) = (0, Vec::new());
    while let Some(day) = days.join_next().await {
        played += 1;
        failed.extend(day.err().map(|error| error.to_string()));
    }
    assert!(
        failed.is_empty(),
        "{} of {played}: {failed:#?}",
        failed.len()
    );
    eprintln!("{played} days with a kill, {LETTERS} letters each: none lost, none twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn a_house_with_a_service_is_killed_at_some_points_and_each_letter_goes_one_way_once() {
    let (states, passed) = undisturbed().await;
    let points = all_points();
    assert_all_are_passed(&points, &passed);
    let kills = drawn(&points, &passed, DRAWN, &mut Dice(23));
    play_all(kills, states).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
#[ignore = "takes minutes"]
async fn a_house_with_a_service_is_killed_at_each_point_and_each_letter_goes_one_way_once() {
    let (states, passed) = undisturbed().await;
    let points = all_points();
    assert_all_are_passed(&points, &passed);
    let kills = each(&points, &passed, &mut Dice(29));
    play_all(kills, states).await;
}
