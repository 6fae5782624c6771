//! Feeds of consents.

use super::{Look, counted, first_line};
use crate::{
    monitor::{Code, Trouble, Weight},
    store::ConsentFeed,
};

impl Look<'_> {
    pub(super) fn consent_feeds(&self) -> impl Iterator<Item = Trouble> {
        self.status.consent_feeds.iter().flat_map(|feed| {
            let refused = refused(feed)
                .or_else(|| bad_rows(feed))
                .or_else(|| self.not_csv(feed));
            [self.feed_down(feed), refused].into_iter().flatten()
        })
    }

    fn not_csv(&self, feed: &ConsentFeed) -> Option<Trouble> {
        let since = feed.others.since?;
        Some(Trouble {
            code: Code::ConsentsRefused,
            weight: self.weigh(since, self.settings.times.inbox_file, Weight::Passing),
            subject: feed.name.clone(),
            since,
            text: format!(
                "{} not named `*.csv`, and nobody takes {}",
                counted(feed.others.count, "file is", "files are"),
                if feed.others.count == 1 { "it" } else { "them" }
            ),
            to_do: Some("ask who brings them to name them so, and remove these".to_owned()),
        })
    }

    fn feed_down(&self, feed: &ConsentFeed) -> Option<Trouble> {
        let (since, error) = feed.failing.as_ref()?;
        Some(Trouble {
            code: Code::ConsentFeedDown,
            weight: self.weigh(*since, self.settings.times.place, Weight::Passing),
            subject: feed.name.clone(),
            since: *since,
            text: format!("files of consents are not taken: {}", first_line(error)),
            to_do: Some(format!(
                "see to the folder of [consent_feeds.{}]",
                feed.name
            )),
        })
    }
}

/// Nobody's word is in the register that a refused file brings: a withdrawal among them too.
fn refused(feed: &ConsentFeed) -> Option<Trouble> {
    let since = feed.refused.since?;
    let why = feed.refused_why.as_deref();
    let path = quoted(feed.refused_path.as_deref().unwrap_or_default());
    let full = if feed.is_full { " --full" } else { "" };
    Some(Trouble {
        code: Code::ConsentsRefused,
        weight: Weight::Alert,
        subject: feed.name.clone(),
        since,
        text: format!(
            "{} refused{}",
            counted(
                feed.refused.count,
                "file of consents is",
                "files of consents are"
            ),
            why.map_or(String::new(), |why| format!(": {}", first_line(why)))
        ),
        to_do: Some(format!(
            "kuori consent import {path}{full} --dry-run; once it is imported, or a better one \
             has come, remove it there"
        )),
    })
}

/// A word among them may be a withdrawal: only who brought it was told.
fn bad_rows(feed: &ConsentFeed) -> Option<Trouble> {
    let since = feed.bad.since?;
    let path = quoted(feed.bad_path.as_deref().unwrap_or_default());
    Some(Trouble {
        code: Code::ConsentsRefused,
        weight: Weight::Passing,
        subject: feed.name.clone(),
        since,
        text: format!(
            "rows of {} could not be used, and a withdrawal may be among them",
            counted(feed.bad.count, "file of consents", "files of consents")
        ),
        to_do: Some(format!(
            "kuori consent import {path} --dry-run; once they have come again, remove it there"
        )),
    })
}

/// As one word for a shell.
fn quoted(path: &str) -> String {
    format!("'{}'", path.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::store::Queue;

    #[test]
    fn a_kept_file_with_bad_rows_is_named_and_is_no_alert() {
        let nothing = ConsentFeed {
            name: "register".to_owned(),
            is_full: false,
            failing: None,
            refused: Queue::default(),
            refused_path: None,
            refused_why: None,
            bad: Queue::default(),
            bad_path: None,
            others: Queue::default(),
        };
        assert_eq!(bad_rows(&nothing), None);
        let kept = ConsentFeed {
            bad: Queue {
                count: 2,
                since: Some(Timestamp::UNIX_EPOCH),
            },
            bad_path: Some("/feed/.kuori/bad-rows/bad-rows-0a1b2c3d.csv".to_owned()),
            ..nothing
        };
        let told = bad_rows(&kept).unwrap();
        assert_eq!(told.weight, Weight::Passing);
        insta::assert_snapshot!(told.text, @"rows of 2 files of consents could not be used, and a withdrawal may be among them");
        insta::assert_snapshot!(told.to_do.unwrap(), @"kuori consent import '/feed/.kuori/bad-rows/bad-rows-0a1b2c3d.csv' --dry-run; once they have come again, remove it there");
    }

    #[test]
    fn a_path_is_one_word_for_a_shell_whatever_is_in_it() {
        assert_eq!(quoted("/srv/a b"), "'/srv/a b'");
        assert_eq!(quoted("/srv/Matti's"), r"'/srv/Matti'\''s'");
    }
}
