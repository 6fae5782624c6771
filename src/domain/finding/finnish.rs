//! The catalogue in Finnish.
//!
//! Terms: batch *erä*, letter *kirje*, message *viesti*, control data *ohjaustiedot*, finding *havainto*,
//! archive *ZIP-paketti*, its directory *sisällysluettelo*, entry *paketin tiedosto*, packed *pakattu*, unpacked *purettu*,
//! folder *kansio*, checksum *tarkistussumma*, check character *tarkistusmerkki*, encoding *merkistökoodaus*,
//! namespace *nimiavaruus*, field *kenttä*, column *sarake*, value *arvo*, page range *sivualue*,
//! sheet *arkki*, envelope *kirjekuori*, attachment *liite*, id *tunnus*, recipient *vastaanottaja*,
//! personal identity code *henkilötunnus*, business id *Y-tunnus*, postal code *postinumero*, city *postitoimipaikka*,
//! operator *ylläpitäjä*, mailbox *sähköinen postilaatikko*, print *tulostus*, print house *tulostuspalvelu*, bundle *tulostusnippu*,
//! make *muodostaa*, upload *lähettää*, refuse *hylätä*. A limit is *enintään* or *kuin sallitaan*.
//! Codes, file names, elements and columns stay as they are written.

use super::words::translation;

translation! {
    // The archive.
    ArchiveUnreadable =
        "Tiedosto ei ole ZIP-paketti, tai sen sisällysluetteloa ei voida lukea.",
        "Muodosta ZIP-paketti uudelleen ja tarkista se komennolla `unzip -t` ennen lähettämistä.";
    ArchiveDamaged =
        "Paketin tiedostoa ei voida lukea loppuun, tai sen tarkistussumma ei täsmää.",
        "Lähetä ZIP-paketti uudelleen. Jos virhe toistuu, muodosta paketti uudelleen.";
    ArchiveInconsistent =
        "ZIP-paketti on ristiriitainen: kaksi ohjelmaa voisi lukea siitä kaksi eri erää.",
        "Muodosta paketti tavallisella pakkausohjelmalla. Älä lisää siihen mitään äläkä muuta sitä jälkikäteen.";
    ArchiveEncrypted =
        "Paketissa on salattu tiedosto.",
        "Lähetä erä ilman ZIP-salasanaa. Tietoliikenneyhteys on jo salattu.";
    ArchiveMethod =
        "Paketin tiedosto on pakattu muulla menetelmällä kuin deflate.",
        "Käytä tavallista menetelmää `stored` tai `deflate`.";
    ArchiveEntryName =
        "Paketin tiedoston nimi johtaa kansionsa ulkopuolelle, on absoluuttinen polku tai ei ole tekstiä.",
        "Käytä tiedostojen nimissä kirjaimia, numeroita ja merkkejä `-`, `_` ja `.` sekä kansioiden välissä merkkiä `/`.";
    ArchiveSymlink =
        "Paketissa on symbolinen linkki.",
        "Lisää pakettiin linkin sijasta itse tiedosto.";
    ArchiveDuplicateName =
        "Paketissa on kaksi samannimistä tiedostoa.",
        "Anna jokaiselle tiedostolle oma nimi.";
    ArchiveTooLarge =
        "ZIP-paketti on pakattuna tai purettuna suurempi kuin sallitaan.",
        "Jaa erä pienempiin eriin.";
    ArchiveEntryTooLarge =
        "Paketin tiedosto on purettuna suurempi kuin yhdelle tiedostolle sallitaan.",
        "Jaa tiedosto osiin. Yhden kirjeen PDF-tiedosto saa olla enintään 10 MiB.";
    ArchiveRatio =
        "Paketin tiedosto on purettuna epäuskottavan paljon suurempi kuin pakattuna.",
        "Tarkista ohjelma, joka muodosti tiedoston. Oikea kirje ei pakkaudu näin pieneksi.";
    ArchiveTooManyEntries =
        "ZIP-paketissa on enemmän tiedostoja kuin sallitaan.",
        "Jaa erä pienempiin eriin.";
    ArchiveNestedTooDeep =
        "ZIP-paketin sisällä olevassa ZIP-paketissa on vielä ZIP-paketti.",
        "ZIP-paketissa saa olla toisia ZIP-paketteja enintään yhdellä tasolla.";
    ArchiveHidden =
        "Paketin tiedosto on itse pakattu arkisto, jota ei sen tyypin tai nimen vuoksi avata.",
        "Lisää tiedostot pakettiin sellaisinaan.";

    // The control data.
    ControlDataMissing =
        "ZIP-paketissa ei ole ohjaustietoja: ei `LetterBundle`-muotoista XML-tiedostoa eikä tiedostoa `batch.csv`.",
        "Lisää pakettiin ohjaustiedot, jotka kuvaavat kirjeet.";
    ControlDataMalformed =
        "Ohjaustiedoissa on syntaksivirhe.",
        "Tarkista mainittu rivi: XML-tiedosto ohjelmalla `xmllint`, CSV-tiedosto ohjelmalla, joka lukee CSV-muotoa.";
    ControlDataDoctype =
        "XML-tiedostossa on dokumenttityypin määrittely (DOCTYPE) tai oma entiteetti.",
        "Poista DOCTYPE. Vain XML:n omat viisi entiteettiä luetaan.";
    ControlDataEncoding =
        "Ohjaustietojen sisältö ei ole niissä ilmoitetun merkistökoodauksen mukaista, tai merkistökoodausta ei tueta.",
        "Käytä merkistökoodausta UTF-8 tai ISO-8859-1 ja ilmoita se, jota käytät.";
    ControlDataVersion =
        "XML-tiedosto ei ole `LetterBundle`-tiedosto, jonka versio on v0x4 tai v1x0.",
        "Käytä nimiavaruutta `urn:itella.com:/schema/ipost/letterbundle/v1x0`.";
    ControlDataUnknown =
        "Ohjaustiedoissa on elementti, attribuutti tai sarake, jota Kuori ei käytä.",
        "Toimenpiteitä ei tarvita, ellei tiedon pitänyt vaikuttaa käsittelyyn.";
    ControlDataValue =
        "Ohjaustiedoissa on arvo, joka ei ole sallittu.",
        "Korjaa arvo. Havainto kertoo, mitkä arvot ovat sallittuja.";
    CsvColumnMissing =
        "Tiedostosta `batch.csv` puuttuu sarake, joka tarvitaan jokaisessa erässä.",
        "Lisää sarake `file` sekä joko sarake `recipient_id` tai osoitesarakkeet.";
    FieldTooLong =
        "Kentän arvo on pidempi kuin sallitaan.",
        "Lyhennä arvoa. Kentässä saa olla enintään 512 merkkiä.";
    TooManyMessages =
        "Erässä on enemmän viestejä kuin sallitaan.",
        "Jaa erä pienempiin eriin.";
    NoMessages =
        "Ohjaustiedoissa ei ole yhtään kirjettä.",
        "Tarkista poiminta, josta erä muodostettiin.";
    ShapeNotSupported =
        "Erän rakenne on sellainen, jota Kuori ei vielä osaa lukea.",
        "Lähetä yksi PDF-tiedosto ja yksi `LetterBundle`, tai `batch.csv` ja PDF-tiedostot.";
    DocumentMissing =
        "Ohjaustiedoissa mainittua PDF-tiedostoa ei ole ZIP-paketissa.",
        "Lisää tiedosto tai korjaa sen nimi. Isot ja pienet kirjaimet erotetaan toisistaan.";
    DocumentUnused =
        "ZIP-paketissa on tiedosto, jota ohjaustiedoissa ei mainita.",
        "Tarkista, ettei ohjaustiedoista puutu kirjettä.";

    // Page ranges.
    PageRangeMissing =
        "Kirjeelle ei ole ilmoitettu, mitkä sivut kuuluvat siihen, ja sen PDF-tiedostossa on useita kirjeitä.",
        "Ilmoita elementin `Location` attribuutit `startPage` ja `pages`; CSV-tiedostossa sarakkeet `start_page` ja `pages`.";
    PageRangeOutside =
        "Kirjeelle on ilmoitettu sivuja, joita PDF-tiedostossa ei ole.",
        "Laske sivut uudelleen. `startPage` alkaa numerosta 1.";
    PageRangeOverlap =
        "Sama sivu on ilmoitettu kahdelle kirjeelle, joten joku saisi toiselle kuuluvan sivun.",
        "Korjaa sivualueet. Koko tiedosto hylätään, kunnes ne täsmäävät.";
    PageRangeGap =
        "Sivu ei kuulu mihinkään kirjeeseen, joten joltakulta jäisi sivu saamatta.",
        "Korjaa sivualueet. Koko tiedosto hylätään, kunnes ne täsmäävät.";

    // The message.
    MessageDuplicate =
        "Samalta lähettäjältä on jo aiemmin vastaanotettu viesti, jolla on sama tunnus.",
        "Anna jokaiselle kirjeelle oma tunnus. Mitään ei lähetetä kahdesti.";
    MessageRepeated =
        "Aiemmassa erässä on vastaanotettu viesti, jolla on sama lähettäjän antama tunnus. Lähettäjän asetukset sallivat uuden lähetyksen.",
        "Toimenpiteitä ei tarvita, jos kirje on tarkoitus lähettää uudelleen. Muussa tapauksessa anna jokaiselle kirjeelle oma tunnus.";
    RecipientIdInvalid =
        "Vastaanottajan tunnus on väärän muotoinen tai sen tarkistusmerkki on väärä.",
        "Korjaa tunnus, tai jätä se pois, jolloin kirje tulostetaan.";
    RecipientIdIgnored =
        "Vastaanottajan tunnus on väärän muotoinen tai sen tarkistusmerkki on väärä. Lähettäjä on valinnut tulostuksen, johon tunnusta ei tarvita.",
        "Korjaa tunnus tai jätä se pois.";
    RecipientIdArtificial =
        "Vastaanottajan henkilötunnus on keinotekoinen (yksilönumero 900–999): se ei kuulu kenellekään.",
        "Merkitse testit attribuutilla `isTest`. Ilmoita tuotannossa henkilön oma tunnus.";
    AddressIncomplete =
        "Osoitteesta puuttuu nimi, katuosoite, postinumero tai postitoimipaikka.",
        "Täydennä osoite, jotta kirje voidaan tarvittaessa tulostaa.";
    AddressRowLong =
        "Osoiterivillä on enemmän merkkejä kuin posti lukee.",
        "Lyhennä kenttä enintään 30 merkkiin. Kentän `city` edellä rivillä on postinumero.";
    AddressRowCut =
        "Osoitteen kenttä on pidempi kuin sen kaksi riviä osoitesivulla, joten sen loppu jäisi pois.",
        "Lyhennä kenttää. Posti lukee rivistä 30 merkkiä.";
    AddressCharacter =
        "Osoitteessa tai otsikossa on merkki, jota osoitesivulla ei voida esittää.",
        "Kirjoita teksti latinalaisin, kreikkalaisin tai kyrillisin kirjaimin.";
    PostalCodeForm =
        "Postinumerossa on välilyönti tai sen edessä on maatunnus. Postinumero luettiin ilman niitä.",
        "Kirjoita vain postinumeron viisi numeroa.";
    PostalCodeUnknown =
        "Postinumeroa ei ole postinumerotaulukossa.",
        "Tarkista postinumero: kirje postitetaan sellaisenaan. Aivan uusi postinumero voi puuttua taulukosta.";
    PostalCodeLocality =
        "Postinumero kuuluu toiseen postitoimipaikkaan.",
        "Tarkista postinumero ja postitoimipaikka: kirje postitetaan sellaisenaan.";
    PostalCodePoBox =
        "Osoite on postilokero-osoite, mutta postinumeron viimeinen numero ei ole 1.",
        "Tarkista postinumero: vain suurilla vastaanottajilla on postilokeroille oma postinumero.";
    CountryInvalid =
        "Maata ei ole ilmoitettu minkään maan kaksikirjaimisella maatunnuksella.",
        "Käytä standardin ISO 3166-1 alpha-2 tunnuksia, esimerkiksi `FI` tai `SE`, tai tunnusta `XX`, jos maa ei ole tiedossa.";

    // The PDF.
    PdfUnreadable =
        "PDF-tiedostoa ei voida lukea edes sen jälkeen, kun sen ristiviittaukset on muodostettu uudelleen.",
        "Muodosta PDF-tiedosto uudelleen ja avaa se katseluohjelmassa ennen lähettämistä.";
    PdfEncrypted =
        "PDF-tiedosto on salattu.",
        "Tallenna tiedosto ilman salasanaa ja käyttörajoituksia.";
    PdfLimits =
        "PDF-tiedoston rakenteen syvyys, objektien määrä tai purettu koko on suurempi kuin sallitaan.",
        "Muodosta PDF-tiedosto uudelleen tavallisella ohjelmalla.";
    PdfRebuilt =
        "PDF-tiedoston ristiviittaukset ovat vioittuneet, ja ne muodostettiin uudelleen sen objekteista.",
        "Tarkista kirje: se käsitellään sellaisena kuin katseluohjelma sen näyttäisi. Korjauta PDF-tiedoston muodostava ohjelma.";
    PdfDecrypted =
        "PDF-tiedosto oli salattu tyhjällä salasanalla, ja se käsitellään ilman salausta.",
        "Toimenpiteitä ei tarvita. Tallenna tiedosto ilman salasanaa, jos rajoituksia ei ollut tarkoitus asettaa.";
    PdfSecondReader =
        "PDF-tiedosto voitiin lukea vain toisella, sallivammalla lukijalla.",
        "Tarkista kirje ja muodosta PDF-tiedosto toisella ohjelmalla.";
    PdfActiveContent =
        "PDF-tiedostossa on komentosarjoja, toimintoja, dynaaminen lomake tai mediaa, joten sen näkyvä sisältö voi muuttua.",
        "Muodosta PDF-tiedosto ilman niitä: tulosta se PDF-tiedostoksi tai tallenna se PDF/A-muodossa.";
    PageSize =
        "Sivu ei ole pystysuuntainen A4. Sallittu poikkeama on 2 mm.",
        "Aseta sivukooksi 210 × 297 mm.";
    PageLandscape =
        "Sivu on vaakasuuntainen. Se käännetään pystyyn tulostusta varten.",
        "Toimenpiteitä ei tarvita, jos sivu saa olla luettavissa kyljeltään.";
    TooLargeForMailbox =
        "Kirjeen PDF-tiedosto liitteineen on suurempi kuin sähköinen postilaatikko ottaa vastaan.",
        "Toimenpiteitä ei tarvita, jos kirje saa mennä paperilla. Muussa tapauksessa pienennä PDF-tiedostoa.";
    MailboxServiceRefused =
        "Viestinvälityspalvelu ei ota viestiä vastaan ja kertoo syyn.",
        "Toimenpiteitä ei tarvita: ylläpitäjä selvittää asian. Älä lähetä kirjettä uudelleen.";
    AttachmentNotPrintable =
        "Kirjeessä on liitteitä, jotka jäisivät paperikirjeestä pois.",
        "Toimenpiteitä ei tarvita, jos kirje saa mennä sähköiseen postilaatikkoon. Muussa tapauksessa kokoa kaikki yhteen PDF-tiedostoon.";
    AttachmentType =
        "Liite on tyyppiä, jota sähköinen postilaatikko ei ota vastaan, tai muuta kuin sen nimestä voi päätellä.",
        "Liitä PDF-, Word-, Excel-, PowerPoint-, OpenDocument-, JPEG-, PNG- tai tekstitiedostoja, joilla on tavanomainen tiedostopääte.";
    TooManySheets =
        "Kirjeessä on enemmän arkkeja kuin tulostuspalvelun suurimpaan kirjekuoreen mahtuu.",
        "Jaa kirje osiin tai tulosta se kaksipuolisena.";
    NoPostage =
        "Tulostuspalvelulla ei ole postimaksua tämän luokan, määrämaan ja painon kirjeelle.",
        "Kevennä kirjettä: tulosta se kaksipuolisena tai jaa se osiin. Voit myös valita toisen kirjeluokan.";
    LetterNotComposable =
        "Kirjeen sivuja ei voitu liittää tulostusnippuun.",
        "Muodosta PDF-tiedosto uudelleen tavallisella ohjelmalla.";

    // What stands on the page.
    FontNotEmbedded =
        "Sivun käyttämää fonttia ei ole upotettu PDF-tiedostoon, joten tulosteen kirjaimet voisivat olla toiset.",
        "Upota kaikki fontit, kun muodostat PDF-tiedoston, tai tallenna se PDF/A-muodossa.";
    Transparency =
        "Sivuilla on läpinäkyviä osia, jotka tulostuskoneet voivat tulostaa eri tavoin.",
        "Toimenpiteitä ei tarvita. Jos kuva tulostuu huonosti, muodosta se ilman läpinäkyvyyttä.";
    AnnotationDropped =
        "Huomautuksella, leimalla tai lomakkeen kentällä ei ole omaa ulkoasua, eikä sitä tulosteta.",
        "Tarkista, ettei mitään tärkeää jää pois. Tasoita lomakkeet ja huomautukset sivun sisällöksi, kun muodostat PDF-tiedoston.";
    AddressMissing =
        "Kirjekuoren ikkunassa ei näkyisi osoitetta, joten kirjeen eteen lisätään osoitesivu.",
        "Sijoita osoite ensimmäisellä sivulla ikkunan kohdalle tai jätä se osoitesivun varaan, jolloin kirjeeseen tulee yksi arkki lisää.";
    AddressMismatch =
        "Kirjekuoren ikkunassa näkyvä osoite on toinen kuin ohjaustiedoissa. Kirje voi olla jonkun toisen.",
        "Tarkista, että kirjeet ja ohjaustiedot ovat samassa järjestyksessä, ja korjaa vanhentunut osoite.";
    AddressUnread =
        "Kirjekuoren ikkunassa näkyvää tekstiä ei voida lukea, joten osoitetta ei verrattu ohjaustietoihin.",
        "Kirjoita osoite tekstinä ja käytä fonttia, joka kertoo, mitä merkkiä kukin kuvio tarkoittaa.";
    AddressZoneCrowded =
        "Kirjekuoren ikkunassa näkyy muutakin kuin osoite, tai ikkunan reuna katkaisee tekstin.",
        "Pidä ikkunan alueella vain osoite ja osoite kokonaan sen sisällä.";
    ZoneNotEmpty =
        "Tulostusta varten valkoiseksi varatulla alueella on tekstiä tai viivoja.",
        "Siirrä ne pois alueelta. Havainto kertoo, kuinka paljon.";
    ZonePicture =
        "Kuva peittää alueen, jonka on oltava tulostusta varten valkoinen, eikä tiedetä, onko kuva siltä kohdalta valkoinen.",
        "Tarkista, että kuva on alueen kohdalta valkoinen, tai siirrä se.";
}
