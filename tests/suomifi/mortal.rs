//! A daemon that is killed once, where a test wants it, and started again.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    os::unix::process::ExitStatusExt,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use tokio::time::sleep;

use super::town::Town;
use crate::program::{Dice, Running};

const PATIENCE: Duration = Duration::from_mins(3);

/// A process ends at the n-th pass of a point.
#[derive(Debug, Clone)]
pub(super) struct Kill {
    pub(super) point: String,
    pub(super) pass: u64,
}

/// How often each point was passed, on both of its sides.
pub(super) type Passed = BTreeMap<String, u64>;

pub(super) struct Mortal {
    pub(super) town: Town,
    daemon: Option<Running>,
    /// Still to come.
    kill: Option<Kill>,
}

impl Mortal {
    pub(super) fn new(town: Town, kill: Option<Kill>) -> Self {
        Self {
            town,
            daemon: None,
            kill,
        }
    }

    pub(super) fn is_to_be_killed(&self) -> bool {
        self.kill.is_some()
    }

    /// Waits, with a daemon that lives.
    pub(super) async fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let since = Instant::now();
        loop {
            self.keep_alive();
            if holds(self) {
                return;
            }
            let log = fs::read_to_string(self.town.path("daemon.log")).unwrap_or_default();
            assert!(since.elapsed() < PATIENCE, "in vain until {what}: {log}");
            sleep(Duration::from_millis(25)).await;
        }
    }

    /// Starts the daemon where it does not run: it has not yet, or it was killed.
    fn keep_alive(&mut self) {
        if let Some(daemon) = &mut self.daemon {
            let Some(status) = daemon.0.try_wait().unwrap() else {
                return;
            };
            let killed = self.kill.take().filter(|_| status.signal() == Some(9));
            let log = fs::read_to_string(self.town.path("daemon.log")).unwrap_or_default();
            assert!(
                killed.is_some(),
                "the daemon ended by itself: {status}\n{log}"
            );
        }
        self.daemon = Some(self.start());
    }

    fn start(&self) -> Running {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.town.path("daemon.log"))
            .unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_kuori"));
        command
            .args(["run", "--config", "kuori.toml"])
            .current_dir(self.town.path(""))
            .env_remove("RUST_LOG")
            .env("KUORI_CRASH_LOG", self.town.path("points.log"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        if let Some(Kill { point, pass }) = &self.kill {
            command.env("KUORI_CRASH_AT", format!("{point}#{pass}"));
        }
        Running(command.spawn().unwrap())
    }

    /// However it ends: it may have been started a moment ago, and not listen for signals yet, or be killed
    /// while it stops.
    pub(super) fn stop(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.signal("TERM");
            let status = daemon.0.wait().unwrap();
            if status.signal() == Some(9) {
                self.kill = None;
            }
        }
    }

    pub(super) fn database(&self) -> rusqlite::Connection {
        let path = self.town.path("data/kuori.sqlite");
        let database = rusqlite::Connection::open(path).unwrap();
        database.busy_timeout(Duration::from_secs(10)).unwrap();
        database
    }

    pub(super) fn number(&self, sql: &str) -> u64 {
        let found = self.database().query_row(sql, [], |row| row.get(0));
        found.unwrap()
    }

    pub(super) fn texts(&self, sql: &str) -> Vec<String> {
        let database = self.database();
        let mut query = database.prepare(sql).unwrap();
        let texts = query.query_map([], |row| row.get(0)).unwrap();
        texts.collect::<Result<_, _>>().unwrap()
    }

    pub(super) fn passed(&self) -> Passed {
        let mut passed = BTreeMap::new();
        let log = fs::read_to_string(self.town.path("points.log")).unwrap();
        for point in log.lines() {
            *passed.entry(point.to_owned()).or_default() += 1;
        }
        passed
    }
}

/// Before and after each.
pub(super) fn sides<'a>(points: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let points = points.into_iter();
    let sides = points.flat_map(|point| ["before", "after"].map(|side| format!("{point}/{side}")));
    sides.collect()
}

pub(super) fn assert_all_are_passed(points: &[String], passed: &Passed) {
    let missing: Vec<_> = points
        .iter()
        .filter(|it| !passed.contains_key(*it))
        .collect();
    assert!(missing.is_empty(), "no day passes {missing:#?}");
}

/// Kills at some points, each at any of its passes.
pub(super) fn drawn(
    points: &[String],
    passed: &Passed,
    number: usize,
    dice: &mut Dice,
) -> Vec<Kill> {
    let kills = (0..number).map(|_| {
        let drawn = usize::try_from(dice.below(points.len() as u64)).unwrap();
        let point = points[drawn].clone();
        let pass = 1 + dice.below(passed[&point]);
        Kill { point, pass }
    });
    kills.collect()
}

/// A kill at each point's first pass, and one at a later one.
pub(super) fn each(points: &[String], passed: &Passed, dice: &mut Dice) -> Vec<Kill> {
    let mut kills = Vec::new();
    for point in points {
        let later = 1 + dice.below(passed[point]);
        let all = if later > 1 { vec![1, later] } else { vec![1] };
        let of_point = |pass| Kill {
            point: point.clone(),
            pass,
        };
        kills.extend(all.into_iter().map(of_point));
    }
    kills
}
