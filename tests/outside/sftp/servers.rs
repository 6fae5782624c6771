//! Our client on other people's servers: each keeps the contract of a remote folder.

use std::{fs, sync::Arc};

use kuori::transport::{ReadBack, RemoteFolder, SftpFolder};
use tokio::task::JoinSet;

use super::far::Far;
use crate::sftp::{
    contract::{self, Place, path},
    house::{noise, put},
};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs OpenSSH's sshd"]
async fn our_client_keeps_the_contract_with_openssh() {
    keeps_the_contract(&Far::openssh()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs asyncssh"]
async fn our_client_keeps_the_contract_with_asyncssh() {
    keeps_the_contract(&Far::asyncssh()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs proftpd-mod-crypto"]
async fn our_client_keeps_the_contract_with_proftpd() {
    keeps_the_contract(&Far::proftpd()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs rclone"]
async fn our_client_keeps_the_contract_with_rclone() {
    keeps_the_contract(&Far::rclone()).await;
}

async fn keeps_the_contract(far: &Far) {
    let folder = Arc::new(SftpFolder::connect(far.settings()).await.unwrap());
    contract::check(Place {
        folder: &*folder,
        disk: far.root.clone(),
        drop: path("drop"),
        pick: path("pick"),
        scratch: far.dir.path().to_owned(),
    })
    .await;
    carries_a_big_file(far, &folder).await;
    carries_many_at_once(far, &folder).await;
}

async fn carries_a_big_file(far: &Far, folder: &SftpFolder) {
    let content = noise(100_000_000);
    let local = far.dir.path().join("big");
    put(&local, &content);
    folder
        .upload(&local, &path("drop/big"), ReadBack::Digest)
        .await
        .unwrap();
    assert!(fs::read(far.root.join("drop/big")).unwrap() == content);
    put(&far.root.join("pick/big"), &content);
    let mut got = Vec::new();
    folder.download(&path("pick/big"), &mut got).await.unwrap();
    assert!(got == content);
    // A download that broke goes on where it was.
    got.truncate(60_000_001);
    let from = path("pick/big");
    let rest = folder.read_from(&from, 60_000_001, &mut got);
    assert_eq!(rest.await.unwrap(), 39_999_999);
    assert!(got == content);
}

async fn carries_many_at_once(far: &Far, folder: &Arc<SftpFolder>) {
    let local = far.dir.path().join("small");
    put(&local, &noise(20_000));
    let mut both_ways = JoinSet::new();
    for n in 0..200 {
        let (folder, local) = (Arc::clone(folder), local.clone());
        both_ways.spawn(async move {
            let there = path(&format!("drop/small-{n}"));
            folder.upload(&local, &there, ReadBack::Size).await.unwrap();
            let mut got = Vec::new();
            folder.download(&there, &mut got).await.unwrap();
            got
        });
    }
    for got in both_ways.join_all().await {
        assert!(got == noise(20_000));
    }
}
