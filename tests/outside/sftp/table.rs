//! Which client is tried with what, as senders read it.

use std::fmt::Write;

use super::{curl, java, lftp, node, openssh, putty, python, rclone};
use crate::committed::in_repository;

/// What one client is tried with.
pub(crate) struct Row {
    pub(crate) client: &'static str,
    pub(crate) deeds: &'static [&'static str],
    pub(crate) says_why: fn() -> bool,
}

const ROWS: [Row; 11] = [
    openssh::sftp::ROW,
    openssh::scp::ROW,
    putty::psftp::ROW,
    lftp::lftp::ROW,
    rclone::rclone::ROW,
    curl::curl::ROW,
    python::paramiko::ROW,
    python::asyncssh::ROW,
    node::ssh2::ROW,
    node::sftp_client::ROW,
    java::jsch::ROW,
];

/// Deeds that not every client can do.
const COLUMNS: [(&str, &str); 4] = [
    (
        "uploads_under_a_temporary_name_and_renames",
        "temporary name, then rename",
    ),
    ("goes_on_with_a_broken_upload", "resumes an upload"),
    ("goes_on_with_a_broken_download", "resumes a download"),
    ("sets_times_and_modes", "sets times"),
];

/// What every client has done.
const BY_ALL: [&str; 8] = [
    "carries_a_hundred_megabytes_both_ways",
    "carries_a_thousand_small_files_both_ways",
    "keeps_odd_names",
    "leaves_nothing_to_take_when_it_is_killed",
    "hears_that_a_name_is_taken",
    "hears_what_it_may_not_do",
    "hears_that_its_quota_is_full",
    "hears_that_the_disk_is_full",
];

#[test]
fn the_senders_guide_has_the_table_of_the_clients_that_were_tried() {
    let path = "docs/sender-guide.md";
    let guide = std::fs::read_to_string(in_repository(path)).unwrap();
    let table = table();
    let header = table.lines().next().unwrap();
    let (before, rest) = guide.split_once(header).expect("the table's header");
    let after = rest.find("\n\n").map_or("", |end| &rest[end + 1..]);
    let wanted = format!("{before}{table}{after}");
    crate::committed::check_committed(path, wanted.as_bytes());
}

#[test]
fn every_client_is_tried_with_what_every_client_can_do() {
    for row in ROWS {
        for deed in BY_ALL {
            assert!(row.deeds.contains(&deed), "{}: {deed}", row.client);
        }
    }
}

fn table() -> String {
    let mut table = "| client |".to_owned();
    for (_, column) in COLUMNS {
        write!(table, " {column} |").unwrap();
    }
    table += " shows our reason |\n| --- |";
    table += &" --- |".repeat(COLUMNS.len() + 1);
    table.push('\n');
    for row in ROWS {
        write!(table, "| {} |", row.client).unwrap();
        for (deed, _) in COLUMNS {
            write!(table, " {} |", yes(row.deeds.contains(&deed))).unwrap();
        }
        writeln!(table, " {} |", yes((row.says_why)())).unwrap();
    }
    table
}

fn yes(it_is: bool) -> &'static str {
    if it_is { "yes" } else { "–" }
}
