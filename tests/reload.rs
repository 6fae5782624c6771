//! The real program at SIGHUP, and while commands change its accounts beside it.

use std::{fs, path::Path, time::Duration};

use kuori::{
    domain::Disposition,
    transport::{HostKey, Login, RemoteFolder, SftpFolder, SftpSettings},
};
use tokio::time::sleep;

use crate::{
    program::{Running, Site, until},
    sftp::{contract::path, house::make_key},
};

/// A site with the embedded server and one sender, who has a key.
fn settings(site: &Site, more: &str) -> String {
    let data = site.data();
    let key = fs::read_to_string(site.path("city.pub")).unwrap();
    format!(
        "data_folder = \"{}\"\n\
         [server]\n\
         listen = \"127.0.0.1:0\"\n\
         {more}\n\
         [senders.example-city.account]\n\
         public_keys = [\"{}\"]\n",
        data.display(),
        key.trim()
    )
}

fn site() -> (Site, Running, u16) {
    let site = Site::new();
    let line = make_key(&site.path("city"));
    fs::write(site.path("city.pub"), line).unwrap();
    fs::write(site.path("kuori.toml"), settings(&site, "")).unwrap();
    let daemon = site.start();
    until("it serves", || site.log().contains("serving SFTP"));
    let log = plain(&site);
    let port = log.split("address=127.0.0.1:").nth(1).unwrap();
    let port = port.split(char::is_whitespace).next().unwrap();
    (site, daemon, port.parse().unwrap())
}

/// The log without colours.
fn plain(site: &Site) -> String {
    site.log().replace('\u{1b}', "")
}

fn login(site: &Site, port: u16, user: &str, key: &Path) -> SftpSettings {
    let host_key = site.data().join("sftp-host-keys/ssh_host_ed25519_key");
    let host_key = russh::keys::load_secret_key(host_key, None).unwrap();
    let pin = host_key
        .fingerprint(russh::keys::HashAlg::Sha256)
        .to_string();
    SftpSettings {
        host: "127.0.0.1".to_owned(),
        port,
        user: user.to_owned(),
        login: Login::Key(key.to_owned()),
        host_key: HostKey::Fingerprints(vec![pin]),
        ..SftpSettings::default()
    }
}

/// Whether the key opens the account, once the daemon has had the time to follow.
async fn opens(settings: &SftpSettings, wanted: bool) -> bool {
    for _ in 0..300 {
        if SftpFolder::connect(settings.clone()).await.is_ok() == wanted {
            return true;
        }
        sleep(Duration::from_millis(100)).await;
    }
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_settings_change_nothing_and_good_ones_are_taken_over_while_it_runs() {
    let (site, daemon, port) = site();
    let city = login(&site, port, "example-city", &site.path("city"));
    let connected = SftpFolder::connect(city.clone()).await.unwrap();
    fs::write(site.path("kuori.toml"), settings(&site, "[server.limts]")).unwrap();
    daemon.signal("HUP");
    until("what is wrong is said", || {
        plain(&site).contains("`server.limts` is not a known key")
    });
    let hospital = make_key(&site.path("hospital"));
    let more = format!(
        "[server.limits]\nmax_connections_per_account = 1\n\
         [senders.hospital.account]\npublic_keys = [\"{hospital}\"]"
    );
    fs::write(site.path("kuori.toml"), settings(&site, &more)).unwrap();
    daemon.signal("HUP");
    until("they are taken over", || {
        plain(&site).contains("took over the settings")
    });
    assert!(plain(&site).contains("hospital"));
    // The new sender has a door, the limit holds, and who was connected has noticed nothing.
    let newcomer = login(&site, port, "hospital", &site.path("hospital"));
    assert!(opens(&newcomer, true).await);
    connected.list(&path("inbox")).await.unwrap();
    let second = SftpFolder::connect(city.clone()).await.err().unwrap();
    assert_eq!(second.disposition(), Disposition::Hold);
    // And it goes as it came.
    fs::write(site.path("kuori.toml"), settings(&site, "")).unwrap();
    daemon.signal("HUP");
    assert!(opens(&newcomer, false).await);
    drop(connected);
    daemon.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_beside_the_daemon_opens_and_shuts_accounts() {
    let (site, daemon, port) = site();
    let by_settings = login(&site, port, "example-city", &site.path("city"));
    SftpFolder::connect(by_settings.clone()).await.unwrap();
    fs::write(site.path("next.pub"), make_key(&site.path("next"))).unwrap();
    let by_command = login(&site, port, "example-city", &site.path("next"));
    site.done("account rotate example-city --key next.pub --reason yearly");
    assert!(opens(&by_command, true).await);
    assert!(opens(&by_settings, false).await);
    site.done("account disable example-city --reason holidays");
    assert!(opens(&by_command, false).await);
    site.done("account enable example-city");
    assert!(opens(&by_command, true).await);
    // Who came is told within seconds.
    until("the login is told", || {
        let told = site.json("account show example-city");
        told["account"]["last_login"]["from"] == "127.0.0.1"
    });
    // A settings file that still has the old key does not bring it back.
    daemon.signal("HUP");
    until("they are taken over", || {
        plain(&site).contains("took over the settings")
    });
    assert!(opens(&by_settings, false).await);
    daemon.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn new_host_keys_are_shown_from_the_next_signal_on() {
    let (site, daemon, port) = site();
    let pinned_to_old = login(&site, port, "example-city", &site.path("city"));
    SftpFolder::connect(pinned_to_old.clone()).await.unwrap();
    fs::remove_dir_all(site.data().join("sftp-host-keys")).unwrap();
    daemon.signal("HUP");
    until("the new key is told", || {
        plain(&site).contains("new host key")
    });
    assert!(opens(&pinned_to_old, false).await);
    let pinned_to_new = login(&site, port, "example-city", &site.path("city"));
    assert!(opens(&pinned_to_new, true).await);
    daemon.stop();
}
