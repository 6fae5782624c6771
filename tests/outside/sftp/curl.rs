//! curl with libssh2.

use std::{
    ffi::{OsStr, OsString},
    fmt::Write,
    fs,
    os::unix::ffi::OsStrExt,
    process::Command,
};

use super::{Client, Door, Step, Verb, patient, quoted, tries};

struct Curl;

tries!(curl, "curl 7.88", Curl, "needs curl");

impl Client for Curl {
    fn commands(&self, door: &Door<'_>, steps: &[Step]) -> Vec<Command> {
        steps.iter().map(|step| command(door, step)).collect()
    }

    fn says_why(&self) -> bool {
        false
    }
}

fn command(door: &Door<'_>, step: &Step) -> Command {
    let mut curl = patient("curl");
    // Nothing of the user's settings; the key of the host is another test's matter.
    curl.args(["-q", "-sS", "--insecure", "--key"])
        .arg(door.key());
    curl.args(["--user", &format!("{}:", door.user)]);
    let (from, to) = (&step.from, &step.to);
    match step.verb {
        Verb::Put => curl.arg("-T").arg(from).arg(url(door, to)),
        Verb::PutWithTimes => {
            curl.arg("-T").arg(from).arg(url(door, to));
            let to = to.to_string_lossy();
            curl.args([
                "-Q",
                &format!("-mtime \"Mon, 01 Jan 2024 00:00:00 GMT\" {to}"),
            ]);
            curl.args(["-Q", &format!("-chmod 644 {to}")])
        }
        Verb::Resume => curl.args(["-C", "-", "-T"]).arg(from).arg(url(door, to)),
        Verb::Get => curl.arg("-o").arg(to).arg(url(door, from)),
        Verb::GetRest => curl.args(["-C", "-", "-o"]).arg(to).arg(url(door, from)),
        Verb::PutAll => put_all(&mut curl, door, step),
        Verb::GetAll => get_all(&mut curl, door, step),
        Verb::List => curl.arg("-l").arg(url(door, &with_slash(from))),
        Verb::Rename => quote(&mut curl, door, &["rename"], &[from, to]),
        Verb::Remove => quote(&mut curl, door, &["rm"], &[from]),
        Verb::MakeFolder => quote(&mut curl, door, &["mkdir"], &[from]),
    };
    curl
}

/// `{a,b}` in a local name is a list of files for curl.
fn put_all<'c>(curl: &'c mut Command, door: &Door<'_>, step: &Step) -> &'c mut Command {
    let names = fs::read_dir(&step.from).unwrap();
    let names: Vec<_> = names
        .map(|entry| entry.unwrap().path().to_str().unwrap().to_owned())
        .collect();
    curl.arg("-T").arg(format!("{{{}}}", names.join(",")));
    curl.arg(url(door, &with_slash(&step.to)))
}

/// The folder of the test has numbered files.
fn get_all<'c>(curl: &'c mut Command, door: &Door<'_>, step: &Step) -> &'c mut Command {
    curl.arg("--output-dir")
        .arg(&step.to)
        .args(["-o", "#1.csv"]);
    curl.arg(format!("{}/[0-999].csv", url(door, &step.from)))
}

fn quote<'c>(
    curl: &'c mut Command,
    door: &Door<'_>,
    words: &[&str],
    paths: &[&OsString],
) -> &'c mut Command {
    let mut line = OsString::from(words.join(" "));
    for path in paths {
        line.push(" ");
        line.push(quoted(path, b'\\'));
    }
    curl.arg("-Q").arg(line).args(["-o", "/dev/null"]);
    curl.arg(url(door, OsStr::new("")))
}

fn with_slash(folder: &OsStr) -> OsString {
    let mut folder = folder.to_owned();
    folder.push("/");
    folder
}

fn url(door: &Door<'_>, path: &OsStr) -> String {
    let mut url = format!("sftp://127.0.0.1:{}/", door.port());
    for &byte in path.as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/.-_".contains(&byte) {
            url.push(byte.into());
        } else {
            write!(url, "%{byte:02X}").unwrap();
        }
    }
    url
}
