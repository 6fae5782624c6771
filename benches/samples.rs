use kuori::{
    domain::{
        BatchId, ChannelWish, DocumentName, Letter, Message, MessageId, PageRange, PostageClass,
        PrintFacts, Recipient, RecipientId, ServiceKind, StatedRecipient,
    },
    print::{self, BundlePlan, PlacedLetter, PlannedBundle, Planner, Settings},
    sample::{self, SampleRecipient, Shape, Spec},
};

/// Two pages a letter, so that figures compare.
pub(crate) fn spec(letters: u32, shape: Shape) -> Spec {
    Spec {
        letters,
        shape,
        pages: 2..=2,
        ..Spec::default()
    }
}

/// The bytes of a batch.
pub(crate) fn batch(spec: &Spec) -> Vec<u8> {
    let mut zip = std::io::Cursor::new(Vec::new());
    sample::write(spec, &mut zip, &|_| {}).unwrap();
    zip.into_inner()
}

/// The messages of a many-in-one batch, as opening it finds them.
pub(crate) fn messages(letters: u32) -> Vec<Message> {
    let spec = spec(letters, Shape::ManyInOne);
    sample::recipients(&spec).map(message).collect()
}

/// The same as letters, one as every sender's default has it.
pub(crate) fn letters(count: u32) -> Vec<Letter> {
    messages(count).into_iter().map(letter).collect()
}

/// Plans letters, and lays each bundle out.
pub(crate) fn bundles(letters: &[Letter], settings: &Settings) -> Vec<BundlePlan> {
    let mut planner = Planner::new(settings);
    for letter in letters {
        planner.add(letter, 0).unwrap();
    }
    let letter = |placed: &PlacedLetter| {
        let at = usize::try_from(placed.position).unwrap();
        letters.get(at - 1).unwrap().clone()
    };
    let lay_out = |bundle: PlannedBundle| {
        let in_order: Vec<_> = bundle.letters.iter().map(letter).collect();
        print::lay_out(in_order, settings).unwrap()
    };
    planner.finish().map(lay_out).collect()
}

fn message(recipient: SampleRecipient) -> Message {
    let id = recipient.id.map(RecipientId::Person);
    Message {
        position: recipient.position,
        sender_letter_id: Some(recipient.letter_id.as_str().into()),
        recipient: Recipient {
            id: id.map_or(StatedRecipient::Absent, StatedRecipient::Valid),
            address: recipient.address,
        },
        pages: PageRange {
            document: DocumentName("letters.pdf".to_owned()),
            first: 2 * recipient.position - 1,
            count: 2,
        },
        subject: Some("A decision".into()),
        body: None,
        service: ServiceKind::Ordinary,
        wish: ChannelWish::Any,
        deny_electronic_only: false,
        deny_electronic_copy: false,
        colour: None,
        duplex: None,
        postage: None,
        matter: None,
        attachments: Vec::new(),
    }
}

fn letter(message: Message) -> Letter {
    Letter {
        message: MessageId {
            batch: BatchId(1),
            position: message.position,
        },
        pages: message.pages,
        address: message.recipient.address,
        recipient: match message.recipient.id {
            StatedRecipient::Valid(id) => Some(id),
            StatedRecipient::Absent | StatedRecipient::Invalid => None,
        },
        subject: message.subject,
        postage: PostageClass::Economy,
        registered: false,
        colour: false,
        duplex: true,
        address_page: false,
        shares_envelope: false,
        facts: PrintFacts::default(),
    }
}
