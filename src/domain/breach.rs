/// A rule of the lifecycle, or of the data folder, that something in it breaks.
///
/// What `kuori verify` tells, by a code that never changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Breach {
    DatabaseDamaged,
    SchemaDiffers,
    AuditBroken,
    OrphanRow,
    StateUnknown,
    MessagesMissing,
    MessageInconsistent,
    MessageStuck,
    BatchStuck,
    LetterInNoBundle,
    LetterInTwoBundles,
    MailboxAndBundle,
    DeliveredTwice,
    PrintedTwice,
    BundleInconsistent,
    BundleMiscounted,
    HandOverInconsistent,
    HandOverStuck,
    ReportInconsistent,
    FileMissing,
    FileDamaged,
    FileUnnamed,
    LeaseOfTheDead,
    MailboxUnrecorded,
    MailboxLacksIt,
    QueueMiscounted,
    QueueForsaken,
}

impl Breach {
    pub const ALL: [Self; 27] = [
        Self::DatabaseDamaged,
        Self::SchemaDiffers,
        Self::AuditBroken,
        Self::OrphanRow,
        Self::StateUnknown,
        Self::MessagesMissing,
        Self::MessageInconsistent,
        Self::MessageStuck,
        Self::BatchStuck,
        Self::LetterInNoBundle,
        Self::LetterInTwoBundles,
        Self::MailboxAndBundle,
        Self::DeliveredTwice,
        Self::PrintedTwice,
        Self::BundleInconsistent,
        Self::BundleMiscounted,
        Self::HandOverInconsistent,
        Self::HandOverStuck,
        Self::ReportInconsistent,
        Self::FileMissing,
        Self::FileDamaged,
        Self::FileUnnamed,
        Self::LeaseOfTheDead,
        Self::MailboxUnrecorded,
        Self::MailboxLacksIt,
        Self::QueueMiscounted,
        Self::QueueForsaken,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::DatabaseDamaged => "database-damaged",
            Self::SchemaDiffers => "schema-differs",
            Self::AuditBroken => "audit-broken",
            Self::OrphanRow => "orphan-row",
            Self::StateUnknown => "state-unknown",
            Self::MessagesMissing => "messages-missing",
            Self::MessageInconsistent => "message-inconsistent",
            Self::MessageStuck => "message-stuck",
            Self::BatchStuck => "batch-stuck",
            Self::LetterInNoBundle => "letter-in-no-bundle",
            Self::LetterInTwoBundles => "letter-in-two-bundles",
            Self::MailboxAndBundle => "mailbox-and-bundle",
            Self::DeliveredTwice => "delivered-twice",
            Self::PrintedTwice => "printed-twice",
            Self::BundleInconsistent => "bundle-inconsistent",
            Self::BundleMiscounted => "bundle-miscounted",
            Self::HandOverInconsistent => "hand-over-inconsistent",
            Self::HandOverStuck => "hand-over-stuck",
            Self::ReportInconsistent => "report-inconsistent",
            Self::FileMissing => "file-missing",
            Self::FileDamaged => "file-damaged",
            Self::FileUnnamed => "file-unnamed",
            Self::LeaseOfTheDead => "lease-of-the-dead",
            Self::MailboxUnrecorded => "mailbox-unrecorded",
            Self::MailboxLacksIt => "mailbox-lacks-it",
            Self::QueueMiscounted => "queue-miscounted",
            Self::QueueForsaken => "queue-forsaken",
        }
    }

    /// Worth knowing, and no fault of the house: it mends itself, or others may do as they like.
    pub fn is_note(self) -> bool {
        matches!(
            self,
            Self::FileUnnamed | Self::LeaseOfTheDead | Self::MailboxLacksIt
        )
    }

    /// What an operator does about it.
    pub fn what_to_do(self) -> &'static str {
        match self {
            Self::DatabaseDamaged => {
                "stop kuori, keep a copy of the data folder, and bring back a backup"
            }
            Self::SchemaDiffers => {
                "somebody has changed the tables by hand: bring back a backup, or ask for help"
            }
            Self::AuditBroken => {
                "somebody has changed the record of what operators did: keep the folder as it is, and ask who could"
            }
            Self::OrphanRow | Self::MessagesMissing => {
                "rows were removed by hand, or a backup was copied while kuori ran: bring back a whole one"
            }
            Self::StateUnknown => {
                "use the `kuori` that wrote it; if that is this one, somebody has changed the row by hand"
            }
            Self::MessageInconsistent
            | Self::LetterInNoBundle
            | Self::BundleInconsistent
            | Self::BundleMiscounted
            | Self::QueueMiscounted => {
                "this is a bug in kuori, or a change by hand: `kuori reprocess` what is named, and report it"
            }
            Self::MessageStuck | Self::BatchStuck => {
                "`kuori reprocess` sets it back to a step; it goes on from there"
            }
            Self::LetterInTwoBundles => {
                "do not let both be printed: `kuori reprocess` the message, which withdraws what has not gone"
            }
            Self::MailboxAndBundle | Self::DeliveredTwice | Self::PrintedTwice => {
                "`kuori events` says how it came about; where the bundle has not gone, `kuori reprocess` withdraws it"
            }
            Self::HandOverInconsistent | Self::HandOverStuck => {
                "`kuori outbox list` shows it; `kuori reprocess` the batch's letters makes a new bundle"
            }
            Self::ReportInconsistent => {
                "what happens next in the batch may not be told: bring back a whole backup, or tell its sender yourself"
            }
            Self::FileMissing | Self::FileDamaged => "bring this file back from a backup",
            Self::FileUnnamed => "nothing: the next start removes it",
            Self::LeaseOfTheDead => "nothing: the next start frees it",
            Self::MailboxUnrecorded => {
                "`kuori events` says what was tried; do not deliver it again, and do not print it"
            }
            Self::QueueForsaken => {
                "put the service back into the settings; or give its senders another, and `kuori reprocess --from deliver` what waits"
            }
            Self::MailboxLacksIt => "nothing, where its owner may have moved or deleted it",
        }
    }
}
