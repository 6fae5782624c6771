//! What is kept, for how long, and how it comes back: purges, backups, restored houses, damaged files.

mod backups;
mod damage;
mod forgetting;
mod restored;

use std::fs;

use crate::program::{Site, until};

/// A site whose print house fetches nothing that is looked for.
fn site() -> Site {
    let site = Site::new();
    let settings = fs::read_to_string(site.path("kuori.toml")).unwrap();
    let table = "[print_houses.example-print]\n";
    let never = format!("{table}picked_up_when = \"never\"\n");
    let settings = settings.replace(table, &never);
    fs::write(site.path("kuori.toml"), settings).unwrap();
    site
}

/// Runs the daemon until all that is known is at its end.
fn run_to_the_end(site: &Site, batches: usize) {
    let daemon = site.start();
    until_all_is_done(site, "", batches);
    daemon.stop();
}

/// `options` name another data folder.
fn until_all_is_done(site: &Site, options: &str, batches: usize) {
    until("every batch is at its end", || {
        let listed = site.json(&format!("batch list --limit 1000 {options}"));
        let listed = listed["batches"].as_array().unwrap().clone();
        listed.len() == batches
            && listed.iter().all(|batch| {
                let id = batch["batch"].as_str().unwrap();
                let shown = site.json(&format!("batch show {id} {options}"));
                let hand_overs = shown["hand_overs"].as_array().unwrap();
                let is_over = |one: &serde_json::Value| {
                    ["handed-over", "withdrawn"].contains(&one["state"].as_str().unwrap())
                };
                let is_told = shown["state"] != "reported"
                    || hand_overs.iter().any(|one| one["kind"] == "delivery");
                shown["due_at"].is_null() && is_told && hand_overs.iter().all(is_over)
            })
    });
}
