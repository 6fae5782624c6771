use super::*;

#[test]
fn an_account_has_the_keys_and_the_bounds_of_its_table() {
    let text = r#"
[senders.a.account]
public_keys = ["ssh-ed25519 AAAAC3Nz a"]
allowed_addresses = ["192.0.2.7", "2001:db8::/32"]
quota_files = 10
[senders.b]
directory = "/srv/b"
[print_houses.p]
"#;
    let accounts = parse(text).unwrap().accounts();
    insta::assert_debug_snapshot!(accounts, @r#"
    [
        Account {
            name: "a",
            role: Sender,
            public_keys: [
                "ssh-ed25519 AAAAC3Nz a",
            ],
            password_hash: None,
            allowed_addresses: [
                192.0.2.7/32,
                2001:db8::/32,
            ],
            allows_sha1_rsa: false,
            quota_bytes: None,
            quota_files: Some(
                10,
            ),
            max_bytes_per_sec: None,
        },
        Account {
            name: "p",
            role: PrintHouse,
            public_keys: [],
            password_hash: None,
            allowed_addresses: [],
            allows_sha1_rsa: false,
            quota_bytes: None,
            quota_files: None,
            max_bytes_per_sec: None,
        },
    ]
    "#);
}

#[test]
fn every_inbox_of_a_sender_has_settings_of_its_own() {
    let text = r#"
poll_interval_secs = 7
[senders.a]
[[senders.a.inboxes]]
name = "portal"
directory = "/srv/portal"
folder = ""
upload = { taking = "read-only", poll_interval_secs = 60 }
[[senders.a.inboxes]]
name = "second"
directory = "/srv/second"
upload = { done_folder = "done", done_keep_days = 9 }
"#;
    let config = parse(text).unwrap();
    let sender = &config.senders[0];
    let further = &sender.further_inboxes;
    let places = [&sender.inbox, &further[0].settings, &further[1].settings];
    let told = places.map(|inbox| {
        (
            &*inbox.place,
            inbox.folder.as_str(),
            inbox.poll_interval_secs,
        )
    });
    let expected = [
        ("a", "inbox", 7),
        ("a/portal", "", 60),
        ("a/second", "inbox", 7),
    ];
    assert_eq!(told, expected);
    let ways = places.map(|inbox| inbox.way.clone());
    insta::assert_snapshot!(format!("{ways:?}"), @r#"[Claim { afterwards: Remove }, ReadOnly { forget_days: 30 }, Claim { afterwards: Keep { folder: RemotePath("done"), keep_days: Some(9) } }]"#);
}

#[test]
fn inboxes_that_cannot_be_are_told() {
    let text = r#"
[senders.a.upload]
taking = "read-only"
done_folder = "done"
[senders.b.upload]
done_folder = "inbox"
forget_days = 3
take_names = []
[senders.c.upload]
done_keep_days = 3
[[senders.c.inboxes]]
name = "No Name"
directory = "/srv/c1"
[[senders.c.inboxes]]
name = "x"
[[senders.c.inboxes]]
name = "x"
directory = "/srv/c2"
folder = "../c"
[[senders.c.inboxes]]
name = "y"
directory = "/srv/c3"
[[senders.c.inboxes]]
name = "y"
directory = "/srv/c3/y"
folder = "in"
upload = { done_folder = "in" }
[senders.d]
directory = "/srv/c3"
"#;
    insta::assert_snapshot!(wrong(text), @r#"
    line 4: `senders.a.upload.done_folder` has no effect with `taking = "read-only"`
    line 6: `senders.b.upload.done_folder` must be a folder of its own, such as `done`
    line 7: `senders.b.upload.forget_days` has no effect without `taking = "read-only"`
    line 8: `senders.b.upload.take_names` must not be empty
    line 10: `senders.c.upload.done_keep_days` has no effect without `done_folder`
    line 12: `senders.c.inboxes[1].name` must have a name of 1 to 40 of a-z, 0-9 and `-`, as `portal`; did you mean `no-name`?
    line 14: `senders.c.inboxes[2]` needs `directory` or `sftp`
    line 19: `senders.c.inboxes[3].folder` must be a path below that of the place, such as `out/letters`
    line 24: `senders.c.inboxes[5].name` repeats the name "y"
    line 27: `senders.c.inboxes[5].upload.done_folder` must be a folder of its own, such as `done`
    line 29: `senders.d.directory` overlaps with the folder of `senders.c.inboxes[4].directory`
    "#);
}

#[test]
fn a_place_is_given_in_one_way_and_in_full() {
    let text = r#"
[senders.a.sftp]
host = "sftp.a.example"
password = "hunter2"
fingerprints = ["MD5:00"]
[senders.b]
directory = "/srv/b"
[senders.b.account]
public_keys = []
[senders.c.account]
public_keys = ["-----BEGIN OPENSSH PRIVATE KEY-----", "from=\"*\" ssh-ed25519 AAAA", "ssh-ed25519 AAAA c"]
[senders.d.sftp]
host = "sftp.d.example"
user = "kuori"
key_file = "d.key"
password_file = "d.password"
agent = true
passphrase_file = "d.pass"
known_hosts_file = "known_hosts"
fingerprints = []
[senders.e.account]
allowed_addresses = ["192.0.2.0/33", "::1", "city.example"]
"#;
    let told = wrong(text);
    assert!(!told.contains("hunter2"));
    insta::assert_snapshot!(told, @r#"
    line 2: `senders.a.sftp` needs `key_file`, `agent = true` or `password_file`
    line 2: `senders.a.sftp.user` is missing
    line 4: `senders.a.sftp.password` is not a known key; did you mean `password_file`?
    line 5: `senders.a.sftp.fingerprints[1]` must be `SHA256:` and 43 characters, as `ssh-keygen -l` prints it
    line 7: `senders.b.directory` is given beside `account`; keep one of the two
    line 11: `senders.c.account.public_keys[1]` is a private key; it belongs to the sender alone, and its `.pub` file here
    line 11: `senders.c.account.public_keys[2]` must be a public key such as `ssh-ed25519 AAAA…`, without options
    line 18: `senders.d.sftp.passphrase_file` is of use only beside `key_file`, and without `agent`
    line 22: `senders.e.account.allowed_addresses[1]` must be an address or a network such as `192.0.2.7` or `2001:db8::/32`
    line 22: `senders.e.account.allowed_addresses[3]` must be an address or a network such as `192.0.2.7` or `2001:db8::/32`
    "#);
}

#[test]
fn ways_of_logging_in_are_tried_in_order() {
    use crate::transport::Login;
    let login = |keys: &str| {
        let text = format!("data_folder = '/d'\n[senders.a.sftp]\nhost = 'h'\nuser = 'u'\n{keys}");
        let config = parse(&text).unwrap();
        let FolderConfig::Sftp(sftp) = config.senders[0].folder.clone() else {
            panic!("an SFTP server");
        };
        sftp.login
    };
    let path = |name: &str| Path::new(name).to_owned();
    let key = Login::Key(path("/k"));
    assert_eq!(login("key_file = '/k'"), key);
    let password = Login::PasswordFile(path("/p"));
    assert_eq!(
        login("key_file = '/k'\npassword_file = '/p'"),
        Login::InOrder(vec![key, password])
    );
    assert_eq!(
        login("key_file = '/k'\npassphrase_file = '/s'"),
        Login::EncryptedKey {
            key: path("/k"),
            passphrase: path("/s")
        }
    );
    assert_eq!(login("agent = true"), Login::Agent { public_key: None });
    assert_eq!(
        login("agent = true\nkey_file = '/k'"),
        Login::Agent {
            public_key: Some(path("/k.pub"))
        }
    );
}

#[test]
fn folders_that_would_mix_files_are_refused() {
    let text = r#"
data_folder = "/var/lib/kuori"
[senders.a]
directory = "/srv/a"
[senders.b]
directory = "/srv/a/../a/b"
[senders.c]
directory = "sftp/d"
[senders.e]
directory = "/var"
[senders.ab]
directory = "/srv/ab"
[senders.f]
[print_houses.f]
[senders.g.sftp]
host = "sftp.example"
user = "kuori"
key_file = "key"
folder = "out"
[print_houses.h.sftp]
host = "SFTP.example"
user = "kuori"
key_file = "key"
folder = "out/pickup"
"#;
    insta::assert_snapshot!(wrong(text), @r#"
    line 6: `senders.b.directory` overlaps with the folder of `senders.a.directory`
    line 8: `senders.c.directory` overlaps with the folder of `server.accounts_folder`
    line 10: `senders.e.directory` overlaps with the folder of `data_folder`
    line 14: `print_houses.f` has the same account as `senders.f`
    line 20: `print_houses.h.sftp` overlaps with the folder of `senders.g.sftp`
    "#);
}

#[test]
fn bounds_of_the_outbox_and_of_looks_are_handed_on_and_checked() {
    let bounds = |hand_overs: u32, secs: u32| {
        let text = format!(
            "[outbox]\nhand_overs_at_once = {hand_overs}\n[senders.example-city]\nprint_house = \"example-print\"\n[print_houses.example-print]\n[senders.example-city.upload]\n\
             look_timeout_secs = {secs}\n"
        );
        let config = parse(&text).map_err(|problems| problems.len())?;
        let secs = config.senders.first().unwrap().inbox.look_timeout_secs;
        Ok::<_, usize>((config.hand_overs_at_once, secs))
    };
    assert_eq!(bounds(1, 1), Ok((1, 1)));
    assert_eq!(bounds(1024, 7), Ok((1024, 7)));
    assert_eq!(bounds(1025, 0), Err(2));
    assert_eq!(bounds(0, 1), Err(1));
}
