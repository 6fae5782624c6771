//! The real program: it is killed while it tells, keeps quiet about addresses, and can be tried.

use std::{collections::BTreeMap, fs};

use kuori::{domain::Language, store::Store};

use super::{
    flow::{address, all, everybody, people},
    server::{Does, Rules, Server},
};
use crate::{
    hub::now,
    program::{Site, until},
};

/// A site that tells its recipients through this server, and has letters to as many of them.
pub(super) fn site(server: &Server, letters: u32) -> Site {
    let site = Site::new();
    let mut settings = fs::read_to_string(site.path("kuori.toml")).unwrap();
    let notices = format!(
        "[notices]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nfrom = \"no-reply@example.fi\"\n\
         rate_per_sec = 500.0\nconnections = 2\nfirst_wait_secs = 1\nlongest_wait_secs = 1\n",
        server.port()
    );
    settings += &notices;
    fs::write(site.path("kuori.toml"), settings).unwrap();
    let spec = everybody(letters);
    site.sample(
        "batch.zip",
        &format!("--letters {letters} --seed {} --digital-share 1", spec.seed),
    );
    let store = Store::open(&site.data()).unwrap();
    for (index, person) in people(&spec).iter().enumerate() {
        let (to, language) = (address(index), Some(Language::Finnish));
        store
            .set_notice_address(person, Some(&to), language, now())
            .unwrap();
    }
    site
}

pub(super) fn upload(site: &Site) {
    site.upload(&site.path("sampled/batch.zip"));
}

/// How often each recipient was told.
pub(super) fn told(server: &Server) -> BTreeMap<String, usize> {
    let mut told = BTreeMap::new();
    for mail in server.taken() {
        *told.entry(mail.to).or_default() += 1;
    }
    told
}

/// Where it is killed, and how many may be told twice.
const KILLS: [(&str, usize); 9] = [
    // One a connection: the server has taken what no row tells of.
    ("remote/notices: send/after", 2),
    ("commit/begin notices/after", 0),
    ("commit/resume notices/after", 0),
    ("commit/begin notices/before", 0),
    ("remote/notices: send/before", 2),
    ("commit/record a notice/before", 2),
    ("commit/record a notice/after", 2),
    ("commit/record deliveries/before", 0),
    ("commit/record deliveries/after", 0),
];

#[test]
fn killed_at_some_steps_of_a_notice_it_tells_everybody_and_hardly_anybody_twice() {
    kill_at(&KILLS[..3]);
}

#[test]
#[ignore = "takes a minute"]
fn killed_at_the_other_steps_of_a_notice_it_tells_everybody_and_hardly_anybody_twice() {
    kill_at(&KILLS[3..]);
}

fn kill_at(kills: &[(&str, usize)]) {
    for &(point, most_twice) in kills {
        let server = Server::start(Rules::default());
        let site = site(&server, 8);
        upload(&site);
        let mut dying = site.command("run --config kuori.toml");
        let pass = if point.contains("send") || point.contains("record a notice") {
            4
        } else {
            1
        };
        let ended = dying
            .env("KUORI_CRASH_AT", format!("{point}#{pass}"))
            .output()
            .unwrap();
        assert_eq!(ended.status.code(), None, "{point}: {ended:?}");
        let daemon = site.start();
        until("all are told", || told(&server).len() == 8);
        until("all of it is recorded", || {
            let store = Store::open(&site.data()).unwrap();
            let notices = store.status(now()).unwrap().notices;
            notices.waiting.count == 0
        });
        daemon.stop();
        let twice: usize = told(&server).values().map(|times| times - 1).sum();
        assert!(twice <= most_twice, "{point}: {twice} twice");
        let ids = |to: &str| {
            let taken = server.taken();
            let of = taken.iter().filter(|mail| mail.to == to);
            of.map(|mail| mail.text.clone()).collect::<Vec<_>>()
        };
        for to in all(8) {
            let texts = ids(&to);
            assert!(
                texts.iter().all(|text| *text == texts[0]),
                "{point}: another mail"
            );
        }
    }
}

#[test]
fn no_address_is_in_a_log_a_receipt_or_on_a_screen() {
    let server = Server::start(Rules::that(|to, tries| match (to, tries) {
        ("person-001@example.org", _) => Does::Says("550 5.1.1 <person-001@example.org> unknown"),
        ("person-002@example.org", 1) => Does::Says("450 4.1.1 <person-002@example.org> later"),
        ("person-003@example.org", 1) => Does::BreaksOff,
        ("person-004@example.org", 1) => Does::Says("554 5.7.1 <person-004@example.org> no"),
        _ => Does::Takes,
    }));
    let site = site(&server, 6);
    let mut settings = fs::read_to_string(site.path("kuori.toml")).unwrap();
    settings += "[log]\nfilter = \"trace\"\n";
    fs::write(site.path("kuori.toml"), settings).unwrap();
    upload(&site);
    let daemon = site.start();
    until("all but one are told", || told(&server).len() == 5);
    until("it is recorded that the one was not", || {
        let store = Store::open(&site.data()).unwrap();
        let notices = store.status(now()).unwrap().notices;
        notices.failed == 1 && notices.waiting.count == 0
    });
    let mut seen = site.log();
    for line in [
        "status --config kuori.toml",
        "events B-0001-2",
        "message show B-0001-2",
        "audit list",
    ] {
        let said = site.kuori(line);
        seen += &(said.out + &said.err);
    }
    daemon.stop();
    for file in site.files("sender/receipts") {
        seen += &fs::read_to_string(file).unwrap();
    }
    assert!(
        seen.contains("a notice did not go"),
        "the log is not the whole one"
    );
    for word in ["person-0", "example.org"] {
        let line = seen.lines().find(|line| line.contains(word));
        assert_eq!(line, None);
    }
}

#[test]
fn the_mail_server_can_be_tried() {
    let server = Server::start(Rules::default());
    let site = site(&server, 1);
    let said = site.done("notices check");
    assert!(said.out.contains("lets us in"), "{said:?}");
    assert_eq!(server.taken().len(), 0);
    let said = site.done("notices check --to maija@example.org");
    assert!(said.out.contains("the mail was taken"), "{said:?}");
    assert_eq!(
        told(&server),
        BTreeMap::from([("maija@example.org".to_owned(), 1)])
    );
    let json = site.json("notices check");
    assert_eq!(json["server"], format!("127.0.0.1:{}", server.port()));
    drop(server);
    let said = site.kuori("notices check --to maija@example.org");
    assert_eq!(said.code, Some(3));
    assert!(
        said.out.contains("cannot reach the mail server"),
        "{said:?}"
    );
    assert!(!said.out.contains("maija"), "{said:?}");
}

#[test]
fn a_command_that_takes_one_batch_tells_its_recipients_too() {
    let server = Server::start(Rules::default());
    let site = site(&server, 3);
    site.done("process sampled/batch.zip --config kuori.toml --sender example-city");
    assert_eq!(told(&server).len(), 3);
}
