//! Batches in which the second letter's recipient or address is at fault.

use kuori::domain::Code;

use super::{
    catalogue::{Sample, Stops},
    letters::second_row,
    parts::*,
};

pub(super) fn samples() -> Vec<Sample> {
    let letter = Sample::that_stops(Stops::Letter);
    let nothing = Sample::that_stops(Stops::Nothing);
    vec![
        letter(
            Code::RecipientIdInvalid,
            "check-character.zip",
            "The check character of the second recipient's identity code is wrong.",
            || second_row(|row| row.recipient_id = "010190Y901P"),
        ),
        letter(
            Code::AddressIncomplete,
            "no-postal-code.zip",
            "The second recipient has no mailbox and no postal code.",
            || second_row(|row| row.postal_code = ""),
        ),
        nothing(
            Code::CountryInvalid,
            "in-words.zip",
            "The second recipient's country is written `Suomi`.",
            || second_row(|row| row.country = "Suomi"),
        ),
        nothing(
            Code::CountryInvalid,
            "uk.zip",
            "The second recipient's country is `UK`, which is no country's code: that is `GB`.",
            uk,
        ),
        nothing(
            Code::RecipientIdIgnored,
            "on-paper-anyway.zip",
            "The check character of the second recipient's identity code is wrong, and the letter's `channel` is `print`.",
            || second_row(|row| (row.recipient_id, row.channel) = ("010190Y901P", "print")),
        ),
        nothing(
            Code::AddressRowLong,
            "31-characters.zip",
            "The second recipient's name has 31 characters.",
            || second_row(|row| row.name = "Matti Maunu Mikael Mallikas-Mäk"),
        ),
        nothing(
            Code::PostalCodeForm,
            "with-a-space.zip",
            "The second recipient's postal code is written `00 100`.",
            || second_row(|row| row.postal_code = "00 100"),
        ),
        nothing(
            Code::PostalCodePoBox,
            "box-55.zip",
            "The second recipient has the post-office box 55, and the postal code ends in 0.",
            || second_row(|row| row.address = "PL 55"),
        ),
    ]
}

fn uk() -> Vec<u8> {
    let second = Row {
        country: "UK",
        postal_code: "SW1A 2AA",
        ..row(2)
    };
    let drawing = Drawing {
        window: Some(&["Matti Mallikas", "Mallikatu 1 A 1", "Helsinki SW1A 2AA"]),
        ..Drawing::default()
    };
    second_letter(second, drawing.pdf())
}
