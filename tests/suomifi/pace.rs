use std::time::Duration;

use kuori::suomifi_stub::Counts;

use super::town::Town;

/// By the service's own count: no second has more than the rate, and one for what travels faster.
fn assert_never_above(counts: &Counts, rate: u32) {
    let most = u32::try_from(counts.rate.most_in_one_sec).unwrap();
    assert!(most <= rate + 1, "{:?}", counts.rate);
    let mean = counts.rate.mean_per_sec;
    assert!(mean <= f64::from(rate), "{:?}", counts.rate);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_counts_no_more_than_the_rate_and_nearly_all_of_it() {
    // On a machine with too much to do, a thread that has slept for 200 ms comes late.
    let mut best = 0.0_f64;
    for _ in 0..4 {
        let town = Town::new("rate_per_sec = 5.0").await;
        let letters = town.upload("example-city", "letters.zip", 26);
        town.run().await;
        let counts = town.stub.counts();
        assert_eq!(counts.sent, letters.len() as u64);
        assert_never_above(&counts, 5);
        best = best.max(counts.rate.mean_per_sec);
        if best >= 0.98 * 5.0 {
            return;
        }
    }
    panic!("no more than {best} of 5 messages a second");
}

#[tokio::test(flavor = "multi_thread")]
async fn restarts_do_not_make_it_faster() {
    let town = Town::new("rate_per_sec = 4.0").await;
    let letters = town.upload("example-city", "letters.zip", 12);
    for taken in [3, 6, 9] {
        let works = town.open();
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let working =
            tokio::spawn(async move { works.run_until_idle_or(&stopped).await.map(drop) });
        while town.stub.accepted().len() < taken {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stop.send_replace(true);
        working.await.unwrap().unwrap();
    }
    town.run().await;
    assert_never_above(&town.stub.counts(), 4);
    town.assert_once(&letters);
    town.assert_at_rest();
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_run_ahead_of_the_rate_and_no_further_than_is_under_way() {
    let town = Town::new("rate_per_sec = 5.0\nin_flight = 3").await;
    let letters = town.upload("example-city", "letters.zip", 10);
    town.run().await;
    let counts = town.stub.counts();
    let all = letters.len() as u64;
    assert_eq!((counts.sent, counts.uploads), (all, all));
    assert!(counts.requests_in_hand.most <= 3, "{counts:?}");
    assert_never_above(&counts, 5);
}
