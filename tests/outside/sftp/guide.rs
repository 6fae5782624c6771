//! The script that the senders' guide prints, from a batch to its receipts.

use std::fs;

use super::patient;
use crate::{
    committed::in_repository,
    outside::tools,
    program::{Site, until},
    sftp::house::{make_key, put},
};

#[test]
#[ignore = "needs lftp"]
fn the_script_of_the_senders_guide_sends_batches_and_fetches_receipts() {
    let site = Site::new();
    put(&site.path("kuori.toml"), settings(&site).as_bytes());
    let running = site.start();
    until("the server listens", || port(&site).is_some());
    let port = port(&site).unwrap();
    let hosts = tools::run("ssh-keyscan", ["-p", &port, "127.0.0.1"]).out;
    put(&site.path("kuori.hosts"), hosts.as_bytes());
    put(&site.path("kuori.sh"), script(&port).as_bytes());
    fs::create_dir(site.path("out")).unwrap();
    for (name, seed) in [("a.zip", 1), ("b.zip", 2)] {
        let batch = site.sample(name, &format!("--letters 4 --seed {seed}"));
        fs::copy(batch, site.path("out").join(name)).unwrap();
    }

    run_script(&site);
    assert!(site.names("out").is_empty());
    let receipts = "data/sftp/example-city/receipts";
    let has = |names: &[String], batch: &str, kind: &str| {
        let is_it = |name: &&String| name.starts_with(batch) && name.contains(kind);
        names.iter().any(|name| is_it(&name))
    };
    until("both batches are done", || {
        let names = site.names(receipts);
        has(&names, "a.", ".delivery.") && has(&names, "b.", ".delivery.")
    });
    run_script(&site);
    let fetched = site.names("receipts");
    for kind in [".acknowledgement.", ".processing.", ".delivery."] {
        for batch in ["a.", "b."] {
            assert!(has(&fetched, batch, kind), "{batch} {kind}: {fetched:?}");
        }
    }
    assert!(site.names(receipts).is_empty());
    assert!(!site.names("print-house/pickup").is_empty());
    running.stop();
}

/// The guide's own, with the address of this server.
fn script(port: &str) -> String {
    let guide = fs::read_to_string(in_repository("docs/sender-guide.md")).unwrap();
    let (_, section) = guide.split_once("\n## From a script\n").unwrap();
    let (_, script) = section.split_once("```sh\n").unwrap();
    let (script, _) = script.split_once("```").unwrap();
    for placeholder in ["kuori.example", "-p 2222"] {
        assert!(script.contains(placeholder), "{script}");
    }
    script
        .replace("kuori.example", "127.0.0.1")
        .replace("-p 2222", &format!("-p {port}"))
}

fn run_script(site: &Site) {
    let mut sh = patient("sh");
    let output = sh.arg("kuori.sh").current_dir(site.path("")).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{output:?}");
}

fn settings(site: &Site) -> String {
    let folder = site.path("");
    let folder = folder.display();
    let key = make_key(&site.path("kuori.key"));
    format!(
        "data_folder = \"{folder}/data\"\n\
         poll_interval_secs = 1\n\
         [server]\n\
         listen = \"127.0.0.1:0\"\n\
         [senders.example-city]\n\
         display_name = \"Example City\"\n\
         print_house = \"example-print\"\n\
         hold_first_batch = false\n\
         account.public_keys = [\"{key}\"]\n\
         [print_houses.example-print]\n\
         directory = \"{folder}/print-house\"\n"
    )
}

/// Where the server listens, by the daemon's log.
fn port(site: &Site) -> Option<String> {
    let log = site.log();
    let (_, rest) = log.split_once("address=127.0.0.1:")?;
    rest.split_whitespace().next().map(str::to_owned)
}
