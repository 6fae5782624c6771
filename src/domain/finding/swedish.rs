//! The catalogue in Swedish, as it is written in Finland.
//!
//! Terms: batch *sats*, letter *brev*, message *meddelande*, control data *styrdata* (plural), finding *anmärkning*,
//! archive *ZIP-paket*, its directory *innehållsförteckning*, entry *fil i paketet*, packed *packad*, unpacked *uppackad*,
//! folder *mapp*, checksum *kontrollsumma*, check character *kontrolltecken*, encoding *teckenkodning*,
//! namespace *namnrymd*, field *fält*, column *kolumn*, value *värde*, page range *sidintervall*,
//! sheet *ark*, envelope *kuvert*, attachment *bilaga*, id *beteckning*, recipient *mottagare*,
//! personal identity code *personbeteckning*, business id *FO-nummer*, postal code *postnummer*, city *postanstalt*,
//! operator *driftsansvarig*, mailbox *elektronisk postlåda*, print *utskrift*, print house *utskriftstjänst*, bundle *utskriftsbunt*,
//! make *skapa*, upload *skicka*, refuse *avvisa*. A limit is *högst* or *vad som är tillåtet*.
//! Codes, file names, elements and columns stay as they are written.

use super::words::translation;

translation! {
    // The archive.
    ArchiveUnreadable =
        "Filen är inte ett ZIP-paket, eller så kan dess innehållsförteckning inte läsas.",
        "Skapa ZIP-paketet på nytt och kontrollera det med `unzip -t` innan du skickar det.";
    ArchiveDamaged =
        "En fil i paketet kan inte läsas till slutet, eller så stämmer dess kontrollsumma inte.",
        "Skicka ZIP-paketet på nytt. Om felet upprepas ska du skapa paketet på nytt.";
    ArchiveInconsistent =
        "ZIP-paketets uppgifter är motstridiga: två program kunde läsa två olika satser ur det.",
        "Skapa paketet med ett vanligt packningsprogram. Lägg inte till eller ändra något i efterhand.";
    ArchiveEncrypted =
        "En fil i paketet är krypterad.",
        "Skicka satsen utan ZIP-lösenord. Förbindelsen är redan krypterad.";
    ArchiveMethod =
        "En fil i paketet är packad med en annan metod än deflate.",
        "Använd den vanliga metoden `stored` eller `deflate`.";
    ArchiveEntryName =
        "Namnet på en fil i paketet leder ut ur mappen, är en absolut sökväg eller är inte text.",
        "Använd bokstäver, siffror och tecknen `-`, `_` och `.` i filnamnen samt `/` mellan mapparna.";
    ArchiveSymlink =
        "Paketet innehåller en symbolisk länk.",
        "Lägg själva filen i paketet i stället för länken.";
    ArchiveDuplicateName =
        "Två filer i paketet har samma namn.",
        "Ge varje fil ett eget namn.";
    ArchiveTooLarge =
        "ZIP-paketet är i packad eller uppackad form större än vad som är tillåtet.",
        "Dela upp satsen i mindre satser.";
    ArchiveEntryTooLarge =
        "En fil i paketet är i uppackad form större än vad som är tillåtet för en enskild fil.",
        "Dela upp filen. PDF-filen för ett brev får vara högst 10 MiB.";
    ArchiveRatio =
        "En fil i paketet är i uppackad form orimligt mycket större än i packad form.",
        "Kontrollera programmet som skapade filen. Ett verkligt brev blir inte så här litet när det packas.";
    ArchiveTooManyEntries =
        "ZIP-paketet innehåller fler filer än vad som är tillåtet.",
        "Dela upp satsen i mindre satser.";
    ArchiveNestedTooDeep =
        "Ett ZIP-paket inuti ett ZIP-paket innehåller ännu ett ZIP-paket.",
        "Ett ZIP-paket får innehålla andra ZIP-paket på högst en nivå.";
    ArchiveHidden =
        "En fil i paketet är själv ett arkiv som på grund av sin typ eller sitt namn inte öppnas.",
        "Lägg själva filerna i paketet.";

    // The control data.
    ControlDataMissing =
        "ZIP-paketet saknar styrdata: där finns varken en XML-fil av typen `LetterBundle` eller filen `batch.csv`.",
        "Lägg till de styrdata som beskriver breven.";
    ControlDataMalformed =
        "Det finns ett syntaxfel i styrdata.",
        "Kontrollera den angivna raden: XML med `xmllint`, CSV med ett program som läser CSV.";
    ControlDataDoctype =
        "XML-filen innehåller en dokumenttypsdeklaration (DOCTYPE) eller en egen entitet.",
        "Ta bort DOCTYPE. Endast de fem entiteter som ingår i XML läses.";
    ControlDataEncoding =
        "Innehållet i styrdata följer inte den teckenkodning som anges där, eller så stöds teckenkodningen inte.",
        "Använd UTF-8 eller ISO-8859-1 och ange den teckenkodning som du använder.";
    ControlDataVersion =
        "XML-filen är inte en `LetterBundle` av version v0x4 eller v1x0.",
        "Använd namnrymden `urn:itella.com:/schema/ipost/letterbundle/v1x0`.";
    ControlDataUnknown =
        "Styrdata innehåller ett element, ett attribut eller en kolumn som Kuori inte använder.",
        "Inga åtgärder behövs om uppgiften inte var avsedd att påverka behandlingen.";
    ControlDataValue =
        "Ett värde i styrdata är inte tillåtet.",
        "Rätta värdet. Av anmärkningen framgår vilka värden som är tillåtna.";
    CsvColumnMissing =
        "Filen `batch.csv` saknar en kolumn som behövs i varje sats.",
        "Lägg till kolumnen `file` och antingen kolumnen `recipient_id` eller adresskolumnerna.";
    FieldTooLong =
        "Värdet i ett fält är längre än vad som är tillåtet.",
        "Förkorta värdet. Ett fält får innehålla högst 512 tecken.";
    TooManyMessages =
        "Satsen innehåller fler meddelanden än vad som är tillåtet.",
        "Dela upp satsen i mindre satser.";
    NoMessages =
        "Styrdata innehåller inte ett enda brev.",
        "Kontrollera det datauttag som satsen skapades ur.";
    ShapeNotSupported =
        "Satsen är uppbyggd på ett sätt som Kuori ännu inte kan läsa.",
        "Skicka en PDF-fil och en `LetterBundle`, eller `batch.csv` och PDF-filer.";
    DocumentMissing =
        "En PDF-fil som nämns i styrdata finns inte i ZIP-paketet.",
        "Lägg till filen eller rätta dess namn. Stora och små bokstäver har betydelse.";
    DocumentUnused =
        "ZIP-paketet innehåller en fil som inte nämns i styrdata.",
        "Kontrollera att inget brev saknas i styrdata.";

    // Page ranges.
    PageRangeMissing =
        "För ett brev anges inte vilka sidor som hör till det, och dess PDF-fil innehåller flera brev.",
        "Ange attributen `startPage` och `pages` i elementet `Location`; i CSV kolumnerna `start_page` och `pages`.";
    PageRangeOutside =
        "För ett brev anges sidor som inte finns i PDF-filen.",
        "Räkna sidorna på nytt. `startPage` börjar från 1.";
    PageRangeOverlap =
        "Samma sida anges för två brev, så någon skulle få en sida som hör till en annan.",
        "Rätta sidintervallen. Hela filen avvisas tills de stämmer.";
    PageRangeGap =
        "En sida hör inte till något brev, så någon skulle gå miste om en sida.",
        "Rätta sidintervallen. Hela filen avvisas tills de stämmer.";

    // The message.
    MessageDuplicate =
        "Ett meddelande med samma beteckning har redan tagits emot från samma avsändare.",
        "Ge varje brev en egen beteckning. Ingenting skickas två gånger.";
    MessageRepeated =
        "Ett meddelande med samma beteckning har tagits emot från avsändaren i en tidigare sats. Avsändarens inställningar tillåter att det skickas på nytt.",
        "Inga åtgärder behövs om brevet ska skickas på nytt. Ge i annat fall varje brev en egen beteckning.";
    RecipientIdInvalid =
        "Mottagarens beteckning har fel form eller fel kontrolltecken.",
        "Rätta beteckningen, eller utelämna den så att brevet skrivs ut.";
    RecipientIdIgnored =
        "Mottagarens beteckning har fel form eller fel kontrolltecken. Avsändaren har valt utskrift, som inte kräver någon beteckning.",
        "Rätta beteckningen eller utelämna den.";
    RecipientIdArtificial =
        "Mottagarens personbeteckning är konstgjord (individnummer 900–999): den hör inte till någon person.",
        "Märk testsändningar med `isTest`. Ange personens egen beteckning i produktion.";
    AddressIncomplete =
        "Adressen saknar namn, gatuadress, postnummer eller postanstalt.",
        "Komplettera adressen så att brevet vid behov kan skrivas ut.";
    AddressRowLong =
        "En adressrad har fler tecken än vad posten läser.",
        "Förkorta fältet till högst 30 tecken. På raden för `city` står postnumret först.";
    AddressRowCut =
        "Ett fält i adressen är längre än sina två rader på adressidan, så slutet skulle falla bort.",
        "Förkorta fältet. Posten läser 30 tecken per rad.";
    AddressCharacter =
        "Adressen eller rubriken innehåller ett tecken som inte kan visas på adressidan.",
        "Skriv texten med latinska, grekiska eller kyrilliska bokstäver.";
    PostalCodeForm =
        "Postnumret är skrivet med mellanslag eller med en landskod framför. Det lästes utan dem.",
        "Skriv endast postnumrets fem siffror.";
    PostalCodeUnknown =
        "Postnumret finns inte i tabellen över postnummer.",
        "Kontrollera postnumret: brevet postas som det är. Ett helt nytt postnummer kan saknas i tabellen.";
    PostalCodeLocality =
        "Postnumret hör till en annan postanstalt.",
        "Kontrollera postnumret och postanstalten: brevet postas som det är.";
    PostalCodePoBox =
        "Adressen är en postboxadress, men den sista siffran i postnumret är inte 1.",
        "Kontrollera postnumret: endast stora mottagare har egna postnummer för sina postboxar.";
    CountryInvalid =
        "Landet anges inte med en landskod på två bokstäver som något land har.",
        "Använd koderna i standarden ISO 3166-1 alpha-2, till exempel `FI` eller `SE`, eller `XX` om landet inte är känt.";

    // The PDF.
    PdfUnreadable =
        "PDF-filen kan inte läsas ens efter att dess korsreferenser har skapats på nytt.",
        "Skapa PDF-filen på nytt och öppna den i ett visningsprogram innan du skickar den.";
    PdfEncrypted =
        "PDF-filen är krypterad.",
        "Spara filen utan lösenord och användningsbegränsningar.";
    PdfLimits =
        "Djupet i PDF-filens struktur, antalet objekt eller den uppackade storleken är större än vad som är tillåtet.",
        "Skapa PDF-filen på nytt med ett vanligt program.";
    PdfRebuilt =
        "PDF-filens korsreferenser är skadade och har skapats på nytt utifrån filens objekt.",
        "Kontrollera brevet: det behandlas så som ett visningsprogram skulle visa det. Låt rätta det program som skapar PDF-filen.";
    PdfDecrypted =
        "PDF-filen var krypterad med ett tomt lösenord och behandlas utan kryptering.",
        "Inga åtgärder behövs. Spara filen utan lösenord om inga begränsningar var avsedda.";
    PdfSecondReader =
        "PDF-filen kunde bara läsas av en andra, mer tillåtande läsare.",
        "Kontrollera brevet och skapa PDF-filen med ett annat program.";
    PdfActiveContent =
        "PDF-filen innehåller skript, åtgärder, ett dynamiskt formulär eller media, så det som visas kan ändras.",
        "Skapa PDF-filen utan dem: skriv ut den till en PDF-fil eller spara den som PDF/A.";
    PageSize =
        "En sida är inte en stående A4. Den tillåtna avvikelsen är 2 mm.",
        "Ställ in sidstorleken 210 × 297 mm.";
    PageLandscape =
        "En sida är liggande. Den vrids upprätt för utskriften.",
        "Inga åtgärder behövs om sidan får läsas från sidan.";
    TooLargeForMailbox =
        "Brevets PDF-fil med bilagor är större än vad den elektroniska postlådan tar emot.",
        "Inga åtgärder behövs om brevet får skickas på papper. Gör i annat fall PDF-filen mindre.";
    MailboxServiceRefused =
        "Meddelandetjänsten tar inte emot meddelandet och anger orsaken.",
        "Inga åtgärder behövs: den driftsansvariga utreder saken. Skicka inte brevet på nytt.";
    AttachmentNotPrintable =
        "Brevet har bilagor som skulle falla bort på papper.",
        "Inga åtgärder behövs om brevet får skickas till den elektroniska postlådan. Samla i annat fall allt i en PDF-fil.";
    AttachmentType =
        "En bilaga är av en typ som den elektroniska postlådan inte tar emot, eller av en annan typ än namnet anger.",
        "Bifoga PDF, Word, Excel, PowerPoint, OpenDocument, JPEG, PNG eller ren text med sedvanligt filtillägg.";
    TooManySheets =
        "Brevet har fler ark än vad som ryms i utskriftstjänstens största kuvert.",
        "Dela upp brevet eller skriv ut det dubbelsidigt.";
    NoPostage =
        "Utskriftstjänsten har inget porto för ett brev av denna klass, destination och vikt.",
        "Gör brevet lättare: skriv ut det dubbelsidigt eller dela upp det. Du kan också välja den andra brevklassen.";
    LetterNotComposable =
        "Brevets sidor kunde inte tas med i en utskriftsbunt.",
        "Skapa PDF-filen på nytt med ett vanligt program.";

    // What stands on the page.
    FontNotEmbedded =
        "Ett teckensnitt som en sida använder är inte inbäddat i PDF-filen, så utskriften kunde visa andra bokstäver.",
        "Bädda in alla teckensnitt när du skapar PDF-filen, eller spara den som PDF/A.";
    Transparency =
        "Sidorna har genomskinliga delar, som tryckpressar kan återge på olika sätt.",
        "Inga åtgärder behövs. Om en bild blir dålig i utskriften, gör den utan genomskinlighet.";
    AnnotationDropped =
        "En anteckning, en stämpel eller ett formulärfält saknar eget utseende och skrivs inte ut.",
        "Kontrollera att inget går förlorat. Platta till formulär och anteckningar när du skapar PDF-filen.";
    AddressMissing =
        "Kuvertets fönster skulle inte visa någon adress, så en adressida läggs framför brevet.",
        "Placera adressen i fönstret på första sidan, eller låt adressidan visa den, vilket lägger till ett ark.";
    AddressMismatch =
        "Adressen i kuvertets fönster är en annan än i styrdata. Brevet kan höra till någon annan.",
        "Kontrollera att breven och styrdata är i samma ordning, och rätta den adress som är gammal.";
    AddressUnread =
        "Texten i kuvertets fönster kan inte läsas, så adressen jämfördes inte med styrdata.",
        "Skriv adressen som text i ett teckensnitt som anger vilket tecken varje figur är.";
    AddressZoneCrowded =
        "I kuvertets fönster syns annat än adressen, eller så skär fönstrets kant av text.",
        "Håll fönstret fritt från allt utom adressen, och adressen helt inom det.";
    ZoneNotEmpty =
        "Text eller linjer står i en zon som måste förbli vit för utskriften.",
        "Flytta det ut ur zonen. Anmärkningen anger hur långt.";
    ZonePicture =
        "En bild täcker en zon som måste vara vit för utskriften, och det är inte känt om bilden är vit där.",
        "Kontrollera att bilden är vit i zonen, eller flytta den.";
}
