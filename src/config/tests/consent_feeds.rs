use jiff::SignedDuration;

use super::*;
use crate::{config::ConsentFeedConfig, sftp_server::Role};

const SENDER: &str = "[senders.city]\n";

fn feeds(text: &str) -> Vec<ConsentFeedConfig> {
    parse(&format!("{SENDER}{text}")).unwrap().consent_feeds
}

#[test]
fn a_feed_has_an_account_of_its_own_or_a_folder_that_settles() {
    let read = feeds("[consent_feeds.a]\n[consent_feeds.b]\ndirectory = \"b\"\nfull = true\n");
    let [a, b] = read.as_slice() else {
        panic!("{read:?}")
    };
    assert_eq!(
        (a.settle, b.settle),
        (SignedDuration::ZERO, SignedDuration::from_secs(60))
    );
    assert_eq!((a.how.is_full, b.how.is_full), (false, true));
    assert_eq!(b.how.most_missing_percent, 20);
    let config = parse(&format!("{SENDER}[consent_feeds.a]\n")).unwrap();
    let accounts: Vec<_> = config
        .accounts()
        .into_iter()
        .map(|account| (account.name, account.role))
        .collect();
    assert_eq!(
        accounts,
        [
            ("city".to_owned(), Role::Sender),
            ("a".to_owned(), Role::ConsentFeed)
        ]
    );
}

#[test]
fn a_feed_shares_neither_account_nor_folder_and_one_alone_brings_all_consents() {
    let wrong = |text: &str| {
        let problems = parse(&format!("{SENDER}{text}")).unwrap_err();
        let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
        lines.join("\n")
    };
    insta::assert_snapshot!(wrong("[consent_feeds.city]\n"), @"line 2: `consent_feeds.city` has the same account as `senders.city`");
    insta::assert_snapshot!(wrong("[senders.b]\ndirectory = \"x\"\n[consent_feeds.a]\ndirectory = \"x/inbox\"\n"), @"line 5: `consent_feeds.a.directory` overlaps with the folder of `senders.b.directory`");
    insta::assert_snapshot!(wrong("[consent_feeds.a]\nfull = true\n[consent_feeds.b]\nfull = true\n"), @"line 5: `consent_feeds.b.full` is true for `consent_feeds.a` too: each would withdraw the other's consents");
}
