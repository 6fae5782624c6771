//! Accounts on the embedded server, as operators change them.

use super::{House, house::Said};

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMbpM+HvnHuTUHRAj5zPbcpaF1wWDEmr9a6Hz5nEN3s1 batch@city";
const OTHER: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIcA6U3l4uzvEyXaMNJFrPcHXjJbvzBPBqA2Kt2cG2Jt next@city";

const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/samples/config/demo.toml");

/// A house whose settings are those of the demo.
fn house() -> (House, String) {
    let house = House::held();
    let key = house.file("city.pub", KEY);
    let added = house.kuori(&format!(
        "account add example-city --key {key} --config {DEMO} --reason first"
    ));
    assert_eq!(added.code, 0, "{}", added.err);
    (house, added.out)
}

fn failed(said: Said) -> String {
    assert_ne!(said.code, 0);
    said.err
}

#[test]
fn a_key_is_added_rotated_and_removed_and_the_list_tells() {
    let (house, added) = house();
    insta::assert_snapshot!(added, @r"
    example-city: key added: SHA256:oEiOZG/N2MQnYnpUOtDZDBTVGJ0U37GOyJ6VnCkyzK0
    ");
    let other = house.file("other.pub", OTHER);
    let rotate = format!("account rotate example-city --key {other} --keep-old-until 14d");
    insta::assert_snapshot!(house.both(&rotate), @r"
    example-city: key rotated to SHA256:PpXagCKF5Snfz+qhRibrrGQItolsIgs76cz/ZYD5j0w; the old until 2026-03-15T08:00:00Z
    ");
    insta::assert_snapshot!(house.out("account list"), @r"
    ACCOUNT        ROLE         STATE   KEY                                                 FROM                                 LAST LOGIN  ADDRESS  REFUSED
    example-city   sender       open    SHA256:PpXagCKF5Snfz+qhRibrrGQItolsIgs76cz/ZYD5j0w  command                              -           -              0
                                        SHA256:oEiOZG/N2MQnYnpUOtDZDBTVGJ0U37GOyJ6VnCkyzK0  command, until 2026-03-15T08:00:00Z
    example-print  print house  no key  -                                                                                        -           -              0
    ");
    let first = added.trim().rsplit(' ').next().unwrap();
    let remove = format!("account remove-key example-city {first}");
    insta::assert_snapshot!(house.both(&format!("{remove} --dry-run")), @r"
    example-city: key removed: SHA256:oEiOZG/N2MQnYnpUOtDZDBTVGJ0U37GOyJ6VnCkyzK0 (not done)
    ");
    house.out(&remove);
    insta::assert_snapshot!(house.both(&remove), @r"
    error: nothing was done to account `example-city`
      caused by: it has no key SHA256:oEiOZG/N2MQnYnpUOtDZDBTVGJ0U37GOyJ6VnCkyzK0

    hint: `kuori account show example-city` has all of it
    ");
    insta::assert_snapshot!(house.out("account show example-city"), @r"
    Account     example-city: open
    Password    none

    KEY                                                 FROM     ADDED                 BY     COMMENT
    SHA256:PpXagCKF5Snfz+qhRibrrGQItolsIgs76cz/ZYD5j0w  command  2026-03-01T08:00:00Z  maija  next@city

    AT                    BY     WHAT                                                                                                   WHY
    2026-03-01T08:00:00Z  maija  key added: SHA256:oEiOZG/N2MQnYnpUOtDZDBTVGJ0U37GOyJ6VnCkyzK0                                          first
    2026-03-01T08:00:00Z  maija  key rotated to SHA256:PpXagCKF5Snfz+qhRibrrGQItolsIgs76cz/ZYD5j0w; the old until 2026-03-15T08:00:00Z
    2026-03-01T08:00:00Z  maija  key removed: SHA256:oEiOZG/N2MQnYnpUOtDZDBTVGJ0U37GOyJ6VnCkyzK0
    ");
}

#[test]
fn an_account_is_disabled_once_and_enabled_again() {
    let (house, _) = house();
    insta::assert_snapshot!(house.both("account disable example-city --reason lost-laptop"), @r"
    example-city: disabled
    ");
    insta::assert_snapshot!(house.both("account disable example-city"), @r"
    error: nothing was done to account `example-city`
      caused by: it is disabled since 2026-03-01T08:00:00Z

    hint: `kuori account show example-city` has all of it
    ");
    insta::assert_snapshot!(house.both("account enable example-city"), @r"
    example-city: enabled
    ");
    insta::assert_snapshot!(house.both("account remove-password example-city"), @r"
    error: nothing was done to account `example-city`
      caused by: it has no password

    hint: `kuori account show example-city` has all of it
    ");
}

#[test]
fn a_password_is_read_from_the_input_or_made_and_shown_once() {
    let (house, _) = house();
    let made = house.out("account add example-print --generate");
    let password = made.trim().rsplit(' ').next().unwrap();
    assert_eq!(password.len(), 26, "{made}");
    let shown = house.out("account show example-print --json");
    assert!(
        !shown.contains(password) && shown.contains("\"has_password\": true"),
        "{shown}"
    );
    let (line, short) = ("account add example-city --password", "short\n");
    let said = house.asked(line, "correct horse battery\n");
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(failed(house.asked(line, short)).contains("12 characters"));
}

#[test]
fn what_is_no_key_no_address_and_no_account_is_said() {
    let (house, _) = house();
    let private = house.file("id", "-----BEGIN OPENSSH PRIVATE KEY-----");
    let (none, two) = (
        house.file("none", "hello"),
        house.file("two", &format!("{KEY}\n{OTHER}")),
    );
    let said = failed(house.kuori(&format!("account add example-city --key {private}")));
    assert!(
        said.contains("is a private key") && said.contains("`.pub`"),
        "{said}"
    );
    for file in [none, two] {
        let said = house.kuori(&format!("account add example-city --key {file}"));
        assert!(failed(said).contains("is not one public key"));
    }
    assert!(
        failed(house.kuori("account add example-city --from city")).contains("`city` is neither")
    );
    insta::assert_snapshot!(house.both("account disable example-sity"), @r"
    error: there is no sender and no print house `example-sity`

    hint: did you mean `example-city`?
    ");
    insta::assert_snapshot!(house.both("account disable hospital"), @r"
    error: there is no sender and no print house `hospital`

    hint: an account is that of a sender or print house of the settings, and known once `kuori run` has started with it; before that, name the settings: `--config FILE`
    ");
    assert!(failed(house.kuori("account add example-city")).contains("required"));
}

#[test]
fn addresses_are_set_and_taken_back() {
    let (house, _) = house();
    let set = "account add example-city --from 192.0.2.7,2001:db8::/32";
    insta::assert_snapshot!(house.both(set), @r"
    example-city: addresses: 192.0.2.7/32, 2001:db8::/32
    ");
    insta::assert_snapshot!(house.both("account add example-city --from any"), @r"
    example-city: addresses: those of the settings
    ");
}
