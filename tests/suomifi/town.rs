use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::PathBuf,
};

use jiff::{SignedDuration, Timestamp};
use kuori::{
    assemble::Works,
    config,
    domain::{BatchId, RecipientId},
    pipeline::Clock,
    sample,
    store::{ConsentChange, ConsentStatus, Counts, QueueNumbers, Store, Verification},
    suomifi_stub::{self, Accepted, Stub},
};
use tempfile::TempDir;

/// Two senders with a service of Suomi.fi Messages between them, and the stand-in behind it.
pub(crate) struct Town {
    pub(crate) stub: Stub,
    folder: TempDir,
}

/// Settings of `[suomifi.letters.courier]`, a line each.
pub(crate) const NO_LIMIT: &str = "rate_per_sec = 0.0\nfirst_wait_secs = 1\nlongest_wait_secs = 1";

pub(crate) const SENDERS: [&str; 2] = ["example-city", "hospital"];

/// Lines of `[print_houses.example-print]`.
pub(crate) const FOLDER: &str = "directory = \"FOLDER/print-house\"";

impl Town {
    pub(crate) async fn new(courier: &str) -> Self {
        Self::with(courier, suomifi_stub::Settings::default()).await
    }

    pub(crate) async fn with(courier: &str, stub: suomifi_stub::Settings) -> Self {
        Self::printing(FOLDER, courier, stub).await
    }

    /// A town with other lines of `[print_houses.example-print]`; `FOLDER` in them is its folder.
    pub(crate) async fn printing(
        print_house: &str,
        courier: &str,
        stub: suomifi_stub::Settings,
    ) -> Self {
        let password = stub.password.clone();
        let stub = Stub::start(stub).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let town = Self { stub, folder };
        let of_print_house = ["print-house/pickup", "print-house/feedback"];
        for folder in of_print_house {
            fs::create_dir_all(town.path(folder)).unwrap();
        }
        for sender in SENDERS {
            for folder in ["inbox", "receipts"] {
                fs::create_dir_all(town.path(sender).join(folder)).unwrap();
            }
        }
        fs::write(town.path("password"), password).unwrap();
        private(&town.path("password"));
        let settings = town.settings(print_house, courier);
        fs::write(town.path("kuori.toml"), settings).unwrap();
        town
    }

    fn settings(&self, print_house: &str, courier: &str) -> String {
        let site = format!(
            "data_folder = \"FOLDER/data\"\n\
             poll_interval_secs = 1\n\
             [server]\nenabled = false\n\
             [runner]\nmax_crashes = 1000\n\
             [suomifi.letters]\n\
             base_url = \"{}\"\n\
             allows_plain_http = true\n\
             service_id = \"example-service\"\n\
             user = \"stub\"\n\
             password_file = \"FOLDER/password\"\n\
             [suomifi.letters.courier]\n{courier}\n\
             [print_houses.example-print]\n{print_house}\n",
            self.stub.base_url()
        );
        let of_sender = |sender| {
            format!(
                "[senders.{sender}]\n\
                 suomifi = \"letters\"\n\
                 print_house = \"example-print\"\n\
                 address_rows = [\"Example City\", \"PL 1\", \"00099 EXAMPLE CITY\"]\n\
                 directory = \"FOLDER/{sender}\"\n\
                 hold_first_batch = false\n\
                 [senders.{sender}.upload]\n\
                 complete_when = \"renamed\"\n"
            )
        };
        let folder = self.folder.path().display().to_string();
        (site + &SENDERS.map(of_sender).concat()).replace("FOLDER", &folder)
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// The house as it starts: what a crash left is cleared.
    pub(crate) fn open(&self) -> Works {
        self.open_by(Clock::new(Timestamp::now))
    }

    fn open_by(&self, clock: Clock) -> Works {
        let settings = fs::read_to_string(self.path("kuori.toml")).unwrap();
        let config = config::parse(&settings).unwrap();
        Works::open(&config, clock).unwrap()
    }

    /// Puts a batch of letters into a sender's inbox. Returns the positions of those that go to a mailbox:
    /// some recipients of a sample have none, and the others have agreed to it.
    pub(crate) fn upload(&self, sender: &str, name: &str, letters: u32) -> Vec<u32> {
        let spec = spec(name, letters);
        let store = Store::open(&self.path("data")).unwrap();
        let (mut positions, mut granted) = (Vec::new(), Vec::new());
        for (position, recipient) in (1..).zip(sample::recipients(&spec)) {
            if let Some(id) = recipient.id.filter(|_| recipient.has_mailbox) {
                positions.push(position);
                granted.push(ConsentChange {
                    recipient: RecipientId::Person(id),
                    status: ConsentStatus::Granted,
                    since: Timestamp::now(),
                });
            }
        }
        store
            .record_consents(&granted, "test", Timestamp::now())
            .unwrap();
        self.put(sender, name, &spec);
        positions
    }

    /// Puts a batch into a sender's inbox, and says nothing of consents.
    pub(crate) fn put(&self, sender: &str, name: &str, spec: &sample::Spec) {
        let part = self.path(sender).join(format!("{name}.part"));
        sample::write(spec, File::create(&part).unwrap(), &|_| {}).unwrap();
        let inbox = self.path(sender).join("inbox").join(name);
        fs::rename(part, inbox).unwrap();
    }

    /// The house works until nothing is left to do now.
    pub(crate) async fn run(&self) {
        self.open().run_until_idle().await.unwrap();
    }

    /// The same, so long from now.
    pub(crate) async fn run_after(&self, wait: SignedDuration) {
        let works = self.open_by(Clock::fixed(Timestamp::now() + wait));
        works.run_until_idle().await.unwrap();
    }

    pub(crate) fn store(&self) -> Store {
        Store::open(&self.path("data")).unwrap()
    }

    pub(crate) fn counts(&self, batch: u64) -> Counts {
        self.store().counts(BatchId(batch)).unwrap()
    }

    pub(crate) fn queue(&self) -> QueueNumbers {
        let queues = self.store().queues(Timestamp::now()).unwrap();
        queues.into_iter().next().unwrap()
    }

    /// The external ids that were taken, in the order in which they were.
    pub(crate) fn taken(&self) -> Vec<String> {
        let taken = self.stub.accepted().into_iter();
        taken.map(|message| message.external_id).collect()
    }

    /// The letters that were taken, by batch, in the order in which they were.
    pub(crate) fn taken_by_batch(&self) -> BTreeMap<u64, Vec<u32>> {
        let mut by_batch = BTreeMap::<_, Vec<_>>::new();
        for id in self.taken() {
            let (batch, position) = message_in(&id);
            by_batch.entry(batch).or_default().push(position);
        }
        by_batch
    }

    /// The only batch is the first, and each of these messages of it was taken once, and no other.
    pub(crate) fn assert_once(&self, positions: &[u32]) {
        let mut taken = self.taken_by_batch();
        for taken in taken.values_mut() {
            taken.sort_unstable();
        }
        assert_eq!(taken, BTreeMap::from([(1, positions.to_vec())]));
        assert_eq!(self.counts(1).delivered, positions.len() as u64);
    }

    /// Nothing waits, nothing is broken.
    pub(crate) fn assert_at_rest(&self) {
        let queue = self.queue();
        assert_eq!((queue.waiting, queue.sending), (0, 0), "{queue:?}");
        self.assert_sound(&Verification {
            deep: true,
            ..Verification::at_rest(Timestamp::now())
        });
    }

    /// `kuori verify` finds nothing.
    pub(crate) fn assert_sound(&self, options: &Verification) {
        let found = self.store().verify(options, &|_| {}).unwrap();
        let broken = found.problems.iter().filter(|it| !it.breach.is_note());
        let broken: Vec<_> = broken
            .map(|it| format!("{}: {}", it.about, it.how))
            .collect();
        assert_eq!(broken, [""; 0]);
    }
}

pub(crate) fn spec(name: &str, letters: u32) -> sample::Spec {
    sample::Spec {
        letters,
        digital_share: 1.0,
        pages: 1..=1,
        // Other letters in each batch.
        seed: name
            .bytes()
            .fold(7, |seed, byte| seed * 31 % 1_000_003 + u64::from(byte)),
        ..sample::Spec::default()
    }
}

/// `kuori.example-city.B-0007-12.0123abcd…` is letter 12 of batch 7.
pub(crate) fn message_in(external_id: &str) -> (u64, u32) {
    let id = external_id.split("B-").nth(1).unwrap();
    let mut numbers = id.split(|it: char| !it.is_ascii_digit());
    let mut number = || numbers.next().unwrap();
    (number().parse().unwrap(), number().parse().unwrap())
}

pub(crate) fn private(file: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
}

/// Only what is needed of it.
pub(crate) fn of_sender(taken: &[Accepted], sender: &str) -> usize {
    let prefix = format!("kuori.{sender}.");
    let of_sender = taken
        .iter()
        .filter(|it| it.external_id.starts_with(&prefix));
    of_sender.count()
}
