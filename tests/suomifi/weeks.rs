//! A week of a house: messages lie in mailboxes of Suomi.fi and in Maildirs, recipients are told by e-mail, some
//! read, and what nobody reads goes on paper: at the service and at a print house. It is killed in between.
//!
//! - `cargo test --test kuori suomifi::weeks` kills it at one point drawn by a seed.
//! - `cargo test --test kuori suomifi::weeks -- --ignored` kills it at each, before and after.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use kuori::{
    domain::{EmailAddress, RecipientId},
    sample,
    suomifi_stub::{Happening, Route, Selection},
};
use tokio::{sync::Semaphore, task::JoinSet};

use super::{
    crashes,
    mortal::{Kill, Mortal, Passed, assert_all_are_passed, each, sides},
    town::{SENDERS, Town, message_in, spec},
};
use crate::{
    notices::server::{Does, Rules, Server},
    program::{Dice, InHands, files_below},
};

const LETTERS: u32 = 8;
/// Weeks that are played at the same time: mostly they wait.
const AT_ONCE: usize = 3;

const POINTS: [&str; 16] = [
    "commit/record deliveries",
    "commit/begin notices",
    "remote/notices: send",
    "commit/record a notice",
    "commit/record a bounced notice",
    "rename/notices: a bounce is read",
    "commit/record what was read",
    "commit/note a look into mailboxes",
    "commit/record what a mailbox service tells",
    "commit/end timers",
    "commit/queue messages",
    "commit/take messages in hand",
    "remote/courier: send",
    "commit/record what was sent",
    "commit/claim a delivery report",
    "commit/record a delivery report",
];

struct Week {
    house: Mortal,
    mails: Server,
    /// Positions of those with a mailbox, by sender.
    in_mailboxes: [Vec<u32>; 2],
}

/// What is the same in every week.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    /// State and channel of each message, in their order.
    messages: Vec<String>,
    /// What has happened to messages, how often, as the house says.
    events: Vec<String>,
    /// And as the delivery reports do, all together.
    told: BTreeMap<String, usize>,
}

impl Week {
    /// Plays a whole week. Returns what became of it, and whether the kill has come.
    async fn play(kill: Option<Kill>) -> (Self, Outcome, bool) {
        let (is_to_be_killed, point) = (kill.is_some(), kill.as_ref().map(|it| it.point.clone()));
        let mut week = Self::begin(kill).await;
        week.deliver_all().await;
        week.notice_comes_back().await;
        week.read_some().await;
        week.pass_days().await;
        week.tell_senders().await;
        week.house.stop();
        // The house is put in order, as with each start.
        week.house.town.run().await;
        week.house.town.assert_at_rest();
        let read = |position: &u32| position.is_multiple_of(2);
        week.assert_at_service(&read);
        week.assert_at_press(&read);
        week.assert_told_by_mail(point.as_deref());
        let outcome = week.outcome();
        week.assert_told_by_report(&outcome, &read);
        let was_killed = is_to_be_killed && !week.house.is_to_be_killed();
        (week, outcome, was_killed)
    }

    async fn begin(kill: Option<Kill>) -> Self {
        let later = |_: &str, tries| match tries {
            1 => Does::Says("450 4.1.1 later"),
            _ => Does::Takes,
        };
        let mails = Server::start(Rules::that(move |to, tries| match index(to) {
            0 => later(to, tries),
            1 => Does::Says("550 5.1.1 nobody"),
            _ => Does::Takes,
        }));
        let town = town(&mails).await;
        let store = town.store();
        let spec = spec("hospital.zip", LETTERS);
        let recipients = sample::recipients(&spec);
        let people = recipients
            .filter(|it| it.has_mailbox)
            .filter_map(|it| it.id);
        for (index, person) in people.enumerate() {
            let (person, to) = (RecipientId::Person(person), address(index));
            store
                .set_notice_address(&person, Some(&to), None, jiff::Timestamp::now())
                .unwrap();
        }
        drop(store);
        Self {
            house: Mortal::new(town, kill),
            mails,
            in_mailboxes: Default::default(),
        }
    }

    async fn deliver_all(&mut self) {
        for (nth, sender) in SENDERS.into_iter().enumerate() {
            let name = format!("{sender}.zip");
            self.in_mailboxes[nth] = self.house.town.upload(sender, &name, LETTERS);
            self.house
                .until("the batch is there", |house| {
                    house.number("SELECT COUNT(*) FROM batches") == nth as u64 + 1
                })
                .await;
        }
        let mailboxes = self.in_mailboxes.concat().len() as u64;
        self.house
            .until("all messages lie in mailboxes and all are told", |house| {
                house.number("SELECT COUNT(*) FROM messages WHERE state = 'delivered'") == mailboxes
                    && house
                        .number("SELECT COUNT(*) FROM notices WHERE state IN ('due', 'sending')")
                        == 0
                    && house.number("SELECT COUNT(*) FROM notices") > 0
                    && is_at_rest(house)
            })
            .await;
    }

    /// That of the last one who was told.
    async fn notice_comes_back(&mut self) {
        let last = self.in_mailboxes[1].len() - 1;
        let to = address(last);
        let mut mail = self.mails.taken().into_iter();
        let mail = mail.rfind(|mail| mail.to == *to.expose()).unwrap();
        let report = format!(
            "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\
             Content-Type: message/delivery-status\r\n\r\nFinal-Recipient: rfc822; x@example.org\r\n\
             Action: failed\r\nStatus: 5.4.4\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n\
             Message-ID: {}\r\n\r\nhello\r\n--b--\r\n",
            mail.header("Message-ID:")
        );
        let new = self.house.town.path("bounces/new");
        fs::write(new.join("1.a"), report).unwrap();
        self.house
            .until("the bounce is known", |house| {
                let failed = "SELECT COUNT(*) FROM message_events WHERE what = 'notice-failed'";
                house.number(failed) == 2 && fs::read_dir(&new).unwrap().count() == 0
            })
            .await;
    }

    /// Those at even positions read.
    async fn read_some(&mut self) {
        let stub = &self.house.town.stub;
        let accepted = stub.accepted().into_iter();
        let electronic = accepted.filter(|it| it.route == Route::Electronic);
        let even = electronic.filter(|it| message_in(&it.external_id).1.is_multiple_of(2));
        let picked = Selection {
            message_ids: even.map(|it| it.message_id).collect(),
            ..Selection::default()
        };
        let mut read = stub.happen(Happening::Read, &picked).len();
        for file in files_below(&self.house.town.path("mailboxes")) {
            if is_new(&file) && position_in(&file).is_multiple_of(2) {
                fs::rename(&file, as_seen(&file)).unwrap();
                read += 1;
            }
        }
        self.house
            .until("what was read is known", |house| {
                let known = "SELECT COUNT(*) FROM message_events WHERE what = 'read'";
                house.number(known) == read as u64
            })
            .await;
    }

    /// What nobody has read goes on paper.
    async fn pass_days(&mut self) {
        self.set_back(
            "UPDATE timers SET begun_at = begun_at - :days, due_at = due_at - :days,
            look_at = look_at - :days",
        );
        self.house
            .until("what nobody reads is on paper", |house| {
                house.number("SELECT COUNT(*) FROM timers") == 0
                    && house.number("SELECT COUNT(*) FROM mailbox_queue") == 0
                    && house.number("SELECT COUNT(*) FROM outgoing WHERE due_at IS NOT NULL") == 0
                    && is_at_rest(house)
            })
            .await;
    }

    async fn tell_senders(&mut self) {
        self.set_back(
            "UPDATE delivery_reports SET untold_since = untold_since - :days, due_at = 1
            WHERE told < newest",
        );
        self.house
            .until("all that has happened is told", |house| {
                house.number("SELECT COUNT(*) FROM delivery_reports WHERE told < newest") == 0
                    && house.number("SELECT COUNT(*) FROM outgoing WHERE due_at IS NOT NULL") == 0
            })
            .await;
    }

    /// As if ten days had passed, between a stop and a start.
    fn set_back(&mut self, sql: &str) {
        self.house.stop();
        let days: i64 = 10 * 86_400_000;
        let sql = sql.replace(":days", &days.to_string());
        self.house.database().execute(&sql, []).unwrap();
    }

    /// Each letter once by each of its ways.
    fn assert_at_service(&self, is_read: &dyn Fn(&u32) -> bool) {
        let mut taken = BTreeMap::<_, Vec<_>>::new();
        for message in self.house.town.stub.accepted() {
            let (batch, position) = message_in(&message.external_id);
            assert_eq!(batch, 1);
            assert_eq!(
                message.external_id.contains(".post"),
                taken.contains_key(&position)
            );
            taken.entry(position).or_default().push(message.route);
        }
        for position in 1..=LETTERS {
            let routes = taken.remove(&position).unwrap_or_default();
            let due: &[Route] = if !self.in_mailboxes[0].contains(&position) {
                &[Route::Paper]
            } else if is_read(&position) {
                &[Route::Electronic]
            } else {
                &[Route::Electronic, Route::Paper]
            };
            assert_eq!(routes, due, "{position}");
        }
    }

    fn assert_at_press(&self, is_read: &dyn Fn(&u32) -> bool) {
        let town = &self.house.town;
        let hands = InHands::count(&town.path("mailboxes"), &town.path("print-house/pickup"));
        let once = |positions: &mut dyn Iterator<Item = u32>| -> BTreeMap<String, u32> {
            positions
                .map(|position| (format!("B-0002-{position}"), 1))
                .collect()
        };
        let in_mailboxes = &self.in_mailboxes[1];
        assert_eq!(hands.in_mailboxes, once(&mut in_mailboxes.iter().copied()));
        let printed = |position: &u32| !in_mailboxes.contains(position) || !is_read(position);
        let mut printed = (1..=LETTERS).filter(printed);
        assert_eq!(hands.in_piece_lists, once(&mut printed));
    }

    /// Once; where the program ended between the mail server's answer and the row that has it, nobody
    /// can know, and some are told twice: as many as there are connections.
    fn assert_told_by_mail(&self, point: Option<&str>) {
        let mut told = BTreeMap::<_, usize>::new();
        for mail in self.mails.taken() {
            *told.entry(mail.to).or_default() += 1;
        }
        let due: BTreeSet<_> = (0..self.in_mailboxes[1].len())
            .filter(|it| *it != 1)
            .collect();
        let all: BTreeSet<_> = told.keys().map(|to| index(to)).collect();
        assert_eq!(all, due);
        let unsure = ["notices: send", "record a notice"];
        let may_be_twice = point.is_some_and(|it| unsure.iter().any(|word| it.contains(word)));
        let twice: usize = told.values().map(|times| times - 1).sum();
        assert!(twice <= if may_be_twice { 2 } else { 0 }, "{told:?}");
    }

    /// Who has read what, and what goes on paper for want of it.
    fn assert_told_by_report(&self, outcome: &Outcome, is_read: &dyn Fn(&u32) -> bool) {
        for (sender, in_mailboxes) in SENDERS.into_iter().zip(&self.in_mailboxes) {
            let read = in_mailboxes.iter().filter(|it| is_read(it)).count();
            let told = |what: &str| outcome.told.get(&format!("{sender} {what}")).copied();
            assert_eq!(told("read"), Some(read), "{sender}: {:?}", outcome.told);
            let unread = in_mailboxes.len() - read;
            assert_eq!(told("unread"), Some(unread), "{sender}: {:?}", outcome.told);
        }
    }

    fn outcome(&self) -> Outcome {
        let messages = "SELECT state || ' ' || channel FROM messages ORDER BY batch, position";
        let events = "SELECT batch || ' ' || what || ' ' || COUNT(*) FROM message_events
             GROUP BY batch, what ORDER BY 1";
        let mut told = BTreeMap::new();
        for sender in SENDERS {
            for report in self.reports(sender) {
                for event in report.split("<Event what=\"").skip(1) {
                    let what = event.split('"').next().unwrap();
                    *told.entry(format!("{sender} {what}")).or_default() += 1;
                }
            }
        }
        Outcome {
            messages: self.house.texts(messages),
            events: self.house.texts(events),
            told,
        }
    }

    /// Delivery reports, each of them whole.
    fn reports(&self, sender: &str) -> Vec<String> {
        let files = files_below(&self.house.town.path(sender).join("receipts")).into_iter();
        let is_report = |file: &PathBuf| {
            let name = file.file_name().unwrap().to_str().unwrap();
            let ending = file.extension().unwrap_or_default();
            assert_ne!(ending, "part", "{name} is left");
            name.contains(".delivery-") && ending == "xml"
        };
        let reports = files.filter(is_report).map(|file| {
            let text = fs::read_to_string(&file).unwrap();
            assert!(text.trim_end().ends_with('>'), "{} is cut", file.display());
            text
        });
        reports.collect()
    }
}

fn is_at_rest(house: &Mortal) -> bool {
    let at_rest = "SELECT COUNT(*) FROM batches WHERE state = 'reported' AND due_at IS NULL";
    house.number(at_rest) == SENDERS.len() as u64
}

/// The second sender has no service: its messages go into Maildirs, and its paper to a press.
async fn town(mails: &Server) -> Town {
    let town = crashes::town().await;
    fs::create_dir_all(town.path("bounces/new")).unwrap();
    let folder = town.path("");
    let folder = folder.to_str().unwrap().trim_end_matches('/');
    let hospital = "[senders.hospital]\nsuomifi = \"letters\"\nprint_house = \"example-print\"";
    let settings = fs::read_to_string(town.path("kuori.toml")).unwrap();
    assert!(settings.contains(hospital));
    let settings = settings
        .replace(hospital, "[senders.hospital]\nprint_house = \"press\"")
        .replace(
            "hold_first_batch = false",
            "hold_first_batch = false\nprint_if_unread_days = 3",
        );
    let more = format!(
        "[print_houses.press]\n\
         directory = \"{folder}/print-house\"\n\
         [mailbox.maildir]\n\
         folder = \"{folder}/mailboxes\"\n\
         read_look_secs = 1\n\
         [notices]\n\
         host = \"127.0.0.1\"\n\
         port = {}\n\
         tls = \"none\"\n\
         from = \"no-reply@example.fi\"\n\
         rate_per_sec = 500.0\n\
         connections = 2\n\
         first_wait_secs = 1\n\
         longest_wait_secs = 1\n\
         bounces_folder = \"{folder}/bounces\"\n",
        mails.port()
    );
    fs::write(town.path("kuori.toml"), settings + &more).unwrap();
    town
}

fn address(index: usize) -> EmailAddress {
    format!("person-{index:03}@example.org").parse().unwrap()
}

fn index(address: &str) -> usize {
    address.trim_start_matches("person-")[..3].parse().unwrap()
}

fn is_new(file: &Path) -> bool {
    file.parent().is_some_and(|folder| folder.ends_with("new"))
}

/// As a mail program leaves what it has shown.
fn as_seen(file: &Path) -> PathBuf {
    let name = file.file_name().unwrap().to_str().unwrap();
    let mailbox = file.parent().and_then(Path::parent).unwrap();
    mailbox.join("cur").join(format!("{name}:2,S"))
}

fn position_in(file: &Path) -> u32 {
    let text = String::from_utf8_lossy(&fs::read(file).unwrap()).into_owned();
    let id = text
        .lines()
        .find_map(|line| line.strip_prefix("X-Kuori-Message: B-0002-"));
    id.unwrap().trim().parse().unwrap()
}

/// A week without a kill, and how often each point is passed.
async fn undisturbed() -> (Outcome, Passed) {
    let (week, outcome, _) = Week::play(None).await;
    assert!(!outcome.told.is_empty());
    (outcome, week.house.passed())
}

/// Plays a week for each kill, some at a time; all of them end as the undisturbed one.
async fn play_all(kills: Vec<Kill>, undisturbed: Outcome) {
    let (places, undisturbed) = (Arc::new(Semaphore::new(AT_ONCE)), Arc::new(undisturbed));
    let mut weeks = JoinSet::new();
    for kill in kills {
        let (places, undisturbed) = (Arc::clone(&places), Arc::clone(&undisturbed));
        weeks.spawn(async move {
            let _place = places.acquire_owned().await.unwrap();
            let (_, outcome, was_killed) = Week::play(Some(kill.clone())).await;
            assert!(was_killed || kill.pass > 1, "{kill:?} was not reached");
            assert_eq!(outcome, *undisturbed, "{kill:?}");
        });
    }
    let (mut played, mut failed) = (0, Vec::new());
    while let Some(week) = weeks.join_next().await {
        played += 1;
        failed.extend(week.err().map(|error| error.to_string()));
    }
    assert!(
        failed.is_empty(),
        "{} of {played}: {failed:#?}",
        failed.len()
    );
    eprintln!(
        "{played} weeks with a kill: no letter is lost or doubled, nor anything that is told"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn a_week_is_killed_at_a_point_and_everything_is_printed_and_told_once() {
    let points = sides(POINTS);
    let drawn = usize::try_from(Dice(31).below(points.len() as u64)).unwrap();
    let kill = Kill {
        point: points[drawn].clone(),
        pass: 1,
    };
    let (.., was_killed) = Week::play(Some(kill)).await;
    assert!(was_killed, "{} was not reached", points[drawn]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
#[ignore = "takes minutes"]
async fn a_week_is_killed_at_each_point_and_everything_is_printed_and_told_once() {
    let (outcome, passed) = undisturbed().await;
    let points = sides(POINTS);
    assert_all_are_passed(&points, &passed);
    let kills = each(&points, &passed, &mut Dice(37));
    play_all(kills, outcome).await;
}
