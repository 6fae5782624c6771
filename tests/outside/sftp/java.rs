//! `JSch` 0.1.55, which is old and in many programs. It knows no Ed25519, neither for its own key
//! nor for the server's.

use std::{path::Path, process::Command};

use super::{Client, Door, Step, lines, patient, python::beside, tries};

/// Where Debian's `libjsch-java` puts it.
const JAR: &str = "/usr/share/java/jsch.jar";

struct Jsch;

tries!(
    jsch,
    "JSch 0.1.55",
    Jsch,
    "needs libjsch-java and a JDK",
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

impl Client for Jsch {
    fn commands(&self, door: &Door<'_>, steps: &[Step]) -> Vec<Command> {
        assert!(Path::new(JAR).exists(), "apt-get install libjsch-java");
        let mut java = patient("java");
        java.args(["-XX:TieredStopAtLevel=1", "-cp", JAR]);
        java.arg(beside("Steps.java"))
            .args([&door.port(), door.user]);
        java.arg(door.pem_key()).arg(door.script(lines(steps)));
        vec![java]
    }
}
