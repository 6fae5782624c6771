//! What ssh-audit has to say of the server's algorithms.

use std::{collections::BTreeSet, process::Command};

use serde_json::Value;

use super::tools;
use crate::sftp::house::House;

/// Findings that stay, each with its reason. Whatever else ssh-audit says fails the test.
const ACCEPTED: [(&str, &str, &str); 10] = [
    // An opinion on who chose the curve, not an attack. Old Java clients (JSch 0.1.55) know no
    // Ed25519; every other client takes the first host key offered, which is Ed25519.
    (
        "ecdsa-sha2-nistp256",
        "fail",
        "using elliptic curves that are suspected as being backdoored by the U.S. National Security Agency",
    ),
    // True of ECDSA elsewhere; our signatures need no random number (RFC 6979).
    (
        "ecdsa-sha2-nistp256",
        "warn",
        "using weak random number generator could reveal the key",
    ),
    // Clients older than OpenSSH 9.9 have no other; the hybrid one is offered first.
    ("curve25519-sha256", "warn", NOT_POST_QUANTUM),
    ("curve25519-sha256@libssh.org", "warn", NOT_POST_QUANTUM),
    // For clients without elliptic curves; groups over 4096 bits would cost us more than a
    // stranger, and smaller ones than 2048 are not offered.
    (
        "diffie-hellman-group-exchange-sha256",
        "warn",
        NOT_POST_QUANTUM,
    ),
    ("diffie-hellman-group16-sha512", "warn", NOT_POST_QUANTUM),
    ("diffie-hellman-group14-sha256", "warn", NOT_POST_QUANTUM),
    (
        "diffie-hellman-group-exchange-sha256",
        "warn",
        "2048-bit modulus only provides 112-bits of symmetric strength",
    ),
    (
        "diffie-hellman-group14-sha256",
        "warn",
        "2048-bit modulus only provides 112-bits of symmetric strength",
    ),
    // Beside the encrypt-then-MAC ones, for clients that have only these. AES-GCM, which every
    // client of this decade takes first, uses none of them.
    ("hmac-sha2-*", "warn", "using encrypt-and-MAC mode"),
];

const NOT_POST_QUANTUM: &str = "does not provide protection against post-quantum attacks";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ssh-audit"]
async fn ssh_audit_finds_no_weak_algorithm() {
    let house = House::start().await;
    let report = report(house.server.local_addr().port());
    assert_eq!(unaccepted(&report), Vec::<String>::new());
    assert_eq!(report["cves"], Value::Array(vec![]));
    assert_eq!(report["compression"], serde_json::json!(["none"]));
    assert_eq!(
        names(&report, "key"),
        ["ssh-ed25519", "ecdsa-sha2-nistp256"]
    );
    let kex = names(&report, "kex");
    assert_eq!(kex[0], "mlkem768x25519-sha256");
    assert!(kex.contains(&"kex-strict-s-v00@openssh.com"), "{kex:?}");
    for costly in ["17", "18"] {
        let group = format!("diffie-hellman-group{costly}-sha512");
        assert!(!kex.contains(&group.as_str()), "{group}");
    }
    let ciphers = names(&report, "enc");
    assert!(ciphers.iter().all(|cipher| !cipher.contains("cbc")));
}

/// ssh-audit's JSON of the server. Its exit code sums up the findings, which are judged here. Its
/// test of rates is left out: it counts connections that a limit closes as served.
fn report(port: u16) -> Value {
    let python = std::env::var("KUORI_PYTHON")
        .expect("KUORI_PYTHON names the Python of a venv with tests/outside/requirements.txt");
    let output = Command::new(python)
        .args(["-m", "ssh_audit.ssh_audit", "-j", "--skip-rate-test"])
        .args(["-p", &port.to_string(), "127.0.0.1"])
        .output()
        .unwrap();
    let text = tools::Said::from(&output);
    serde_json::from_str(&text.out).unwrap_or_else(|error| panic!("{error}: {}", text.err))
}

fn names<'r>(report: &'r Value, kind: &str) -> Vec<&'r str> {
    let all = report[kind].as_array().unwrap().iter();
    all.map(|one| one["algorithm"].as_str().unwrap()).collect()
}

fn unaccepted(report: &Value) -> Vec<String> {
    let mut found = BTreeSet::new();
    for kind in ["kex", "key", "enc", "mac"] {
        for algorithm in report[kind].as_array().unwrap() {
            let name = algorithm["algorithm"].as_str().unwrap();
            for level in ["fail", "warn"] {
                let notes = algorithm["notes"][level].as_array();
                for note in notes.into_iter().flatten() {
                    found.insert((name, level, note.as_str().unwrap()));
                }
            }
        }
    }
    assert!(!found.is_empty(), "ssh-audit said nothing");
    let rest = found.into_iter().filter(|found| !is_accepted(found));
    rest.map(|found| format!("{found:?}")).collect()
}

fn is_accepted((name, level, note): &(&str, &str, &str)) -> bool {
    ACCEPTED.iter().any(|(accepted, at, reason)| {
        let same = match accepted.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == accepted,
        };
        same && at == level && reason == note
    })
}
