//! The watch over the house from outside: what `/metrics` and the probes answer, what operators are
//! told, and that a stuck scraper harms nobody.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use kuori::{
    assemble::Daemon,
    config::Config,
    monitor::{AlertSettings, Watch, reference, troubles},
    pipeline::Clock,
    store::{Store, Telling},
};
use tokio::sync::watch;

use crate::committed::check_committed;

/// How long a test waits before it fails.
const PATIENCE: Duration = Duration::from_mins(2);

#[test]
fn the_committed_list_of_metrics_is_that_of_the_code() {
    check_committed("docs/metrics.md", reference().as_bytes());
}

/// A house that answers over HTTP, at work until it is dropped.
pub(crate) struct House {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    worked: tokio::task::JoinHandle<Result<(), kuori::assemble::Error>>,
}

impl House {
    pub(crate) async fn start(folder: &Path, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::embedded(folder.to_owned());
        config.server = None;
        config.monitor.listen = Some("127.0.0.1:0".parse().unwrap());
        config.monitor.limits.refresh = Duration::ZERO;
        config.inboxes.min_free_bytes = 0;
        config.alerts.min_free_bytes = 0;
        change(&mut config);
        let daemon = Daemon::start(&config, Clock::new(Timestamp::now))
            .await
            .unwrap();
        let address = daemon.monitor_address().unwrap();
        let (stop, stopped) = watch::channel(false);
        let worked = tokio::spawn(daemon.run(stopped));
        Self {
            address,
            stop,
            worked,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> String {
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
        self.ask(&request).await
    }

    async fn ask(&self, request: &str) -> String {
        let (address, request) = (self.address, request.to_owned());
        let asked = tokio::task::spawn_blocking(move || ask(address, request.as_bytes()));
        asked.await.unwrap()
    }

    /// Asks until the answer has those words.
    async fn until(&self, path: &str, words: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let answer = self.get(path).await;
            if answer.contains(words) {
                return answer;
            }
            assert!(Instant::now() < until, "no `{words}` in {answer}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) async fn end(self) {
        self.stop.send_replace(true);
        self.worked.await.unwrap().unwrap();
    }
}

/// What stands below the headers.
pub(crate) fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

/// What comes back until the other side closes.
fn ask(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_and_probes_are_answered_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::start(folder.path(), |_| {}).await;
    let metrics = house.get("/metrics").await;
    assert!(metrics.starts_with("HTTP/1.1 200 OK\r\n"), "{metrics}");
    assert!(
        metrics.contains("content-type: text/plain; version=0.0.4"),
        "{metrics}"
    );
    assert!(metrics.contains("\nkuori_store_up 1\n"), "{metrics}");
    assert!(
        metrics.contains("\nkuori_crashes_in_a_row 0\n"),
        "{metrics}"
    );
    let health = house.get("/healthz").await;
    assert!(health.ends_with("\r\n\r\n{\"ok\":true}\n"), "{health}");
    assert!(house.get("/readyz").await.starts_with("HTTP/1.1 200"));
    assert!(house.get("/").await.starts_with("HTTP/1.1 404"));
    let post = house
        .ask("POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
        .await;
    assert!(post.starts_with("HTTP/1.1 405"), "{post}");
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_too_full_is_not_ready_and_is_an_alert() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::start(folder.path(), |config| {
        config.alerts.min_free_bytes = u64::MAX;
    })
    .await;
    let ready = house.get("/readyz").await;
    assert!(ready.starts_with("HTTP/1.1 503"), "{ready}");
    assert!(
        ready.contains("\"ok\":false") && ready.contains("bytes left"),
        "{ready}"
    );
    assert!(house.get("/healthz").await.starts_with("HTTP/1.1 200"));
    house
        .until("/metrics", "\nkuori_alerts{code=\"disk-low\"} 1\n")
        .await;
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_stuck_is_cut_off_and_keeps_nobody_else_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::start(folder.path(), |config| {
        config.monitor.limits.max_connections = 2;
        config.monitor.limits.request_time = Duration::from_secs(3);
    })
    .await;
    let stuck: Vec<_> = (0..2)
        .map(|_| TcpStream::connect(house.address).unwrap())
        .collect();
    // Both places are taken until the two are cut off; then others are answered again.
    house
        .until("/metrics", "kuori_monitor_refused_total{why=\"slow\"}")
        .await;
    drop(stuck);
    let long = format!(
        "GET /metrics HTTP/1.1\r\nHost: {}\r\n\r\n",
        "a".repeat(100_000)
    );
    let refused = house.ask(&long).await;
    assert!(!refused.starts_with("HTTP/1.1 200"), "{refused}");
    house.until("/healthz", "\"ok\":true").await;
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_is_paged_once_and_not_again_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let paged = folder.path().join("paged");
    let script = format!(
        "echo \"$KUORI_ALERT_WHAT $KUORI_ALERT_CODE\" >> {}",
        paged.display()
    );
    let settings = |config: &mut Config| {
        config.alerts.min_free_bytes = u64::MAX;
        config.alerts.command = ["/bin/sh", "-c", &script].map(str::to_owned).to_vec();
        config.alerts.look_every = Duration::from_millis(50);
    };
    let data = folder.path().join("data");
    let house = House::start(&data, settings).await;
    house
        .until("/metrics", "kuori_alert_commands_total{outcome=\"done\"}")
        .await;
    house.end().await;
    let house = House::start(&data, settings).await;
    house
        .until("/metrics", "\nkuori_alerts{code=\"disk-low\"} 1\n")
        .await;
    house.end().await;
    let enough = |config: &mut Config| {
        settings(config);
        config.alerts.min_free_bytes = 0;
    };
    let house = House::start(&data, enough).await;
    let until = Instant::now() + PATIENCE;
    let told = loop {
        let told = std::fs::read_to_string(&paged).unwrap();
        if told.contains("over") {
            break told;
        }
        assert!(Instant::now() < until, "{told}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(told, "begun disk-low\nover disk-low\n");
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn starts_are_recorded_and_one_that_was_told_to_end_is_no_crash() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        House::start(folder.path(), |_| {}).await.end().await;
    }
    let store = Store::open(folder.path()).unwrap();
    let status = store.status(Timestamp::now()).unwrap();
    assert_eq!(status.crashes_in_a_row, 0);
    assert!(status.start.unwrap().stopped_at.is_some());
}

#[test]
fn three_crashes_in_a_row_are_an_alert_that_ends_with_a_good_start() {
    let folder = tempfile::tempdir().unwrap();
    let store = std::sync::Arc::new(Store::open(folder.path()).unwrap());
    let now = Timestamp::UNIX_EPOCH;
    let settings = AlertSettings {
        min_free_bytes: 0,
        ..AlertSettings::default()
    };
    let watch = Watch::new(std::sync::Arc::clone(&store), move || now);
    let told = || {
        let told = watch.look(&settings).unwrap();
        told.into_iter()
            .map(|(what, alert)| (what, alert.code))
            .collect::<Vec<_>>()
    };
    for _ in 0..3 {
        store.record_start("0.1.0", 1, now).unwrap();
        assert_eq!(told(), []);
    }
    let fourth = store.record_start("0.1.0", 1, now).unwrap();
    assert_eq!(told(), [(Telling::Begun, "crashes".to_owned())]);
    let status = store.status(now).unwrap();
    assert_eq!(troubles(&status, &settings, now).len(), 1);
    store.record_stop(&fourth, now).unwrap();
    store.record_start("0.1.0", 1, now).unwrap();
    assert_eq!(told(), [(Telling::Over, "crashes".to_owned())]);
}
