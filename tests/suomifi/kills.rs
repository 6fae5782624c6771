use std::{
    fs,
    process::{Command, Stdio},
    time::Duration,
};

use tokio::time::sleep;

use super::town::{NO_LIMIT, Town};
use crate::program::{Dice, Running};

fn start(town: &Town) -> Running {
    let log = fs::File::options()
        .create(true)
        .append(true)
        .open(town.path("daemon.log"))
        .unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_kuori"))
        .args(["run", "--config", "kuori.toml"])
        .current_dir(town.path(""))
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn();
    Running(child.unwrap())
}

async fn until_taken(town: &Town, messages: usize) {
    for _ in 0..6_000 {
        if town.stub.accepted().len() >= messages {
            return;
        }
        sleep(Duration::from_millis(20)).await;
    }
    let log = fs::read_to_string(town.path("daemon.log")).unwrap_or_default();
    panic!("only {} messages came: {log}", town.stub.accepted().len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_is_killed_time_and_again_sends_each_message_once() {
    let town = Town::new(NO_LIMIT).await;
    let letters = town.upload("example-city", "letters.zip", 300);
    let mut dice = Dice(11);
    for taken in [1, 40, 90, 150, 220] {
        let daemon = start(&town);
        until_taken(&town, taken).await;
        sleep(Duration::from_millis(dice.below(30))).await;
        daemon.kill();
    }
    let daemon = start(&town);
    until_taken(&town, letters.len()).await;
    daemon.stop();
    town.run().await;
    town.assert_once(&letters);
    town.assert_at_rest();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_stops_records_what_is_under_way() {
    let town = Town::new("rate_per_sec = 10.0").await;
    let letters = town.upload("example-city", "letters.zip", 40).len() as u64;
    let daemon = start(&town);
    until_taken(&town, 5).await;
    daemon.stop();
    let (taken, queue) = (town.stub.accepted().len() as u64, town.queue());
    assert_eq!((queue.sending, queue.waiting), (0, letters - taken));
    assert_eq!(town.counts(1).delivered, taken);
}
