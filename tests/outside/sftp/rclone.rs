//! rclone, by Go's SSH library.

use std::{
    ffi::{OsStr, OsString},
    process::Command,
};

use super::{Client, Door, Step, Verb, patient, tries};

struct Rclone;

tries!(
    rclone,
    "rclone 1.60",
    Rclone,
    "needs rclone",
    [
        uploads_under_a_temporary_name_and_renames,
        carries_a_hundred_megabytes_both_ways,
        carries_a_thousand_small_files_both_ways,
        lists_a_hundred_thousand_files,
        keeps_odd_names,
        sets_times_and_modes,
        leaves_nothing_to_take_when_it_is_killed,
        hears_that_a_name_is_taken,
        renames_over_nothing,
        hears_what_it_may_not_do,
        hears_that_its_quota_is_full,
        hears_that_the_disk_is_full,
    ]
);

impl Client for Rclone {
    fn commands(&self, door: &Door<'_>, steps: &[Step]) -> Vec<Command> {
        steps.iter().map(|step| command(door, step)).collect()
    }
}

fn command(door: &Door<'_>, step: &Step) -> Command {
    let mut rclone = patient("rclone");
    rclone.args(["--config", "/dev/null", "--retries", "1"]);
    // It tries shell commands for checksums unless it is told that there is no shell.
    for (setting, value) in [
        ("TYPE", "sftp"),
        ("HOST", "127.0.0.1"),
        ("PORT", &door.port()),
        ("USER", door.user),
        ("SHELL_TYPE", "none"),
    ] {
        rclone.env(format!("RCLONE_CONFIG_KUORI_{setting}"), value);
    }
    rclone.env("RCLONE_CONFIG_KUORI_KEY_FILE", door.key());
    let (from, to) = (&step.from, &step.to);
    match step.verb {
        // It sets the time of every upload.
        Verb::Put | Verb::PutWithTimes => rclone.arg("copyto").arg(from).arg(far(to)),
        Verb::PutAll => rclone.arg("copy").arg(from).arg(far(to)),
        Verb::Get => rclone.arg("copyto").arg(far(from)).arg(to),
        Verb::GetAll => rclone.arg("copy").arg(far(from)).arg(to),
        Verb::Rename => rclone.arg("moveto").arg(far(from)).arg(far(to)),
        Verb::Remove => rclone.arg("deletefile").arg(far(from)),
        Verb::List => rclone.arg("lsf").arg(far(from)),
        Verb::MakeFolder => rclone.arg("mkdir").arg(far(from)),
        Verb::Resume | Verb::GetRest => unreachable!("rclone starts anew"),
    };
    rclone
}

fn far(path: &OsStr) -> OsString {
    let mut far = OsString::from("kuori:");
    far.push(path);
    far
}
