//! `PuTTY`'s `psftp`, whose engine `FileZilla` has too.

use std::{ffi::OsStr, process::Command};

use super::{super::tools, Client, Door, Step, Verb, joined, patient, quoted, tries};

struct Psftp {
    options: &'static [&'static str],
}

const PLAIN: Psftp = Psftp { options: &[] };

tries!(
    psftp,
    "PuTTY psftp 0.78",
    PLAIN,
    "needs putty-tools",
    [
        uploads_under_a_temporary_name_and_renames,
        carries_a_hundred_megabytes_both_ways,
        carries_a_thousand_small_files_both_ways,
        goes_on_with_a_broken_upload,
        goes_on_with_a_broken_download,
        lists_a_hundred_thousand_files,
        keeps_odd_names,
        leaves_nothing_to_take_when_it_is_killed,
        hears_that_a_name_is_taken,
        renames_over_nothing,
        hears_that_a_name_is_not_utf8,
        hears_what_it_may_not_do,
        hears_that_its_quota_is_full,
        hears_that_the_disk_is_full,
    ]
);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs putty-tools"]
async fn psftp_that_wants_compression_goes_without() {
    let house = crate::sftp::house::House::start().await;
    super::deeds::carry_a_hundred_megabytes(&house, &Psftp { options: &["-C"] });
}

impl Client for Psftp {
    fn commands(&self, door: &Door<'_>, steps: &[Step]) -> Vec<Command> {
        let key = door.key().with_extension("ppk");
        let words = [door.key().into_os_string(), "-o".into(), key.clone().into()];
        tools::run("puttygen", words);
        let script: Vec<u8> = steps.iter().flat_map(line).collect();
        let mut psftp = patient("psftp");
        psftp.args(["-batch", "-noagent", "-P", &door.port()]);
        psftp.args(self.options);
        for fingerprint in door.house.server.fingerprints() {
            psftp.args(["-hostkey", &fingerprint]);
        }
        psftp.arg("-i").arg(key).arg("-b").arg(door.script(script));
        psftp.arg(format!("{}@127.0.0.1", door.user));
        vec![psftp]
    }

    fn says_why(&self) -> bool {
        false
    }
}

fn line(step: &Step) -> Vec<u8> {
    // A quote is doubled, and nothing else is special.
    let (from, to) = (quoted(&step.from, b'"'), quoted(&step.to, b'"'));
    let words: &[&str] = match step.verb {
        Verb::Put | Verb::PutWithTimes => &["put", "FROM", "TO"],
        Verb::Resume => &["reput", "FROM", "TO"],
        Verb::Get => &["get", "FROM", "TO"],
        Verb::GetRest => &["reget", "FROM", "TO"],
        Verb::PutAll => &["put", "-r", "FROM", "TO"],
        Verb::GetAll => &["get", "-r", "FROM", "TO"],
        Verb::Rename => &["mv", "FROM", "TO"],
        Verb::Remove => &["rm", "FROM"],
        Verb::List => &["ls", "FROM"],
        Verb::MakeFolder => &["mkdir", "FROM"],
    };
    joined(words.iter().map(|&word| match word {
        "FROM" => from.as_os_str(),
        "TO" => to.as_os_str(),
        word => OsStr::new(word),
    }))
}
