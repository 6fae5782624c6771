use std::{fs, io::Write, path::Path};

use super::*;
use crate::{
    domain::{PostageClass, PostageCode},
    print::{Destination, PostageRule},
    receipts::Format,
};

mod committed;
mod consent_feeds;
mod doors;
mod pages;
mod print_houses;
mod printing_services;
mod services;

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
