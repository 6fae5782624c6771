//! paramiko and asyncssh, each driven by a script beside this file.

use std::process::Command;

use super::{Client, Door, Step, lines, patient, tries};

struct Script {
    file: &'static str,
    says_why: bool,
}

/// It writes without waiting for answers, and finds at the end that bytes are missing.
const PARAMIKO: Script = Script {
    file: "steps_paramiko.py",
    says_why: false,
};

const ASYNCSSH: Script = Script {
    file: "steps_asyncssh.py",
    says_why: true,
};

tries!(
    paramiko,
    "paramiko 5.1",
    PARAMIKO,
    "needs paramiko",
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
        hears_that_a_name_is_not_utf8,
        hears_what_it_may_not_do,
        hears_that_its_quota_is_full,
        hears_that_the_disk_is_full,
    ]
);

tries!(
    asyncssh,
    "asyncssh 2.24",
    ASYNCSSH,
    "needs asyncssh",
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
        hears_that_a_name_is_not_utf8,
        hears_what_it_may_not_do,
        hears_that_its_quota_is_full,
        hears_that_the_disk_is_full,
    ]
);

impl Client for Script {
    fn commands(&self, door: &Door<'_>, steps: &[Step]) -> Vec<Command> {
        let mut python = patient(interpreter());
        python
            .arg(beside(self.file))
            .args([&door.port(), door.user]);
        python.arg(door.key()).arg(door.script(lines(steps)));
        vec![python]
    }

    fn says_why(&self) -> bool {
        self.says_why
    }
}

/// The Python that `KUORI_PYTHON` names.
pub(super) fn interpreter() -> String {
    std::env::var("KUORI_PYTHON")
        .expect("KUORI_PYTHON names the Python of a venv with tests/outside/requirements.txt")
}

pub(super) fn beside(script: &str) -> std::path::PathBuf {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    folder.join("tests/outside/sftp").join(script)
}
