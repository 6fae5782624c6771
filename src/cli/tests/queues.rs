//! Names of mailbox services as they are typed.

use std::path::Path;

use super::house::House;
use crate::store::{ServiceInSettings, Store};

/// A house whose settings had `old-letters` first, and have `city-letters` in its place now.
fn renamed() -> House {
    let house = House::filled();
    let store = Store::open(Path::new(&house.path("data"))).unwrap();
    for name in ["old-letters", "city-letters"] {
        let service = ServiceInSettings {
            name: name.parse().unwrap(),
            rate_per_sec: 1.0,
        };
        store.know_services(&[service]).unwrap();
    }
    house
}

#[test]
fn a_slip_in_the_name_of_a_service_is_no_empty_answer() {
    let house = renamed();
    for line in [
        "queue list --service city-leters",
        "queue retry city-leters",
        "queue move old-leters city-letters --reason renamed",
    ] {
        let said = house.kuori(line);
        assert_eq!(said.code, 1, "{line}: {}", said.out);
        assert!(
            said.err.contains("no mailbox service of that name"),
            "{}",
            said.err
        );
        assert!(said.err.contains("`kuori queue list`"), "{}", said.err);
    }
    assert!(
        house
            .both("queue move old-letters city-letters --reason renamed")
            .contains("0 messages")
    );
}

#[test]
fn settings_that_name_a_password_of_paper_which_is_not_there_are_wrong() {
    let house = House::filled();
    let settings = include_str!("../../../samples/config/suomifi.toml");
    let settings = settings.replace("password_file = \"", "password_file = \"/nowhere/");
    let file = house.file("kuori.toml", &settings);
    let said = house.kuori(&format!("config check {file}"));
    assert_eq!(said.code, 78, "{}", said.err);
    assert!(
        said.err
            .contains("`print_houses.suomifi-print.suomifi.password_file`"),
        "{}",
        said.err
    );
}
