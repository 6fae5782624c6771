use std::path::Path;

use super::*;

/// A sender whose letters Suomi.fi prints.
const LEAST: &str = "
[senders.a]
address_rows = ['Example City', 'PL 1', '00099 EXAMPLE CITY']
suomifi = 'city-letters'
print_house = 'suomifi-print'
[suomifi.city-letters]
service_id = 'S-1'
user = 'kuori'
password_file = 'suomifi.password'
[print_houses.suomifi-print.suomifi]
service = 'city-letters'
user = 'ABCDEF'
password_file = 'print.password'
contact_email = 'letters@example.com'
";

#[test]
fn a_print_house_of_suomifi_has_no_folder_and_no_account() {
    let config = parse_at(LEAST, "/data".into()).unwrap();
    let [house] = config.print_houses.as_slice() else {
        panic!("one print house");
    };
    assert!(house.folder.is_none());
    let names: Vec<_> = config
        .accounts()
        .iter()
        .map(|account| account.name.clone())
        .collect();
    assert_eq!(names, ["a"]);
    let service = house.settings.service.as_ref().unwrap();
    assert_eq!(service.service.as_str(), "city-letters");
    assert_eq!(service.password_file, Path::new("/data/print.password"));
    assert!(service.lets_service_choose && service.cost_pool.is_none());
    let plain = crate::print::Settings::default();
    assert_eq!(house.settings.print.max_sheets(), plain.max_sheets());
}

#[test]
fn what_is_wrong_with_a_print_house_of_suomifi_says_what_to_write() {
    let with = |from: &str, to: &str| wrong(&LEAST.replace(from, to));
    let told = [
        with("service = 'city-letters'", "service = 'city-leters'"),
        with("user = 'ABCDEF'", "user = 'ABCDEFG'"),
        with("'letters@example.com'", "'nobody'"),
        with("contact_email =", "cost_pool = 'a b'\ncontact_email ="),
        with(
            "[print_houses.suomifi-print.suomifi]",
            "[print_houses.suomifi-print]\ndirectory = 'p'\n[print_houses.suomifi-print.suomifi]",
        ),
        with(
            "address_rows = ['Example City', 'PL 1', '00099 EXAMPLE CITY']",
            "address_rows = ['Example City']",
        ),
        with("password_file = 'print.password'", ""),
    ];
    insta::assert_snapshot!(told.join("\n"), @r#"
    line 11: `print_houses.suomifi-print.suomifi.service` names the service "city-leters", which is not set up; give it a table `[suomifi.city-leters]`; did you mean `city-letters`?
    line 12: `print_houses.suomifi-print.suomifi.user` must have at most 6 characters, not 7
    line 14: `print_houses.suomifi-print.suomifi.contact_email` must be an e-mail address, as `letters@example.com`
    line 14: `print_houses.suomifi-print.suomifi.cost_pool` must be of A-Z and 0-9, as `LETTERS01`
    line 11: `print_houses.suomifi-print.directory` is given beside `suomifi`; keep one of the two
    line 3: `senders.a.address_rows` must end with a street and, below it, postal code and locality, as `["Example City", "PL 1", "00099 EXAMPLE CITY"]`: Suomi.fi prints for nobody without an address
    line 10: `print_houses.suomifi-print.suomifi.password_file` is missing
    "#);
}
