//! Strangers that try key after key, and a good client among them.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::{net::TcpSocket, task::JoinSet, time::sleep};

use super::{
    panics,
    ssh::{Ssh, msg},
    wire::a_good_client_works,
};
use crate::sftp::house::House;

/// Strangers at the same time, each with an address of its own for each connection, as a botnet has:
/// nearly as many as may be there without a login. Each waits a second for an answer.
const AT_ONCE: u32 = 45;

#[tokio::test(flavor = "multi_thread")]
async fn a_good_client_gets_in_while_others_try_hundreds_of_keys() {
    tries_while_a_good_client_works(100).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute"]
async fn a_good_client_gets_in_while_others_try_thousands_of_keys() {
    tries_while_a_good_client_works(2_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_gets_no_more_tries_than_the_settings_say() {
    let house = House::start_with(|settings| settings.login_failures_per_address = 7).await;
    let guesser = Guesser::at(&house);
    let mut refused = 0;
    for _ in 0..12 {
        refused += guesser.guess(Ipv4Addr::new(127, 0, 0, 9), 0).await;
    }
    // A connection that was let in before may use up its tries.
    assert!((7..10).contains(&refused), "{refused}");
    a_good_client_works(&house, "after.zip").await;
}

/// Goes on until `tries` logins were answered, each with no.
async fn tries_while_a_good_client_works(tries: u32) {
    let house = Arc::new(House::start().await);
    let refused = Arc::new(AtomicU32::new(0));
    let is_over = Arc::new(AtomicBool::new(false));
    let guesser = Arc::new(Guesser::at(&house));
    let mut trying = JoinSet::new();
    for stranger in 0..AT_ONCE {
        let (guesser, refused) = (Arc::clone(&guesser), Arc::clone(&refused));
        trying.spawn(async move {
            for connection in 0.. {
                if refused.load(Ordering::Acquire) >= tries {
                    return;
                }
                let [.., high, low] = u32::to_be_bytes(connection);
                let number = u8::try_from(stranger + 1).unwrap();
                let from = Ipv4Addr::new(127, number, high, low);
                let more = guesser.guess(from, connection).await;
                refused.fetch_add(more, Ordering::AcqRel);
                if more == 0 {
                    // All places are taken.
                    sleep(Duration::from_millis(20)).await;
                }
            }
        });
    }
    let good = tokio::spawn({
        let (house, is_over) = (Arc::clone(&house), Arc::clone(&is_over));
        async move {
            let mut worked = 0;
            while !is_over.load(Ordering::Acquire) || worked < 3 {
                a_good_client_works(&house, "good.zip").await;
                fs::remove_file(house.on_disk("other/inbox/good.zip")).unwrap();
                worked += 1;
            }
        }
    });
    trying.join_all().await;
    is_over.store(true, Ordering::Release);
    good.await.unwrap();
    assert!(refused.load(Ordering::Acquire) >= tries);
    assert_eq!(panics::seen(), Vec::<String>::new());
}

/// Has a key that opens another account than the one it asks for.
struct Guesser {
    server: SocketAddr,
    key: PathBuf,
}

impl Guesser {
    fn at(house: &House) -> Self {
        Self {
            server: house.server.local_addr(),
            key: house.key("print"),
        }
    }

    /// Tries on one connection until that is closed; returns how many tries were answered.
    async fn guess(&self, from: Ipv4Addr, number: u32) -> u32 {
        self.tried(from, number).await.unwrap_or(0)
    }

    async fn tried(&self, from: Ipv4Addr, number: u32) -> Option<u32> {
        let socket = TcpSocket::new_v4().ok()?;
        socket.bind((from, 0).into()).ok()?;
        let mut ssh = Ssh::on(socket.connect(self.server).await.ok()?).await?;
        ssh.exchange_keys().await?;
        ssh.request_userauth().await?;
        let user = if number.is_multiple_of(2) {
            "city"
        } else {
            "nobody"
        };
        let mut refused = 0;
        let signed = ssh.signed_login(user, &self.key);
        while is_refused(&mut ssh, &signed).await {
            refused += 1;
        }
        Some(refused)
    }
}

/// Whether the login was answered with no; it must not be yes.
async fn is_refused(ssh: &mut Ssh, request: &[u8]) -> bool {
    ssh.send(request).await;
    let answers = [msg::USERAUTH_SUCCESS, msg::USERAUTH_FAILURE];
    let answer = ssh.expect_any(&answers).await;
    answer.is_some_and(|answer| {
        assert_eq!(answer[0], msg::USERAUTH_FAILURE);
        true
    })
}
