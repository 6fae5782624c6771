//! Other people's SFTP clients on our server, and our client on other people's servers.
//!
//! A client is told what to do in [`Step`]s, in its own words; `deeds` has what each is tried
//! with, and every client's file lists which of them it can do. `docs/sender-guide.md` prints
//! those lists.

mod broken_far;
mod curl;
mod deeds;
mod far;
mod guide;
mod java;
mod lftp;
mod node;
mod openssh;
mod putty;
mod python;
mod rclone;
mod refusals;
mod servers;
pub(crate) mod small_disk;
mod table;
mod weak;

use std::{
    ffi::{OsStr, OsString},
    fs,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use crate::sftp::house::House;

/// A client program.
pub(crate) trait Client: Sync {
    /// What does `steps` in their order. Each command must end well before the next is started.
    fn commands(&self, door: &Door<'_>, steps: &[Step]) -> Vec<Command>;

    /// Whether it hands on the words of a refusal; some have only their own for its kind.
    fn says_why(&self) -> bool {
        true
    }
}

/// An account that a client logs in to.
pub(crate) struct Door<'h> {
    pub(crate) house: &'h House,
    pub(crate) user: &'static str,
}

impl Door<'_> {
    pub(crate) fn port(&self) -> String {
        self.house.server.local_addr().port().to_string()
    }

    /// Ed25519, in OpenSSH's form.
    pub(crate) fn key(&self) -> PathBuf {
        self.house.key(self.user)
    }

    /// ECDSA on P-256, in the older form that Java's clients read.
    pub(crate) fn pem_key(&self) -> PathBuf {
        let key = self.house.key(&format!("{}-ecdsa", self.user));
        let pem = key.with_extension("pem");
        fs::copy(&key, &pem).unwrap();
        let words = ["-q", "-p", "-m", "PEM", "-N", "", "-P", "", "-f"].map(OsStr::new);
        let words = words.into_iter().chain([pem.as_os_str()]);
        super::tools::run("ssh-keygen", words);
        pem
    }

    /// Options of `ssh` and its kin: nothing of the settings of whoever runs the tests.
    pub(crate) fn ssh_options(&self) -> Vec<OsString> {
        Self::ssh_options_with(&self.key())
    }

    pub(crate) fn ssh_options_with(key: &Path) -> Vec<OsString> {
        let mut identity = OsString::from("IdentityFile=");
        identity.push(key);
        let all = [
            "-F",
            "none",
            "-o",
            "IdentitiesOnly=yes",
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "UserKnownHostsFile=/dev/null",
            "-o",
            "LogLevel=ERROR",
            "-o",
        ];
        let all = all.into_iter().map(OsString::from);
        all.chain([identity]).collect()
    }

    /// A file of the test's own, for a script.
    pub(crate) fn script(&self, content: impl AsRef<[u8]>) -> PathBuf {
        self.house
            .local(&format!("{}-script", self.user), content.as_ref())
    }

    /// Does `steps` by `client` until one fails.
    pub(crate) fn ask(&self, client: &dyn Client, steps: &[Step]) -> Answer {
        let mut answer = Answer::default();
        for mut command in client.commands(self, steps) {
            answer.add(&command.output().unwrap());
            if answer.code != Some(0) {
                break;
            }
        }
        answer
    }
}

/// What a client is to do. Paths of the server are bytes, for not all are UTF-8.
pub(crate) struct Step {
    pub(crate) verb: Verb,
    pub(crate) from: OsString,
    /// Empty where the verb takes one path.
    pub(crate) to: OsString,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Put,
    /// With the times and the mode of the local file.
    PutWithTimes,
    /// Goes on behind what the server has.
    Resume,
    /// All files of a local folder into one of the server.
    PutAll,
    Get,
    /// Goes on behind what the local file has.
    GetRest,
    GetAll,
    Rename,
    Remove,
    /// The names in a folder, a line each, on standard output.
    List,
    MakeFolder,
}

impl Step {
    fn new(verb: Verb, from: impl AsRef<OsStr>, to: impl AsRef<OsStr>) -> Self {
        Self {
            verb,
            from: from.as_ref().to_owned(),
            to: to.as_ref().to_owned(),
        }
    }

    pub(crate) fn put(local: &Path, remote: impl AsRef<OsStr>) -> Self {
        Self::new(Verb::Put, local, remote)
    }

    pub(crate) fn put_with_times(local: &Path, remote: &str) -> Self {
        Self::new(Verb::PutWithTimes, local, remote)
    }

    pub(crate) fn resume(local: &Path, remote: &str) -> Self {
        Self::new(Verb::Resume, local, remote)
    }

    pub(crate) fn put_all(local: &Path, remote: &str) -> Self {
        Self::new(Verb::PutAll, local, remote)
    }

    pub(crate) fn get(remote: &str, local: &Path) -> Self {
        Self::new(Verb::Get, remote, local)
    }

    pub(crate) fn get_rest(remote: &str, local: &Path) -> Self {
        Self::new(Verb::GetRest, remote, local)
    }

    pub(crate) fn get_all(remote: &str, local: &Path) -> Self {
        Self::new(Verb::GetAll, remote, local)
    }

    pub(crate) fn rename(from: &str, to: &str) -> Self {
        Self::new(Verb::Rename, from, to)
    }

    pub(crate) fn remove(remote: &str) -> Self {
        Self::new(Verb::Remove, remote, "")
    }

    pub(crate) fn list(remote: &str) -> Self {
        Self::new(Verb::List, remote, "")
    }

    pub(crate) fn make_folder(remote: &str) -> Self {
        Self::new(Verb::MakeFolder, remote, "")
    }

    /// As the scripts beside this file read it: three fields, with tabs between them.
    fn line(&self) -> Vec<u8> {
        let verb = match self.verb {
            Verb::Put => "put",
            Verb::PutWithTimes => "put-with-times",
            Verb::Resume => "resume",
            Verb::PutAll => "put-all",
            Verb::Get => "get",
            Verb::GetRest => "get-rest",
            Verb::GetAll => "get-all",
            Verb::Rename => "rename",
            Verb::Remove => "remove",
            Verb::List => "list",
            Verb::MakeFolder => "make-folder",
        };
        let fields = [verb.as_bytes(), self.from.as_bytes(), self.to.as_bytes()];
        [fields.join(&b'\t'), b"\n".to_vec()].concat()
    }
}

/// The steps as a file for those clients that are libraries, driven by a script of ours.
pub(crate) fn lines(steps: &[Step]) -> Vec<u8> {
    steps.iter().flat_map(Step::line).collect()
}

/// `text` in double quotes, with `escape` before each quote and before itself.
pub(crate) fn quoted(text: &OsStr, escape: u8) -> OsString {
    let mut quoted = vec![b'"'];
    for &byte in text.as_bytes() {
        if byte == b'"' || byte == escape {
            quoted.push(escape);
        }
        quoted.push(byte);
    }
    quoted.push(b'"');
    OsString::from_vec(quoted)
}

/// Words and paths, for a line of a script.
pub(crate) fn joined<'w>(words: impl IntoIterator<Item = &'w OsStr>) -> Vec<u8> {
    let words: Vec<_> = words.into_iter().map(OsStr::as_bytes).collect();
    [words.join(&b' '), b"\n".to_vec()].concat()
}

/// A program that is stopped if it hangs.
pub(crate) fn patient(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", "240"]).arg(program);
    command.env("LC_ALL", "C.UTF-8");
    command
}

/// How a client ended, and all that it said.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Answer {
    fn add(&mut self, output: &Output) {
        self.code = output.status.code();
        self.out += &String::from_utf8_lossy(&output.stdout);
        self.err += &String::from_utf8_lossy(&output.stderr);
        // By `timeout`, and by node and Python where a module is missing.
        let is_missing = self.code == Some(127)
            || self.err.contains("ModuleNotFoundError")
            || self.err.contains("Cannot find module");
        assert!(
            !is_missing,
            "the client is missing; `.ci/run` installs it: {self:?}"
        );
        assert_ne!(self.code, Some(124), "the client hangs: {self:?}");
    }

    #[track_caller]
    pub(crate) fn assert_done(&self) {
        assert_eq!(self.code, Some(0), "{self:?}");
    }

    /// It ended with a code that a script sees, and says one of `words`.
    #[track_caller]
    pub(crate) fn assert_refused(&self, words: &[&str]) {
        assert!(!matches!(self.code, None | Some(0)), "{self:?}");
        let said = format!("{}{}", self.out, self.err).to_lowercase();
        let is_clear = words.iter().any(|word| said.contains(word));
        assert!(is_clear, "none of {words:?} in {self:?}");
    }
}

/// The tests of one client: one for each of the `deeds` that it can do.
macro_rules! tries {
    // Of a client that can do everything.
    ($name:ident, $title:literal, $client:expr, $needs:literal $(,)?) => {
        tries!(
            $name, $title, $client, $needs,
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
    };
    ($name:ident, $title:literal, $client:expr, $needs:literal, [$($deed:ident),* $(,)?]) => {
        pub(super) mod $name {
            #[allow(unused_imports, reason = "some clients are values of this crate's own")]
            use super::*;
            use crate::outside::sftp::{deeds, table::Row};

            pub(crate) const ROW: Row = Row {
                client: $title,
                deeds: &[$(stringify!($deed)),*],
                says_why: || $crate::outside::sftp::Client::says_why(&$client),
            };

            $(
                #[tokio::test(flavor = "multi_thread")]
                #[ignore = $needs]
                async fn $deed() {
                    deeds::$deed(&$client).await;
                }
            )*
        }
    };
}
pub(crate) use tries;
