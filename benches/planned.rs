use kuori::{
    domain::{
        BatchId, DocumentName, Letter, MessageId, PageRange, PostageClass, PrintFacts, RecipientId,
    },
    sample::{self, SampleRecipient, Spec},
};

/// Letters of two pages to invented people, made as they are asked for.
pub(crate) fn letters(spec: &Spec, shares_envelope: bool) -> impl Iterator<Item = Letter> {
    sample::recipients(spec).map(move |recipient| letter(recipient, shares_envelope))
}

fn letter(recipient: SampleRecipient, shares_envelope: bool) -> Letter {
    Letter {
        message: MessageId {
            batch: BatchId(1),
            position: recipient.position,
        },
        pages: PageRange {
            document: DocumentName("letters.pdf".to_owned()),
            first: 2 * recipient.position - 1,
            count: 2,
        },
        address: recipient.address,
        recipient: recipient.id.map(RecipientId::Person),
        subject: Some("A decision".into()),
        postage: PostageClass::Economy,
        registered: false,
        colour: false,
        duplex: true,
        address_page: false,
        shares_envelope,
        facts: PrintFacts::default(),
    }
}
