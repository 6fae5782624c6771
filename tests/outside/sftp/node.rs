//! Node's `ssh2`, and `ssh2-sftp-client`, which many scripts have it by.

use std::{path::Path, process::Command};

use super::{Client, Door, Step, lines, patient, python::beside, tries};

struct Script(&'static str);

tries!(
    ssh2,
    "node ssh2 1.17",
    Script("steps_ssh2.js"),
    "needs node and npm",
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

tries!(
    sftp_client,
    "ssh2-sftp-client 12.1",
    Script("steps_sftp_client.js"),
    "needs node and npm",
    [
        uploads_under_a_temporary_name_and_renames,
        carries_a_hundred_megabytes_both_ways,
        carries_a_thousand_small_files_both_ways,
        lists_a_hundred_thousand_files,
        keeps_odd_names,
        leaves_nothing_to_take_when_it_is_killed,
        hears_that_a_name_is_taken,
        renames_over_nothing,
        hears_what_it_may_not_do,
        hears_that_its_quota_is_full,
        hears_that_the_disk_is_full,
    ]
);

impl Client for Script {
    fn commands(&self, door: &Door<'_>, steps: &[Step]) -> Vec<Command> {
        let modules = std::env::var_os("KUORI_NODE_PATH").expect(
            "KUORI_NODE_PATH names the node_modules that `npm ci` made in tests/outside/node",
        );
        let here = std::env::current_dir().unwrap();
        let mut node = patient("node");
        node.env("NODE_PATH", here.join(Path::new(&modules)));
        node.arg(beside(self.0)).args([&door.port(), door.user]);
        node.arg(door.key()).arg(door.script(lines(steps)));
        vec![node]
    }
}
