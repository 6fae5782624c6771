use jiff::{ToSpan, civil::Date};

use super::{
    dice::{Dice, Purpose},
    people,
};

/// A letter of the invented town, page by page.
pub(super) struct Wording {
    /// What kind of document it is, for the head of the page: `Päätös`.
    pub(super) kind: &'static str,
    pub(super) date: String,
    /// `ESK/1234/05.02.01/2026`.
    pub(super) case_number: String,
    pub(super) pages: Vec<Vec<Block>>,
}

/// A piece of a page, from top to bottom.
pub(super) enum Block {
    Title(String),
    Heading(String),
    Paragraph(String),
    /// What, and its value.
    Fact(&'static str, String),
    /// A row of a table of sums: what, and how much.
    Amount(String, String),
    Total(&'static str, String),
    Signature {
        name: &'static str,
        office: &'static str,
    },
}

/// What a letter is about.
#[derive(Clone, Copy, Default)]
enum Matter {
    #[default]
    CareFee,
    WaterInvoice,
    HealthVisit,
    NeighbourHearing,
}

const MATTERS: &[Matter] = &[
    Matter::CareFee,
    Matter::WaterInvoice,
    Matter::HealthVisit,
    Matter::NeighbourHearing,
];

/// The day of all letters: fixed, since this room asks no clock.
const LETTER_DAY: Date = jiff::civil::date(2026, 3, 2);

/// What letter `position` (1-based) says on its pages.
pub(super) fn of_letter(seed: u64, position: u32, pages: u8) -> Wording {
    let mut dice = Dice::new(seed, position, Purpose::Wording);
    let matter = dice.pick(MATTERS);
    let mut written = vec![matter.first_page(&mut dice)];
    written.extend((2..=pages).map(|page| following_page(page, &mut dice)));
    Wording {
        kind: matter.kind(),
        date: finnish_date(LETTER_DAY),
        case_number: format!("ESK/{}/{}/2026", 100 + position, matter.register_class()),
        pages: written,
    }
}

/// The subject of letter `position`, as the control data gives it, and whether it must be served.
pub(super) fn subject(seed: u64, position: u32) -> (&'static str, Service) {
    let matter = Dice::new(seed, position, Purpose::Wording).pick(MATTERS);
    let service = match matter {
        Matter::NeighbourHearing => Service::Verifiable,
        Matter::CareFee | Matter::WaterInvoice | Matter::HealthVisit => Service::Ordinary,
    };
    (matter.subject(), service)
}

/// How the letter asks to be served; only CSV can say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    Ordinary,
    Verifiable,
}

impl Matter {
    fn kind(self) -> &'static str {
        match self {
            Self::CareFee => "Päätös",
            Self::WaterInvoice => "Lasku",
            Self::HealthVisit => "Kutsu",
            Self::NeighbourHearing => "Kuulemiskirje",
        }
    }

    fn subject(self) -> &'static str {
        match self {
            Self::CareFee => "Päätös varhaiskasvatuksen asiakasmaksusta",
            Self::WaterInvoice => "Lasku: vesi- ja jätevesimaksut, 4. vuosineljännes",
            Self::HealthVisit => "Kutsu terveystarkastukseen",
            Self::NeighbourHearing => "Naapurin kuuleminen rakennuslupa-asiassa",
        }
    }

    fn register_class(self) -> &'static str {
        match self {
            Self::CareFee => "12.05.01",
            Self::WaterInvoice => "02.08.00",
            Self::HealthVisit => "06.01.02",
            Self::NeighbourHearing => "10.03.00",
        }
    }

    /// Name and office of whoever signs.
    fn signed_by(self) -> (&'static str, &'static str) {
        match self {
            Self::CareFee => ("Outi Kivelä", "palvelupäällikkö"),
            Self::WaterInvoice => ("Jari Ståhlberg", "laskutussihteeri"),
            Self::HealthVisit => ("Hilkka Äärelä", "osastonhoitaja"),
            Self::NeighbourHearing => ("Petteri Löfman", "lupa-arkkitehti"),
        }
    }

    fn first_page(self, dice: &mut Dice) -> Vec<Block> {
        let mut blocks = vec![Block::Title(self.subject().to_owned())];
        blocks.extend(match self {
            Self::CareFee => care_fee(dice),
            Self::WaterInvoice => water_invoice(dice),
            Self::HealthVisit => health_visit(dice),
            Self::NeighbourHearing => neighbour_hearing(dice),
        });
        let (name, office) = self.signed_by();
        blocks.push(Block::Signature { name, office });
        blocks
    }
}

fn care_fee(dice: &mut Dice) -> Vec<Block> {
    let fee = euros(2_800 + u64::from(dice.below(260)) * 100);
    let place = dice.pick(&[
        "Kuusikon",
        "Mäntymäen",
        "Pääskysen",
        "Västäräkin",
        "Ållonin",
    ]);
    let hours = 60 + dice.below(11) * 10;
    vec![
        Block::Fact("Päiväkoti", format!("{place} päiväkoti")),
        Block::Fact("Varhaiskasvatusaika", format!("{hours} tuntia kuukaudessa")),
        Block::Fact("Asiakasmaksu", format!("{fee} kuukaudessa")),
        Block::Fact("Voimassa", "1.4.2026 alkaen toistaiseksi".to_owned()),
        Block::Heading("Päätös".to_owned()),
        paragraph(
            "Esimerkkilän kaupungin varhaiskasvatuspalvelut on päättänyt perheenne \
             varhaiskasvatuksen asiakasmaksusta. Maksu perustuu perheen kokoon, tuloihin ja \
             sovittuun varhaiskasvatusaikaan.",
        ),
        Block::Paragraph(format!(
            "Uusi maksu on {fee} kuukaudessa. Maksu laskutetaan jälkikäteen kultakin kuukaudelta, \
             ja laskun eräpäivä on seuraavan kuukauden viimeinen arkipäivä."
        )),
        Block::Heading("Muutoksista ilmoittaminen".to_owned()),
        paragraph(
            "Ilmoittakaa meille viipymättä, jos perheenne bruttotulot muuttuvat vähintään \
             kymmenen prosenttia tai perheen koko muuttuu. Maksu tarkistetaan ilmoitusta \
             seuraavan kuukauden alusta.",
        ),
        paragraph(
            "Päätökseen tyytymätön voi vaatia siihen oikaisua 14 päivän kuluessa siitä, kun on \
             saanut päätöksestä tiedon.",
        ),
    ]
}

fn water_invoice(dice: &mut Dice) -> Vec<Block> {
    let cubic_metres = 12 + u64::from(dice.below(40));
    let (basic, water, waste) = (2_310, cubic_metres * 182, cubic_metres * 264);
    let net = basic + water + waste;
    let tax = (net * 255 + 500) / 1_000;
    let reference = reference_number(u64::from(100_000 + dice.below(899_999)));
    vec![
        Block::Fact(
            "Laskun numero",
            format!("2026-{}", 10_000 + dice.below(89_999)),
        ),
        Block::Fact("Eräpäivä", days_later(21)),
        // A check number of 00 is never valid: nobody can pay a sample.
        Block::Fact("Tilinumero", "FI00 0000 0000 0000 00".to_owned()),
        Block::Fact("Viitenumero", reference),
        Block::Heading("Erittely".to_owned()),
        Block::Amount("Perusmaksu".to_owned(), euros(basic)),
        Block::Amount(format!("Vesi {cubic_metres} m³ à 1,82 €"), euros(water)),
        Block::Amount(format!("Jätevesi {cubic_metres} m³ à 2,64 €"), euros(waste)),
        Block::Amount("Arvonlisävero 25,5 %".to_owned(), euros(tax)),
        Block::Total("Maksettava yhteensä", euros(net + tax)),
        paragraph(
            "Lasku perustuu vesimittarin etäluentaan 31.12.2025. Käyttäkää maksaessanne \
             viitenumeroa. Viivästyneestä maksusta peritään korkolain mukainen viivästyskorko.",
        ),
        paragraph(
            "Huomautukset laskusta pyydämme tekemään ennen eräpäivää. Maksuajan pidennyksestä voi \
             sopia asiakaspalvelussamme.",
        ),
    ]
}

fn health_visit(dice: &mut Dice) -> Vec<Block> {
    let time = format!("{}.{}0", 8 + dice.below(7), dice.below(6));
    let day = days_later(14 + i32::try_from(dice.below(30)).unwrap_or_default());
    let nurse = dice.pick(people::FIRST_NAMES);
    vec![
        Block::Fact("Aika", format!("{day} klo {time}")),
        Block::Fact("Paikka", "Esimerkkilän terveysasema, 2. krs".to_owned()),
        Block::Fact("Vastaanottaja", format!("terveydenhoitaja {nurse}")),
        Block::Heading("Tervetuloa terveystarkastukseen".to_owned()),
        paragraph(
            "Kutsumme teidät maksuttomaan terveystarkastukseen. Käynti kestää noin 45 minuuttia. \
             Tarkastuksessa keskustellaan hyvinvoinnistanne, mitataan verenpaine ja sovitaan \
             tarvittaessa jatkotutkimuksista.",
        ),
        paragraph(
            "Täyttäkää esitietolomake ennen käyntiä ja ottakaa mukaanne luettelo käytössänne \
             olevista lääkkeistä. Ilmoittautukaa aulan ilmoittautumispäätteellä kymmenen \
             minuuttia ennen varattua aikaa.",
        ),
        Block::Heading("Jos aika ei sovi".to_owned()),
        paragraph(
            "Aikaa voi siirtää sähköisessä asioinnissa tai puhelimitse arkisin klo 8–15. Pyydämme \
             perumaan ajan viimeistään edellisenä arkipäivänä, jotta voimme antaa sen toiselle.",
        ),
    ]
}

fn neighbour_hearing(dice: &mut Dice) -> Vec<Block> {
    let property = format!(
        "999-{}-{}-{}",
        1 + dice.below(40),
        1 + dice.below(200),
        1 + dice.below(30)
    );
    let plan = dice.pick(&[
        "yksikerroksisen omakotitalon ja autotallin rakentaminen",
        "asuinrakennuksen laajentaminen ja katoksen rakentaminen",
        "rivitalon julkisivun muuttaminen ja jätekatoksen siirtäminen",
    ]);
    vec![
        Block::Fact("Kiinteistö", property),
        Block::Fact("Hanke", plan.to_owned()),
        Block::Fact("Muistutus viimeistään", days_later(14)),
        Block::Heading("Asia".to_owned()),
        Block::Paragraph(format!(
            "Naapurikiinteistöllenne haetaan rakentamislupaa. Hakemus koskee seuraavaa hanketta: \
             {plan}. Rakennusten etäisyys kiinteistönne rajasta on vähintään neljä metriä."
        )),
        paragraph(
            "Rakentamislain mukaan lupahakemuksen vireilletulosta on ilmoitettava naapurille. \
             Piirustukset ovat nähtävinä rakennusvalvonnassa, Torikatu 1, arkisin klo 9–15.",
        ),
        Block::Heading("Muistutuksen tekeminen".to_owned()),
        paragraph(
            "Voitte tehdä hankkeesta kirjallisen muistutuksen. Muistutuksesta tulee käydä ilmi \
             kiinteistön osoite, muistuttajan nimi ja perustelut. Jos teillä ei ole \
             huomautettavaa, teidän ei tarvitse vastata tähän kirjeeseen.",
        ),
    ]
}

/// What stands behind the first page: reasons, a table, how to appeal, data protection; then again.
fn following_page(page: u8, dice: &mut Dice) -> Vec<Block> {
    match page % 4 {
        2 => reasons(),
        3 => statement(dice),
        0 => appeal(),
        _ => data_protection(),
    }
}

fn reasons() -> Vec<Block> {
    vec![
        Block::Title("Perustelut ja sovelletut säännökset".to_owned()),
        paragraph(
            "Asia on ratkaistu hakemuksen, sen liitteiden ja kaupungilla olevien tietojen \
             perusteella. Asianosaiselle on varattu tilaisuus tulla kuulluksi ennen asian \
             ratkaisemista.",
        ),
        paragraph(
            "Viranomaisen on kohdeltava asiakkaitaan tasapuolisesti ja käytettävä toimivaltaansa \
             yksinomaan lain mukaan hyväksyttäviin tarkoituksiin. Toimien on oltava puolueettomia \
             ja oikeassa suhteessa tavoiteltuun päämäärään nähden.",
        ),
        Block::Heading("Sovelletut säännökset".to_owned()),
        paragraph("Hallintolaki (434/2003) 6 §, 34 §, 43–45 § ja 54–56 §."),
        paragraph("Kuntalaki (410/2015) 134–139 §."),
        paragraph("Esimerkkilän kaupungin hallintosääntö, 7. luku, 3 §."),
        Block::Heading("Tiedoksianto".to_owned()),
        paragraph(
            "Tavallisen kirjeen katsotaan saapuneen vastaanottajalle seitsemäntenä päivänä sen \
             lähettämisestä, jollei muuta näytetä. Sähköisenä viestinä toimitetun asiakirjan \
             katsotaan tulleen tiedoksi kolmantena päivänä viestin lähettämisestä.",
        ),
        Block::Heading("Lisätietoja".to_owned()),
        paragraph(
            "Lisätietoja antaa asiakaspalvelu arkisin klo 9–15. Mainitkaa yhteydenotossa tämän \
             kirjeen asianumero. Henkilötunnusta ei pidä lähettää tavallisella sähköpostilla.",
        ),
    ]
}

fn statement(dice: &mut Dice) -> Vec<Block> {
    let mut blocks = vec![
        Block::Title("Liite: laskelma".to_owned()),
        paragraph(
            "Laskelmassa ovat mukana vuoden 2025 tapahtumat kuukausittain. Summat sisältävät \
             arvonlisäveron.",
        ),
    ];
    let mut total = 0;
    for month in 1..=12 {
        let amount = 4_000 + u64::from(dice.below(30_000));
        total += amount;
        blocks.push(Block::Amount(format!("{month}/2025"), euros(amount)));
    }
    blocks.push(Block::Total("Yhteensä", euros(total)));
    blocks.push(paragraph(
        "Laskelma on laadittu automaattisesti, eikä siinä ole allekirjoitusta. Tarkistakaa \
         tiedot ja ilmoittakaa mahdollisista virheistä asiakaspalveluumme.",
    ));
    blocks
}

fn appeal() -> Vec<Block> {
    vec![
        Block::Title("Oikaisuvaatimusohje".to_owned()),
        Block::Heading("Kuka voi vaatia oikaisua".to_owned()),
        paragraph(
            "Oikaisuvaatimuksen saa tehdä se, johon päätös on kohdistettu tai jonka oikeuteen, \
             velvollisuuteen tai etuun päätös välittömästi vaikuttaa, sekä kunnan jäsen.",
        ),
        Block::Heading("Määräaika".to_owned()),
        paragraph(
            "Oikaisuvaatimus on tehtävä 14 päivän kuluessa päätöksen tiedoksisaannista. \
             Tiedoksisaantipäivää ei lueta määräaikaan. Jos viimeinen päivä on pyhäpäivä tai \
             arkilauantai, vaatimuksen saa toimittaa ensimmäisenä arkipäivänä sen jälkeen.",
        ),
        Block::Heading("Sisältö".to_owned()),
        paragraph("Kirjallisessa oikaisuvaatimuksessa on ilmoitettava:"),
        paragraph("• päätös, johon haetaan oikaisua"),
        paragraph("• millaista oikaisua päätökseen vaaditaan"),
        paragraph("• millä perusteilla oikaisua vaaditaan"),
        paragraph("• tekijän nimi, kotikunta ja yhteystiedot"),
        Block::Heading("Toimittaminen".to_owned()),
        paragraph(
            "Esimerkkilän kaupunki, kirjaamo, PL 1, 00000 ESIMERKKILÄ. Oikaisuvaatimuksen voi \
             toimittaa myös sähköisesti kaupungin asiointipalvelussa. Viraston on oltava \
             saanut se ennen virka-ajan päättymistä määräajan viimeisenä päivänä.",
        ),
    ]
}

fn data_protection() -> Vec<Block> {
    vec![
        Block::Title("Henkilötietojen käsittely".to_owned()),
        paragraph(
            "Kaupunki käsittelee henkilötietojanne lakisääteisen tehtävän hoitamiseksi. Tiedot on \
             saatu teiltä itseltänne ja viranomaisten rekistereistä. Tietoja luovutetaan vain \
             lain sallimissa tapauksissa.",
        ),
        Block::Heading("Oikeutenne".to_owned()),
        paragraph(
            "Teillä on oikeus saada pääsy tietoihinne, pyytää virheellisten tietojen oikaisemista \
             ja tehdä valitus valvontaviranomaiselle.",
        ),
        Block::Heading("Säilyttäminen".to_owned()),
        paragraph(
            "Asiakirjat säilytetään tiedonohjaussuunnitelman mukaisesti kymmenen vuotta asian \
             ratkaisemisesta ja hävitetään sen jälkeen tietoturvallisesti.",
        ),
    ]
}

fn paragraph(text: &str) -> Block {
    Block::Paragraph(text.to_owned())
}

fn days_later(days: i32) -> String {
    finnish_date(LETTER_DAY.saturating_add(days.days()))
}

/// `2.3.2026`.
fn finnish_date(day: Date) -> String {
    format!("{}.{}.{}", day.day(), day.month(), day.year())
}

/// Cents as `1 234,56 €`.
fn euros(cents: u64) -> String {
    let (euros, cents) = (cents / 100, cents % 100);
    match euros / 1_000 {
        0 => format!("{euros},{cents:02} €"),
        thousands => format!("{thousands} {:03},{cents:02} €", euros % 1_000),
    }
}

/// A domestic reference number: a base and its check digit by weights 7, 3, 1 from the right.
fn reference_number(base: u64) -> String {
    let weights = [7, 3, 1].into_iter().cycle();
    let digits = base.to_string();
    let sum: u32 = digits
        .chars()
        .rev()
        .filter_map(|digit| digit.to_digit(10))
        .zip(weights)
        .map(|(digit, weight)| digit * weight)
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reference_numbers_end_in_their_check_digit() {
        assert_eq!(reference_number(1_234), "12344");
        assert_eq!(reference_number(123_456), "1234561");
    }

    #[test]
    fn sums_are_written_the_finnish_way() {
        assert_eq!(euros(5), "0,05 €");
        assert_eq!(euros(123_456), "1 234,56 €");
        assert_eq!(euros(100_000), "1 000,00 €");
    }

    #[test]
    fn the_subject_of_the_control_data_is_that_of_the_page() {
        for position in 1..100 {
            let (subject, _) = subject(3, position);
            let wording = of_letter(3, position, 1);
            assert!(matches!(&wording.pages[0][0], Block::Title(title) if title == subject));
        }
    }
}
