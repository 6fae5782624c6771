//! A daemon with all of it on, and its log at its most talkative.

use std::fs;

use jiff::SignedDuration;
use kuori::{
    domain::BatchId,
    sample::{self, Spec},
    store::Store,
    suomifi_stub::{self, Happening, Selection, Stub, Trouble},
};

use super::{
    daemon::{site, told, upload},
    flow::everybody,
    server::{Rules, Server},
};
use crate::{
    hub::now,
    program::{Site, until},
};

const LETTERS: u32 = 6;

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_named_in_the_log_of_a_daemon_with_a_service_notices_and_timers() {
    let stub = Stub::start(suomifi_stub::Settings::default())
        .await
        .unwrap();
    let server = Server::start(Rules::default());
    let site = site(&server, LETTERS);
    add_town(&site, &stub);
    // The one refused is not the one that got no answer: that one would be asked about again.
    stub.trouble(Trouble::status(400).on("/v2/messages").times(1));
    stub.trouble(Trouble::status(503).on("/v2/messages").skip(1).times(1));
    upload(&site);
    let batch = site.path("sampled/batch.zip");
    fs::copy(batch, site.path("town/inbox/batch.zip")).unwrap();
    let daemon = site.start();
    until("all are told by e-mail", || {
        told(&server).len() == LETTERS as usize
    });
    until("the service has all but the one that it refuses", || {
        delivered(&site) == u64::from(LETTERS) * 2 - 1
    });
    let one = Selection {
        message_ids: vec![stub.accepted()[0].message_id],
        ..Selection::default()
    };
    stub.happen(Happening::Acknowledge, &one);
    until("one is confirmed", || timers(&site) == LETTERS - 2);
    daemon.stop();
    let_timers_run_out(&site);
    let daemon = site.start();
    until("the others go on paper", || timers(&site) == 0);
    daemon.stop();
    assert_private(&site);
}

/// Another sender, whose messages go to Suomi.fi and are to be confirmed.
fn add_town(site: &Site, stub: &Stub) {
    let folder = site.path("town");
    for door in ["inbox", "receipts"] {
        fs::create_dir_all(folder.join(door)).unwrap();
    }
    let password = site.path("service.password");
    fs::write(&password, stub.password()).unwrap();
    let mut settings = fs::read_to_string(site.path("kuori.toml")).unwrap();
    let town = format!(
        "[log]\nfilter = \"trace\"\n\
         [suomifi.letters]\nbase_url = \"{}\"\nallows_plain_http = true\n\
         service_id = \"example-service\"\nuser = \"stub\"\npassword_file = \"{}\"\n\
         courier = {{ rate_per_sec = 0.0, first_wait_secs = 1, longest_wait_secs = 1, events_poll_secs = 1 }}\n\
         [senders.town]\nsuomifi = \"letters\"\nservice = \"verifiable\"\n\
         directory = \"{}\"\nprint_house = \"example-print\"\nhold_first_batch = false\n\
         upload = {{ complete_when = \"renamed\" }}\n",
        stub.base_url(),
        password.display(),
        folder.display(),
    );
    settings += &town;
    fs::write(site.path("kuori.toml"), settings).unwrap();
}

fn delivered(site: &Site) -> u64 {
    let store = Store::open(&site.data()).unwrap();
    let counts = [1, 2].map(|batch| store.counts(BatchId(batch)));
    let counts = counts.into_iter().flatten();
    counts.map(|counts| counts.delivered).sum()
}

fn timers(site: &Site) -> u32 {
    let rows = rows(site);
    let number = rows.query_row("SELECT COUNT(*) FROM timers", [], |row| row.get(0));
    number.unwrap()
}

/// As if they had begun two days before they did, with nothing to wait for: a daemon's clock is nobody's
/// to set.
fn let_timers_run_out(site: &Site) {
    let over = now() - SignedDuration::from_hours(48);
    let sql = "UPDATE timers SET due_at = ?1, look_at = ?1";
    let given = [over.as_millisecond()];
    assert!(rows(site).execute(sql, given).unwrap() > 0);
}

fn rows(site: &Site) -> rusqlite::Connection {
    rusqlite::Connection::open(site.data().join("kuori.sqlite")).unwrap()
}

fn assert_private(site: &Site) {
    let mut seen = site.log();
    for line in [
        "status --config kuori.toml",
        "queue list",
        "message show B-0001-2",
        "message show B-0002-2",
        "events B-0001",
        "events B-0002",
        "batch findings B-0001",
        "batch findings B-0002",
        "audit list",
    ] {
        let said = site.kuori(line);
        seen += &(said.out + &said.err);
    }
    assert!(seen.contains("TRACE"), "the log is not the whole one");
    assert!(seen.contains("go on paper"), "no timer has run out");
    for word in belongings(&everybody(LETTERS)) {
        let line = seen.lines().find(|line| line.contains(&word));
        assert_eq!(line, None);
    }
}

/// Identity codes, names, streets and e-mail addresses, and what opens the service's door.
fn belongings(spec: &Spec) -> Vec<String> {
    let of = |recipient: sample::SampleRecipient| {
        let address = recipient.address;
        let id = recipient.id.map(|id| id.expose().to_owned());
        let words = [address.name, address.street].map(|it| it.map(|it| it.expose().clone()));
        id.into_iter().chain(words.into_iter().flatten())
    };
    let mut found: Vec<_> = sample::recipients(spec).flat_map(of).collect();
    found.extend(["person-0", "example.org", "Only-a-stand-in", "Bearer "].map(str::to_owned));
    found
}
