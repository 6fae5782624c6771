//! What operators see of it beside the running daemon.

use std::fs;

use crate::program::{Site, until};

/// A site that looks often what its print house picks up.
fn site() -> Site {
    let site = Site::new();
    let settings = fs::read_to_string(site.path("kuori.toml")).unwrap();
    let settings = format!("{settings}pickup_look_secs = 1\n");
    fs::write(site.path("kuori.toml"), settings).unwrap();
    site
}

fn state(site: &Site, bundle: &str) -> String {
    let said = site.kuori(&format!("bundle show {bundle} --json"));
    match said.code {
        Some(0) => said.json()["state"].as_str().unwrap().to_owned(),
        _ => String::new(),
    }
}

#[test]
fn a_pick_up_is_seen_and_what_is_held_goes_on_when_somebody_says_so() {
    let site = site();
    let daemon = site.start();
    site.upload(&site.sample("first.zip", "--letters 3 --digital-share 0"));
    until("the bundle is handed over", || {
        state(&site, "P-0001") == "handed-over"
    });
    let waiting = site.json("outbox list --state handed-over");
    assert_eq!(waiting["waiting"][0]["bundle"], "P-0001");
    fs::remove_file(site.path("print-house/pickup/P-0001/P-0001.pdf")).unwrap();
    until("the pick-up is seen", || {
        !site.json("bundle show P-0001")["picked_up_at"].is_null()
    });
    assert!(site.done("events B-0001").out.contains("picked up P-0001"));
    assert_eq!(site.kuori("outbox list --overdue").code, Some(0));

    let foreign = site.path("print-house/pickup/P-0002");
    fs::create_dir_all(&foreign).unwrap();
    fs::write(foreign.join("P-0002.pdf"), "somebody else's").unwrap();
    site.upload(&site.sample("second.zip", "--letters 3 --digital-share 0 --seed 2"));
    until("the bundle is held", || {
        let held = site.json("outbox list --state held");
        held["waiting"][0]["bundle"] == "P-0002"
    });
    let shown = site.done("bundle show P-0002");
    assert!(
        shown.out.contains("another file stands at"),
        "{}",
        shown.out
    );
    assert!(
        shown.err.contains("kuori outbox retry P-0002"),
        "{}",
        shown.err
    );
    fs::remove_file(foreign.join("P-0002.pdf")).unwrap();
    site.done("outbox retry P-0002 --reason moved-away");
    until("the bundle is handed over", || {
        state(&site, "P-0002") == "handed-over"
    });
    assert_eq!(site.names("print-house/pickup/P-0002").len(), 4);
    daemon.stop();
}
