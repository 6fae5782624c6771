use std::{fs, io::Write, path::Path};

use super::*;
use crate::{
    domain::{PostageClass, PostageCode},
    print::{Destination, PostageRule},
    receipts::Format,
};

mod pages;

const PRODUCTION: &str = include_str!("../../samples/config/production.toml");

/// What an operator sees, a line a problem.
fn wrong(text: &str) -> String {
    match parse(text) {
        Ok(_) => "nothing is wrong".to_owned(),
        Err(problems) => {
            let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
            lines.join("\n")
        }
    }
}

#[test]
fn the_samples_are_valid() {
    assert_eq!(wrong(DEMO), "nothing is wrong");
    assert_eq!(wrong(PRODUCTION), "nothing is wrong");
}

/// Holds a committed file to what the code says. `KUORI_BLESS=1 cargo test config::` writes it.
fn check_committed(path: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("KUORI_BLESS").is_some() {
        let mut file = fs::File::create(&path).unwrap();
        file.write_all(expected.as_bytes()).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == expected,
        "{} is not what the code says; run `KUORI_BLESS=1 cargo test config::`",
        path.display()
    );
}

#[test]
fn the_committed_schema_is_that_of_the_code() {
    let schema = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    check_committed("schemas/settings.schema.json", &schema);
}

#[test]
fn the_committed_reference_is_that_of_the_schema() {
    check_committed("docs/settings.md", &reference());
}

/// The same as the demo, with nothing written that is a default anyway. Its first batch goes through
/// at once, so that it shows the whole flow, and its artificial codes are accepted, since samples
/// have no others.
const SHORT: &str = r#"
[senders.example-city]
display_name = "Example City"
address_rows = ["Example City", "PL 1", "00099 EXAMPLE CITY"]
print_house = "example-print"
hold_first_batch = false
artificial_ids = "accept"

[print_houses.example-print]
"#;

#[test]
fn the_demo_writes_out_the_defaults_of_the_rooms() {
    let demo = parse(DEMO).unwrap();
    assert_eq!(
        format!("{demo:#?}"),
        format!("{:#?}", parse(SHORT).unwrap())
    );
    let embedded = Config::embedded("kuori-data".into());
    assert_eq!(format!("{demo:#?}"), format!("{embedded:#?}"));
}

#[test]
fn the_embedded_settings_keep_everything_in_the_given_folder() {
    let config = Config::embedded("/tmp/here".into());
    let MailboxConfig::Maildir { folder } = &config.mailbox;
    assert_eq!(folder, Path::new("/tmp/here/mailboxes"));
    let server = config.server.as_ref().unwrap();
    assert_eq!(server.settings.root, Path::new("/tmp/here/sftp"));
    let accounts = config.accounts();
    let names: Vec<_> = accounts.iter().map(|account| &account.name).collect();
    assert_eq!(names, ["example-city", "example-print"]);
}

#[test]
fn an_account_has_the_keys_and_the_bounds_of_its_table() {
    let text = r#"
[senders.a.account]
public_keys = ["ssh-ed25519 AAAAC3Nz a"]
allowed_addresses = ["192.0.2.7", "2001:db8::/32"]
quota_files = 10
[senders.b]
directory = "/srv/b"
[print_houses.p]
"#;
    let accounts = parse(text).unwrap().accounts();
    insta::assert_debug_snapshot!(accounts, @r#"
    [
        Account {
            name: "a",
            role: Sender,
            public_keys: [
                "ssh-ed25519 AAAAC3Nz a",
            ],
            password_hash: None,
            allowed_addresses: [
                192.0.2.7/32,
                2001:db8::/32,
            ],
            allows_sha1_rsa: false,
            quota_bytes: None,
            quota_files: Some(
                10,
            ),
            max_bytes_per_sec: None,
        },
        Account {
            name: "p",
            role: PrintHouse,
            public_keys: [],
            password_hash: None,
            allowed_addresses: [],
            allows_sha1_rsa: false,
            quota_bytes: None,
            quota_files: None,
            max_bytes_per_sec: None,
        },
    ]
    "#);
}

/// Every key that the schema knows, without the names of tables.
fn known_keys(schema: &serde_json::Value, keys: &mut Vec<String>) {
    if let Some(properties) = schema.get("properties").and_then(|p| p.as_object()) {
        keys.extend(properties.keys().cloned());
    }
    let inner = schema
        .as_object()
        .into_iter()
        .flat_map(|schema| schema.values());
    inner.for_each(|schema| known_keys(schema, keys));
}

#[test]
fn the_demo_explains_every_key() {
    let mut keys = Vec::new();
    known_keys(&schema(), &mut keys);
    assert!(keys.len() > 80, "{}", keys.len());
    let is_written = |key: &String| {
        let starts = |line: &str| {
            line.trim_start_matches("# ")
                .starts_with(&format!("{key} = "))
        };
        let heads = |line: &str| line.contains('[') && line.contains(key.as_str());
        DEMO.lines().any(|line| starts(line) || heads(line))
    };
    let missing: Vec<_> = keys.iter().filter(|key| !is_written(key)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_slip_in_any_key_is_found_with_its_line_and_its_right_name() {
    let lines: Vec<_> = DEMO.lines().collect();
    for (index, line) in lines.iter().enumerate() {
        let Some((key, value)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) else {
            continue;
        };
        let slip = format!("{key}x = {value}");
        let mut lines = lines.clone();
        lines[index] = &slip;
        let problems = parse(&lines.join("\n")).unwrap_err();
        let found = |problem: &Problem| {
            problem.line == Some(index + 1) && problem.suggestion.as_deref() == Some(key)
        };
        assert!(problems.iter().any(found), "{line}: {problems:?}");
    }
}

#[test]
fn a_value_of_a_wrong_kind_is_one_problem_and_no_more() {
    let lines: Vec<_> = DEMO.lines().collect();
    for (index, line) in lines.iter().enumerate() {
        let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) else {
            continue;
        };
        let slip = format!("{key} = 1979-05-27");
        let mut lines = lines.clone();
        lines[index] = &slip;
        let problems = parse(&lines.join("\n")).unwrap_err();
        assert_eq!(problems.len(), 1, "{line}: {problems:?}");
        assert_eq!(problems[0].line, Some(index + 1), "{line}");
    }
}

#[test]
fn the_production_sample_says_what_it_says() {
    let config = parse(PRODUCTION).unwrap();
    assert!(config.server.is_none());
    assert!(config.accounts().is_empty());
    let [city, hospital] = config.senders.as_slice() else {
        panic!("two senders");
    };
    let FolderConfig::Directory(path) = &city.folder else {
        panic!("a directory");
    };
    assert_eq!(path, Path::new("/srv/sftp/example-city"));
    assert_eq!(city.inbox.unfinished_endings.last().unwrap(), ".uploading");
    let FolderConfig::Sftp(sftp) = &hospital.folder else {
        panic!("an SFTP server");
    };
    assert_eq!((sftp.port, sftp.in_flight), (22, 64));
    assert_eq!(hospital.settings.batch.limits.max_zip_bytes, 1 << 30);
    assert_eq!(hospital.settings.gate, crate::pipeline::Gate::AllOrNothing);
    let second = &config.print_houses[1].settings.print;
    assert_eq!(second.envelopes.len(), 2);
    assert_eq!(second.pdf_version, crate::print::PdfVersion::Pdf20);
}

#[test]
fn a_print_house_has_omr_lines_only_where_a_table_says_so() {
    let marks = |table: &str| {
        let config = parse(&format!("[senders.a]\n[print_houses.p.marks{table}]")).unwrap();
        config.print_houses[0].settings.print.marks.clone()
    };
    assert_eq!(marks("]\n#"), crate::print::MarkSettings::default());
    assert_eq!(
        marks(".omr").omr,
        Some(crate::print::OmrSettings::default())
    );
    let lines =
        marks(".omr]\nsequence = 'from-1'\nlines = ['start', 'not-end-of-set', 'sequence-4']#");
    let lines = lines.omr.unwrap();
    assert_eq!(lines.sequence, crate::print::OmrSequence::From1);
    let names: Vec<_> = lines.lines.iter().map(|line| line.as_str()).collect();
    assert_eq!(names, ["start", "not-end-of-set", "sequence-4"]);
}

#[test]
fn omr_lines_that_no_machine_could_read_are_told() {
    let with = |keys: &str| wrong(&format!("[senders.a]\n[print_houses.p.marks.omr]\n{keys}"));
    let told = [
        "lines = []",
        "lines = ['parity', 'parity']",
        "lines = ['strat']",
        "pitch_mm = 0.5",
    ]
    .map(with);
    insta::assert_snapshot!(told.join("\n"), @r#"
    line 3: `print_houses.p.marks.omr.lines` must not be empty
    line 3: `print_houses.p.marks.omr.lines` has more than one `parity`
    line 3: `print_houses.p.marks.omr.lines[1]` must be `start` or `safety` or `retiming` or `end-of-set` or `not-end-of-set` or `begin-of-set` or `not-begin-of-set` or `sequence-4` or `sequence-2` or `sequence-1` or `parity` or `insert-on-first` or `insert-on-last` or `blank`, not "strat"; did you mean `start`?
    line 3: `print_houses.p.marks.omr.pitch_mm` must be more than `thickness_mm`, or lines run together
    "#);
}

/// A word of the settings is that of the job ticket.
#[test]
fn omr_lines_have_one_name_everywhere() {
    let schema = serde_json::to_string(&schema()).unwrap();
    let ticket = include_str!("../../schemas/job-ticket.xsd");
    for line in crate::print::OmrLine::ALL {
        let name = line.as_str();
        assert!(schema.contains(&format!("\"{name}\"")), "{name}");
        assert!(
            ticket.contains(&format!("<xs:enumeration value=\"{name}\"/>")),
            "{name}"
        );
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let text = r#"
poll_interval_sec = 5
[log]
format = "jsn"
[server]
listen = "localhost"
[senders.example-city]
gate = "all"
duplex = "yes"
print_house = "exmple-print"
[senders.example-city.limits]
max_zip_bytes = 0
max_ratio = 1.5
[senders.Example_Town]
[print_houses.example-print]
envelopes = []
[print_house.other]
"#;
    insta::assert_snapshot!(wrong(text), @r#"
    line 2: `poll_interval_sec` is not a known key; did you mean `poll_interval_secs`?
    line 4: `log.format` must be `text` or `json`, not "jsn"; did you mean `json`?
    line 6: `server.listen` must be an address and a port such as `127.0.0.1:2222`
    line 8: `senders.example-city.gate` must be `partial` or `all-or-nothing`, not "all"; did you mean `all-or-nothing`?
    line 9: `senders.example-city.duplex` must be `true` or `false`, not text
    line 10: `senders.example-city.print_house` names the print house "exmple-print", which is not set up; did you mean `example-print`?
    line 12: `senders.example-city.limits.max_zip_bytes` must be at least 1, not 0
    line 13: `senders.example-city.limits.max_ratio` must be a whole number, not a number with a fraction
    line 14: `senders.Example_Town` must have a name of 1 to 40 of a-z, 0-9 and `-`, as `example-city`; did you mean `example-town`?
    line 16: `print_houses.example-print.envelopes` must not be empty
    line 17: `print_house` is not a known key; did you mean `print_houses`?
    "#);
}

#[test]
fn every_inbox_of_a_sender_has_settings_of_its_own() {
    let text = r#"
poll_interval_secs = 7
[senders.a]
[[senders.a.inboxes]]
name = "portal"
directory = "/srv/portal"
folder = ""
upload = { taking = "read-only", poll_interval_secs = 60 }
[[senders.a.inboxes]]
name = "second"
directory = "/srv/second"
upload = { done_folder = "done", done_keep_days = 9 }
"#;
    let config = parse(text).unwrap();
    let sender = &config.senders[0];
    let further = &sender.further_inboxes;
    let places = [&sender.inbox, &further[0].settings, &further[1].settings];
    let told = places.map(|inbox| {
        (
            &*inbox.place,
            inbox.folder.as_str(),
            inbox.poll_interval_secs,
        )
    });
    let expected = [
        ("a", "inbox", 7),
        ("a/portal", "", 60),
        ("a/second", "inbox", 7),
    ];
    assert_eq!(told, expected);
    let ways = places.map(|inbox| inbox.way.clone());
    insta::assert_snapshot!(format!("{ways:?}"), @r#"[Claim { afterwards: Remove }, ReadOnly { forget_days: 30 }, Claim { afterwards: Keep { folder: RemotePath("done"), keep_days: Some(9) } }]"#);
}

#[test]
fn inboxes_that_cannot_be_are_told() {
    let text = r#"
[senders.a.upload]
taking = "read-only"
done_folder = "done"
[senders.b.upload]
done_folder = "inbox"
forget_days = 3
take_names = []
[senders.c.upload]
done_keep_days = 3
[[senders.c.inboxes]]
name = "No Name"
directory = "/srv/c1"
[[senders.c.inboxes]]
name = "x"
[[senders.c.inboxes]]
name = "x"
directory = "/srv/c2"
folder = "../c"
[[senders.c.inboxes]]
name = "y"
directory = "/srv/c3"
[[senders.c.inboxes]]
name = "y"
directory = "/srv/c3/y"
folder = "in"
upload = { done_folder = "in" }
[senders.d]
directory = "/srv/c3"
"#;
    insta::assert_snapshot!(wrong(text), @r#"
    line 4: `senders.a.upload.done_folder` has no effect with `taking = "read-only"`
    line 6: `senders.b.upload.done_folder` must be a folder of its own, such as `done`
    line 7: `senders.b.upload.forget_days` has no effect without `taking = "read-only"`
    line 8: `senders.b.upload.take_names` must not be empty
    line 10: `senders.c.upload.done_keep_days` has no effect without `done_folder`
    line 12: `senders.c.inboxes[1].name` must have a name of 1 to 40 of a-z, 0-9 and `-`, as `portal`; did you mean `no-name`?
    line 14: `senders.c.inboxes[2]` needs `directory` or `sftp`
    line 19: `senders.c.inboxes[3].folder` must be a path below that of the place, such as `out/letters`
    line 24: `senders.c.inboxes[5].name` repeats the name "y"
    line 27: `senders.c.inboxes[5].upload.done_folder` must be a folder of its own, such as `done`
    line 29: `senders.d.directory` overlaps with the folder of `senders.c.inboxes[4].directory`
    "#);
}

#[test]
fn a_place_is_given_in_one_way_and_in_full() {
    let text = r#"
[senders.a.sftp]
host = "sftp.a.example"
password = "hunter2"
fingerprints = ["MD5:00"]
[senders.b]
directory = "/srv/b"
[senders.b.account]
public_keys = []
[senders.c.account]
public_keys = ["-----BEGIN OPENSSH PRIVATE KEY-----", "from=\"*\" ssh-ed25519 AAAA", "ssh-ed25519 AAAA c"]
[senders.d.sftp]
host = "sftp.d.example"
user = "kuori"
key_file = "d.key"
password_file = "d.password"
agent = true
passphrase_file = "d.pass"
known_hosts_file = "known_hosts"
fingerprints = []
[senders.e.account]
allowed_addresses = ["192.0.2.0/33", "::1", "city.example"]
"#;
    let told = wrong(text);
    assert!(!told.contains("hunter2"));
    insta::assert_snapshot!(told, @r#"
    line 2: `senders.a.sftp` needs `key_file`, `agent = true` or `password_file`
    line 2: `senders.a.sftp.user` is missing
    line 4: `senders.a.sftp.password` is not a known key; did you mean `password_file`?
    line 5: `senders.a.sftp.fingerprints[1]` must be `SHA256:` and 43 characters, as `ssh-keygen -l` prints it
    line 7: `senders.b.directory` is given beside `account`; keep one of the two
    line 11: `senders.c.account.public_keys[1]` is a private key; it belongs to the sender alone, and its `.pub` file here
    line 11: `senders.c.account.public_keys[2]` must be a public key such as `ssh-ed25519 AAAA…`, without options
    line 18: `senders.d.sftp.passphrase_file` is of use only beside `key_file`, and without `agent`
    line 22: `senders.e.account.allowed_addresses[1]` must be an address or a network such as `192.0.2.7` or `2001:db8::/32`
    line 22: `senders.e.account.allowed_addresses[3]` must be an address or a network such as `192.0.2.7` or `2001:db8::/32`
    "#);
}

#[test]
fn ways_of_logging_in_are_tried_in_order() {
    use crate::transport::Login;
    let login = |keys: &str| {
        let text = format!("data_folder = '/d'\n[senders.a.sftp]\nhost = 'h'\nuser = 'u'\n{keys}");
        let config = parse(&text).unwrap();
        let FolderConfig::Sftp(sftp) = config.senders[0].folder.clone() else {
            panic!("an SFTP server");
        };
        sftp.login
    };
    let path = |name: &str| Path::new(name).to_owned();
    let key = Login::Key(path("/k"));
    assert_eq!(login("key_file = '/k'"), key);
    let password = Login::PasswordFile(path("/p"));
    assert_eq!(
        login("key_file = '/k'\npassword_file = '/p'"),
        Login::InOrder(vec![key, password])
    );
    assert_eq!(
        login("key_file = '/k'\npassphrase_file = '/s'"),
        Login::EncryptedKey {
            key: path("/k"),
            passphrase: path("/s")
        }
    );
    assert_eq!(login("agent = true"), Login::Agent { public_key: None });
    assert_eq!(
        login("agent = true\nkey_file = '/k'"),
        Login::Agent {
            public_key: Some(path("/k.pub"))
        }
    );
}

#[test]
fn folders_that_would_mix_files_are_refused() {
    let text = r#"
data_folder = "/var/lib/kuori"
[senders.a]
directory = "/srv/a"
[senders.b]
directory = "/srv/a/../a/b"
[senders.c]
directory = "sftp/d"
[senders.e]
directory = "/var"
[senders.ab]
directory = "/srv/ab"
[senders.f]
[print_houses.f]
[senders.g.sftp]
host = "sftp.example"
user = "kuori"
key_file = "key"
folder = "out"
[print_houses.h.sftp]
host = "SFTP.example"
user = "kuori"
key_file = "key"
folder = "out/pickup"
"#;
    insta::assert_snapshot!(wrong(text), @r#"
    line 6: `senders.b.directory` overlaps with the folder of `senders.a.directory`
    line 8: `senders.c.directory` overlaps with the folder of `server.accounts_folder`
    line 10: `senders.e.directory` overlaps with the folder of `data_folder`
    line 14: `print_houses.f` has the same account as `senders.f`
    line 20: `print_houses.h.sftp` overlaps with the folder of `senders.g.sftp`
    "#);
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let text = r#"
[server]
enabled = false
[runner]
first_wait_secs = 60
longest_wait_secs = 30
[senders.a]
[senders.b]
directory = "b"
[senders.b.upload]
complete_when = "marker"
settle_secs = 10
unfinished_endings = [".ZIP", ".up"]
[senders.b.routing]
incomplete_address = "use-senders-address"
[print_houses.p]
directory = "p"
[[print_houses.p.envelopes]]
name = "C4"
max_sheets = 60
centigrams = 1_800
[[print_houses.p.envelopes]]
name = "C4"
max_sheets = 9
centigrams = 700
[[print_houses.p.envelopes]]
name = "box"
sheets = 500
[[print_houses.p.postage]]
class = "economy"
destination = "domestic"
max_grams = 50
code = "E-50"
[[print_houses.p.postage]]
class = "economy"
destination = "foreign"
max_grams = 50
code = "EX-50"
[[print_houses.p.postage]]
class = "economy"
destination = "domestic"
max_grams = 50
code = "E-250"
[[print_houses.p.postage]]
class = "slow"
destination = "domestic"
max_grams = 0
"#;
    insta::assert_snapshot!(wrong(text), @r#"
    line 6: `runner.longest_wait_secs` must be at least `first_wait_secs`, 60
    line 7: `senders.a` needs `directory` or `sftp`, as `server.enabled` is false
    line 12: `senders.b.upload.settle_secs` has no effect unless `complete_when` is `settled`
    line 13: `senders.b.upload.unfinished_endings[1]` would leave every ZIP untaken
    line 15: `senders.b.routing.incomplete_address` needs the sender's `address_rows`
    line 23: `print_houses.p.envelopes[2].name` repeats the name "C4"
    line 24: `print_houses.p.envelopes[2].max_sheets` must hold more sheets than the envelope before it
    line 26: `print_houses.p.envelopes[3].centigrams` is missing
    line 26: `print_houses.p.envelopes[3].max_sheets` is missing
    line 28: `print_houses.p.envelopes[3].sheets` is not a known key
    line 42: `print_houses.p.postage[3].max_grams` must be more than in the row before it of this class and destination
    line 44: `print_houses.p.postage[4].code` is missing
    line 45: `print_houses.p.postage[4].class` must be `priority` or `economy`, not "slow"
    line 47: `print_houses.p.postage[4].max_grams` must be at least 1, not 0
    "#);
}

#[test]
fn the_tables_and_limits_of_a_print_house_are_read() {
    let text = r#"
[print_houses.p]
directory = "p"
max_bundle_sheets = 25_000
household_max_sheets = 9
grey_saves = true
[[print_houses.p.envelopes]]
name = "C5"
max_sheets = 9
centigrams = 700
max_grams = 100
[[print_houses.p.postage]]
class = "priority"
destination = "foreign"
max_grams = 50
code = "PX-50"
"#;
    let config = parse(&format!(
        "{text}\n[senders.a]\ndirectory = \"a\"\nhousehold = true\n"
    ));
    let config = config.unwrap();
    assert!(config.senders[0].settings.household);
    let print = &config.print_houses[0].settings.print;
    assert_eq!(print.max_bundle_sheets, Some(25_000));
    assert_eq!(print.household_max_sheets, Some(9));
    assert!(print.grey_saves);
    assert_eq!(print.envelopes[0].max_grams, Some(100));
    let row = PostageRule {
        class: PostageClass::Priority,
        destination: Destination::Foreign,
        max_grams: 50,
        code: PostageCode("PX-50".to_owned()),
    };
    assert_eq!(print.postage, [row]);
}

#[test]
fn a_time_zone_that_nobody_knows_and_a_sender_without_a_format_are_refused() {
    let text = r#"
time_zone = "Europe/Helsingfors"
[senders.a]
receipt_formats = []
delivery_report_hour = 24
[senders.b]
receipt_formats = ["csv", "xlm"]
"#;
    insta::assert_snapshot!(wrong(text), @r#"
    line 2: `time_zone` names the time zone "Europe/Helsingfors", which nobody knows; write it as `Europe/Helsinki`
    line 4: `senders.a.receipt_formats` must not be empty
    line 5: `senders.a.delivery_report_hour` must be at most 23, not 24
    line 7: `senders.b.receipt_formats[2]` must be `xml` or `csv` or `json`, not "xlm"; did you mean `xml`?
    "#);
}

#[test]
fn the_forms_of_receipts_are_read_in_their_order_and_each_once() {
    let text = "[senders.a]\nreceipt_formats = [\"json\", \"xml\", \"json\"]\n";
    let formats = &parse(text).unwrap().senders[0].settings.receipts.formats;
    assert_eq!(*formats, [Format::Json, Format::Xml]);
}

#[test]
fn a_text_that_is_not_toml_is_refused_without_repeating_it() {
    let told = wrong("[senders.a]\ngate = secret\nduplex = = true\n");
    assert!(!told.contains("secret"));
    insta::assert_snapshot!(told, @r#"
    line 2: string values must be quoted, expected literal string
    line 3: extra `=`, expected nothing
    line 3: unexpected key or value, expected newline, `#`
    "#);
}

#[test]
fn an_empty_file_has_no_sender() {
    insta::assert_snapshot!(wrong(""), @r#"
    `senders` has no sender; set up at least one
    "#);
}

#[test]
fn a_value_is_held_to_its_bounds_and_may_reach_them() {
    let with = |line: &str| wrong(&format!("[senders.a]\n{line}\n"));
    let marked = |line: &str| with(&format!("[print_houses.p.marks]\n{line}"));
    assert_eq!(with("limits.max_nesting = 255"), "nothing is wrong");
    for fine in ["x_mm = 210", "x_mm = 0.0"] {
        assert_eq!(marked(fine), "nothing is wrong", "{fine}");
    }
    let told = ["x_mm = 210.1", "x_mm = nan"].map(marked);
    insta::assert_snapshot!(told.join("\n"), @r"
    line 3: `print_houses.p.marks.x_mm` must be at most 210, not 210.1
    line 3: `print_houses.p.marks.x_mm` must be a finite number
    ");
    let beyond = [
        "limits.max_nesting = 256",
        "limits.max_nesting = -1",
        "limits.max_entries = 0",
        "limits.max_messages = 4_294_967_296",
        "limits.max_messages = 99999999999999999999",
        "address_rows = ['1', '2', '3', '4', '5']",
        "display_name = ''",
    ];
    insta::assert_snapshot!(beyond.map(with).join("\n"), @r#"
    line 2: `senders.a.limits.max_nesting` must be at most 255, not 256
    line 2: `senders.a.limits.max_nesting` must be at least 0, not -1
    line 2: `senders.a.limits.max_entries` must be at least 1, not 0
    line 2: `senders.a.limits.max_messages` must be at most 4294967295, not 4294967296
    line 2: `senders.a.limits.max_messages` is out of range
    line 2: `senders.a.address_rows` must have at most 4 elements, not 5
    line 2: `senders.a.display_name` must not be empty
    "#);
}

#[test]
fn what_follows_from_a_wrong_value_is_not_told_as_well() {
    let text = r#"
[senders.a]
print_house = "p"
upload.unfinished_endings = [5, ".zip"]
[senders.a.sftp]
host = 5
user = "kuori"
key_file = true
[print_houses]
p = 1
"#;
    insta::assert_snapshot!(wrong(text), @r#"
    line 4: `senders.a.upload.unfinished_endings[1]` must be text in quotes, not a whole number
    line 6: `senders.a.sftp.host` must be text in quotes, not a whole number
    line 8: `senders.a.sftp.key_file` must be text in quotes, not `true` or `false`
    line 10: `print_houses.p` must be a table, not a whole number
    "#);
}

#[test]
fn the_gate_is_set_within_its_bounds() {
    let sender = |line: &str| format!("[senders.a]\ndirectory = \"/srv/a\"\n{line}\n");
    let holds = |line: &str| parse(&sender(line)).unwrap().senders[0].settings.holds;
    assert_eq!(holds(""), crate::pipeline::HoldPolicy::default());
    assert_eq!(holds("hold_above_error_percent = 0").above_error_percent, 0);
    assert_eq!(
        holds("hold_above_error_percent = 100").above_error_percent,
        100
    );
    assert_eq!(holds("hold_above_letters = 1").above_letters, Some(1));
    for line in [
        "hold_above_error_percent = 101",
        "hold_above_error_percent = -1",
        "hold_above_letters = 0",
        "duplicate_letter_ids = \"warn\"",
    ] {
        assert_eq!(parse(&sender(line)).unwrap_err().len(), 1, "{line}");
    }
}
