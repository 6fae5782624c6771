//! lftp, which drives OpenSSH's `ssh`.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    process::Command,
};

use super::{Client, Door, Step, Verb, joined, patient, quoted, tries};

struct Lftp;

tries!(
    lftp,
    "lftp 4.9",
    Lftp,
    "needs lftp",
    [
        uploads_under_a_temporary_name_and_renames,
        carries_a_hundred_megabytes_both_ways,
        carries_a_thousand_small_files_both_ways,
        goes_on_with_a_broken_upload,
        goes_on_with_a_broken_download,
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

impl Client for Lftp {
    fn commands(&self, door: &Door<'_>, steps: &[Step]) -> Vec<Command> {
        let mut ssh = OsString::from("ssh -a -x");
        for option in door.ssh_options() {
            ssh.push(" ");
            ssh.push(option);
        }
        let settings = [
            OsString::from("set cmd:fail-exit yes\nset net:max-retries 1\n"),
            OsString::from("set sftp:connect-program "),
            quote(&ssh),
            format!(
                "\nopen -p {} sftp://{}:@127.0.0.1\n",
                door.port(),
                door.user
            )
            .into(),
        ];
        let mut script = settings.join(OsStr::new("")).into_encoded_bytes();
        script.extend(steps.iter().flat_map(line));
        let mut lftp = patient("lftp");
        lftp.stdin(File::open("/dev/null").unwrap());
        lftp.args([OsStr::new("--norc"), OsStr::new("-f")]);
        lftp.arg(door.script(script));
        vec![lftp]
    }
}

fn line(step: &Step) -> Vec<u8> {
    let (from, to) = (quote(&step.from), quote(&step.to));
    let words: &[&str] = match step.verb {
        // It sets the time of every upload.
        Verb::Put | Verb::PutWithTimes => &["put", "FROM", "-o", "TO"],
        Verb::Resume => &["put", "-c", "FROM", "-o", "TO"],
        Verb::Get => &["get", "FROM", "-o", "TO"],
        Verb::GetRest => &["get", "-c", "FROM", "-o", "TO"],
        Verb::PutAll => &["mirror", "-R", "--parallel=4", "FROM", "TO"],
        Verb::GetAll => &["mirror", "--parallel=4", "FROM", "TO"],
        Verb::Rename => &["mv", "FROM", "TO"],
        Verb::Remove => &["rm", "FROM"],
        Verb::List => &["cls", "-1", "FROM"],
        Verb::MakeFolder => &["mkdir", "FROM"],
    };
    joined(words.iter().map(|&word| match word {
        "FROM" => from.as_os_str(),
        "TO" => to.as_os_str(),
        word => OsStr::new(word),
    }))
}

fn quote(text: &OsStr) -> OsString {
    quoted(text, b'\\')
}
