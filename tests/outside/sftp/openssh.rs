//! OpenSSH's `sftp` and `scp`.

use std::{
    ffi::{OsStr, OsString},
    fs,
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Output},
};

use super::{
    super::tools, Client, Door, Step, Verb, deeds::carry_a_hundred_megabytes, joined, patient,
    quoted, tries,
};
use crate::sftp::house::{House, make_key, noise, put};

struct Sftp {
    options: &'static [&'static str],
}

struct Scp;

const PLAIN: Sftp = Sftp { options: &[] };

tries!(sftp, "OpenSSH sftp 9.2", PLAIN, "needs OpenSSH's sftp");

tries!(
    scp,
    "OpenSSH scp 9.2",
    Scp,
    "needs OpenSSH's scp",
    [
        carries_a_hundred_megabytes_both_ways,
        carries_a_thousand_small_files_both_ways,
        keeps_odd_names,
        sets_times_and_modes,
        leaves_nothing_to_take_when_it_is_killed,
        hears_that_a_name_is_taken,
        hears_that_a_name_is_not_utf8,
        hears_what_it_may_not_do,
        hears_that_its_quota_is_full,
        hears_that_the_disk_is_full,
    ]
);

/// Whether nobody waits for whom: many requests at once, long ones, new keys on the way, and a
/// client that asks for compression.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs OpenSSH's sftp"]
async fn openssh_sftp_may_be_tuned_as_it_likes() {
    for options in [
        &["-R", "128"][..],
        &["-R", "1000"],
        &["-R", "1000", "-B", "261120"],
        &["-B", "261120"],
        &["-o", "RekeyLimit=10M"],
        &["-C"],
        &["-c", "aes128-ctr", "-o", "MACs=hmac-sha2-256"],
        &["-c", "chacha20-poly1305@openssh.com"],
    ] {
        let house = House::start().await;
        eprintln!("sftp {options:?}");
        carry_a_hundred_megabytes(&house, &Sftp { options });
    }
}

impl Client for Sftp {
    fn commands(&self, door: &Door<'_>, steps: &[Step]) -> Vec<Command> {
        let script: Vec<u8> = steps.iter().flat_map(line).collect();
        let mut sftp = patient("sftp");
        sftp.args(door.ssh_options()).args(["-P", &door.port()]);
        sftp.args(self.options).arg("-b").arg(door.script(script));
        sftp.arg(format!("{}@127.0.0.1", door.user));
        vec![sftp]
    }

    fn says_why(&self) -> bool {
        false
    }
}

fn line(step: &Step) -> Vec<u8> {
    let (from, to) = (quoted(&step.from, b'\\'), quoted(&step.to, b'\\'));
    let all = pattern(&step.from);
    let words: &[&str] = match step.verb {
        Verb::Put => &["put", "FROM", "TO"],
        Verb::PutWithTimes => &["put", "-p", "FROM", "TO"],
        Verb::Resume => &["reput", "FROM", "TO"],
        Verb::PutAll => &["put", "ALL", "TO"],
        Verb::Get => &["get", "FROM", "TO"],
        Verb::GetRest => &["reget", "FROM", "TO"],
        Verb::GetAll => &["get", "ALL", "TO"],
        Verb::Rename => &["rename", "FROM", "TO"],
        Verb::Remove => &["rm", "FROM"],
        Verb::List => &["ls", "-1", "FROM"],
        Verb::MakeFolder => &["mkdir", "FROM"],
    };
    joined(words.iter().map(|&word| match word {
        "FROM" => from.as_os_str(),
        "TO" => to.as_os_str(),
        "ALL" => all.as_os_str(),
        word => OsStr::new(word),
    }))
}

/// All that is in a folder.
fn pattern(folder: &OsStr) -> OsString {
    [folder, OsStr::new("*")].join(OsStr::new("/"))
}

impl Client for Scp {
    fn commands(&self, door: &Door<'_>, steps: &[Step]) -> Vec<Command> {
        let steps = steps.iter().filter(|step| {
            // It knows nothing else.
            matches!(
                step.verb,
                Verb::Put | Verb::PutWithTimes | Verb::PutAll | Verb::Get | Verb::GetAll
            )
        });
        steps.map(|step| scp(door, step)).collect()
    }

    fn says_why(&self) -> bool {
        false
    }
}

fn scp(door: &Door<'_>, step: &Step) -> Command {
    let mut scp = patient("scp");
    scp.args(["-s", "-q"]).args(door.ssh_options());
    scp.args(["-P", &door.port()]);
    let (from, to) = (&step.from, &step.to);
    match step.verb {
        Verb::Get => scp.arg(far(door, from)).arg(to),
        Verb::GetAll => scp.arg(far(door, &pattern(from))).arg(to),
        Verb::PutAll => {
            let names = fs::read_dir(from).unwrap();
            scp.args(names.map(|entry| entry.unwrap().path()));
            scp.arg(far(door, to))
        }
        Verb::PutWithTimes => scp.arg("-p").arg(from).arg(far(door, to)),
        _ => scp.arg(from).arg(far(door, to)),
    };
    scp
}

fn far(door: &Door<'_>, path: &OsStr) -> OsString {
    let mut far = OsString::from(format!("{}@127.0.0.1:", door.user));
    far.push(path);
    far
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs OpenSSH's sftp"]
async fn a_print_house_fetches_a_whole_pickup_folder_and_clears_it_away() {
    let house = House::start().await;
    let bundle = house.on_disk("print/pickup/P-0001");
    fs::create_dir(&bundle).unwrap();
    for (ending, bytes) in [
        ("pdf", 3_000_000),
        ("pieces.csv", 500),
        ("job.xml", 900),
        ("ok", 0),
    ] {
        put(&bundle.join(format!("P-0001.{ending}")), &noise(bytes));
    }
    let got = house.dir.path().join("fetched");
    let batch = format!("get -r pickup {}\nrm pickup/P-0001/*\n", got.display());
    let output = run_sftp(&house, "print", &[], &batch);
    assert!(output.status.success(), "{output:?}");
    let fetched = fs::read(got.join("P-0001/P-0001.pdf")).unwrap();
    assert!(fetched == noise(3_000_000));
    assert_eq!(fs::read_dir(got.join("P-0001")).unwrap().count(), 4);
    assert_eq!(
        fs::read_dir(house.on_disk("print/pickup/P-0001"))
            .unwrap()
            .count(),
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs OpenSSH's sftp"]
async fn a_sender_sees_its_own_folders_however_it_asks() {
    let house = House::start().await;
    for way in [
        "",
        "cd ..\n",
        "cd inbox/../..\n",
        "cd /../../..\n",
        "cd //\n",
    ] {
        let output = sftp(&house, &[], &format!("{way}pwd\nls -1\n"));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let lines: Vec<_> = said
            .lines()
            .filter(|line| !line.starts_with("sftp>"))
            .collect();
        let wanted = ["Remote working directory: /", "inbox", "receipts"];
        assert_eq!(lines, wanted, "{way}: {output:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs OpenSSH's sftp"]
async fn a_sender_gets_at_nothing_outside_its_own_folders() {
    let house = House::start().await;
    put(&house.on_disk("other/receipts/theirs.csv"), b"secret");
    let theirs = house.on_disk("other/receipts/theirs.csv");
    // What a careless operator might leave there.
    let link = |target: &Path, name: &str| symlink(target, house.on_disk(name)).unwrap();
    link(&theirs, "city/receipts/theirs.csv");
    link(Path::new("../../other/receipts"), "city/receipts/folder");
    link(Path::new("/etc"), "city/receipts/etc");
    let got = house.key("got");
    let local = house.local("a.zip", b"mine");
    let (got_name, local) = (got.display().to_string(), local.display().to_string());
    // The same commands do work inside.
    put(&house.on_disk("city/receipts/mine.csv"), b"mine");
    let inside = format!(
        "get receipts/mine.csv {got_name}\nrm receipts/mine.csv\nput {local} inbox/a.part\n\
         rename inbox/a.part inbox/.b\nrm inbox/.b\ncd receipts\nls\n"
    );
    let output = sftp(&house, &[], &inside);
    assert!(output.status.success(), "{output:?}");
    fs::remove_file(&got).unwrap();

    for (attempt, last) in [
        ("get ../other/receipts/theirs.csv", &got_name),
        ("get /other/receipts/theirs.csv", &got_name),
        ("get receipts/../../other/receipts/theirs.csv", &got_name),
        ("get receipts/theirs.csv", &got_name),
        ("get receipts/folder/theirs.csv", &got_name),
        ("get receipts/etc/passwd", &got_name),
        ("get /etc/passwd", &got_name),
        ("get .staging", &got_name),
        ("cd", &"/other".to_owned()),
        ("cd", &"receipts/folder".to_owned()),
        ("ls", &"receipts/etc/".to_owned()),
        ("symlink /etc/passwd", &"inbox/x.zip".to_owned()),
        ("symlink ../../other", &"inbox/other".to_owned()),
        ("mkdir", &"/other/inbox/x".to_owned()),
        (&format!("put {local}"), &"../other/inbox/a.zip".to_owned()),
        (&format!("put {local}"), &"/other/inbox/a.zip".to_owned()),
        (&format!("put {local}"), &"receipts/folder/a.zip".to_owned()),
        ("rm", &"/other/receipts/theirs.csv".to_owned()),
        ("rm", &"receipts/folder/theirs.csv".to_owned()),
        (
            "rename receipts/folder/theirs.csv",
            &"inbox/b.zip".to_owned(),
        ),
    ] {
        let output = sftp(&house, &[], &format!("{attempt} {last}\n"));
        assert_eq!(
            output.status.code(),
            Some(1),
            "{attempt} {last}: {output:?}"
        );
        assert!(!got.exists(), "{attempt} {last}");
    }
    assert_eq!(fs::read(&theirs).unwrap(), b"secret");
    assert_eq!(
        fs::read_dir(house.on_disk("other/inbox")).unwrap().count(),
        0
    );
    assert_eq!(
        fs::read_dir(house.on_disk("city/inbox")).unwrap().count(),
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs OpenSSH's sftp, ssh-keyscan and ssh-keygen"]
async fn host_keys_can_be_pinned_and_any_other_is_noticed() {
    let house = House::start().await;
    let port = house.server.local_addr().port().to_string();
    let seen = tools::run("ssh-keyscan", ["-p", &port, "127.0.0.1"]).out;
    let known = house.local("known_hosts", seen.as_bytes());
    // What we print for people to compare is what OpenSSH prints.
    let shown = tools::run("ssh-keygen", ["-l", "-f", known.to_str().unwrap()]).out;
    for fingerprint in house.server.fingerprints() {
        assert!(shown.contains(&fingerprint), "{fingerprint}: {shown}");
    }
    assert!(strictly(&house, &known, "ls\n").status.success());

    let stranger = make_key(&house.key("stranger"));
    let line = format!("[127.0.0.1]:{port} {stranger}\n");
    let output = strictly(
        &house,
        &house.local("known_others", line.as_bytes()),
        "ls\n",
    );
    assert_eq!(output.status.code(), Some(255), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("Host key verification failed"), "{said}");
}

/// As the sender `city`, whatever key the server shows.
fn sftp(house: &House, more: &[&str], batch: &str) -> Output {
    run_sftp(house, "city", more, batch)
}

/// As the sender `city`, and only where `known_hosts` has the server's key.
fn strictly(house: &House, known_hosts: &Path, batch: &str) -> Output {
    let known_hosts = format!("UserKnownHostsFile={}", known_hosts.display());
    let strict = ["-o", "StrictHostKeyChecking=yes", "-o", &known_hosts];
    run_sftp(house, "city", &strict, batch)
}

fn run_sftp(house: &House, user: &'static str, options: &[&str], batch: &str) -> Output {
    let commands = house.local("batch", batch.as_bytes());
    let door = Door { house, user };
    // Of an option that comes twice, the first one counts.
    patient("sftp")
        .args(options)
        .args(door.ssh_options())
        .args(["-P", &door.port()])
        .arg("-b")
        .arg(commands)
        .arg(format!("{user}@127.0.0.1"))
        .output()
        .unwrap()
}
