//! What OpenSSH's client is refused when it asks for algorithms of yesterday only.

use std::{fs, path::Path, process::Output};

use super::{super::tools, Door, patient};
use crate::sftp::house::House;

/// All that OpenSSH has and that opens the door; whatever else it has does not.
const STRONG: [(&str, &str, &[&str]); 4] = [
    (
        "kex",
        "KexAlgorithms",
        &[
            "mlkem768x25519-sha256",
            "curve25519-sha256",
            "curve25519-sha256@libssh.org",
            "diffie-hellman-group-exchange-sha256",
            "diffie-hellman-group16-sha512",
            "diffie-hellman-group14-sha256",
        ],
    ),
    (
        "cipher",
        "Ciphers",
        &[
            "aes256-gcm@openssh.com",
            "aes128-gcm@openssh.com",
            "chacha20-poly1305@openssh.com",
            "aes256-ctr",
            "aes192-ctr",
            "aes128-ctr",
        ],
    ),
    (
        "mac",
        "MACs",
        &[
            "hmac-sha2-512-etm@openssh.com",
            "hmac-sha2-256-etm@openssh.com",
            "hmac-sha2-512",
            "hmac-sha2-256",
        ],
    ),
    (
        "key-sig",
        "HostKeyAlgorithms",
        &["ssh-ed25519", "ecdsa-sha2-nistp256"],
    ),
];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs OpenSSH's ssh and sftp"]
async fn openssh_gets_in_by_strong_algorithms_and_by_no_other_that_it_has() {
    let house = House::start().await;
    for (kind, option, strong) in STRONG {
        let all = tools::run("ssh", ["-Q", kind]).out;
        let mut opened = 0;
        for name in all.lines() {
            let only = format!("{option}={name}");
            let mut options = vec!["-o", &only];
            if kind == "mac" {
                // Those that are used first need none.
                options.extend(["-o", "Ciphers=aes256-ctr"]);
            }
            let output = knock(&house, &house.key("city"), &options);
            let is_in = output.status.success();
            assert_eq!(is_in, strong.contains(&name), "{only}: {output:?}");
            // Of `ssh`, to which the connection was lost; none where `sftp` wrote to it after that.
            let is_lost = matches!(output.status.code(), Some(255) | None);
            assert_ne!(is_in, is_lost, "{only}: {output:?}");
            opened += usize::from(is_in);
        }
        assert!(opened > 1, "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs OpenSSH's sftp"]
async fn openssh_that_asks_for_compression_goes_without() {
    let house = House::start().await;
    let output = knock(&house, &house.key("city"), &["-v", "-C"]);
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let told = said.lines().filter(|line| line.contains("compression:"));
    let told: Vec<_> = told.collect();
    assert_eq!(told.len(), 2, "{said}");
    assert!(told.iter().all(|line| line.contains("compression: none")));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs OpenSSH's sftp and ssh-keygen"]
async fn openssh_s_rsa_signature_over_sha1_is_taken_where_the_account_says_so() {
    let house = House::start().await;
    let rsa = house.key("city-rsa");
    let words = ["-q", "-t", "rsa", "-b", "3072", "-N", "", "-f"];
    let words = words.into_iter().chain([rsa.to_str().unwrap()]);
    tools::run("ssh-keygen", words);
    let public = fs::read_to_string(rsa.with_extension("pub")).unwrap();
    let terms = |city: bool| {
        let mut accounts = house.accounts();
        for account in &mut accounts {
            account.public_keys = vec![public.clone()];
            account.allows_sha1_rsa = city && account.name == "city";
        }
        house.server.set_accounts(accounts).unwrap();
    };
    let only_sha1 = ["-o", "PubkeyAcceptedAlgorithms=ssh-rsa"];
    let and_sha1 = ["-vvv", "-o", "PubkeyAcceptedAlgorithms=+ssh-rsa"];
    for city_allows in [false, true] {
        terms(city_allows);
        for user in ["city", "other"] {
            let output = knock_as(&house, user, &rsa, &only_sha1);
            let is_in = output.status.success();
            assert_eq!(is_in, city_allows && user == "city", "{user}: {output:?}");
            // One that can sign better does.
            let output = knock_as(&house, user, &rsa, &and_sha1);
            assert!(output.status.success(), "{user}: {output:?}");
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(said.contains("signing using rsa-sha2-"), "{said}");
        }
    }
}

fn knock(house: &House, key: &Path, options: &[&str]) -> Output {
    knock_as(house, "city", key, options)
}

/// Logs in with `key` alone and lists the top folder.
fn knock_as(house: &House, user: &'static str, key: &Path, options: &[&str]) -> Output {
    let door = Door { house, user };
    let batch = house.local("batch", b"ls\n");
    // Of an option that comes twice, the first one counts; of keys all do.
    patient("sftp")
        .args(options)
        .args(Door::ssh_options_with(key))
        .args(["-P", &door.port()])
        .arg("-b")
        .arg(batch)
        .arg(format!("{user}@127.0.0.1"))
        .output()
        .unwrap()
}
