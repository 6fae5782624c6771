//! What the new file says about itself: the information dictionary and the same as XMP.

use super::WriterSettings;
use super::text::put_text;

/// The entries of the information dictionary (ISO 32000-1, 14.3.3).
pub(super) fn information(settings: &WriterSettings) -> Vec<u8> {
    let date = settings.created.strftime("D:%Y%m%d%H%M%SZ").to_string();
    let mut out = b"<<".to_vec();
    for (key, value) in [
        ("/Title", &settings.title),
        ("/Producer", &settings.producer),
        ("/CreationDate", &date),
        ("/ModDate", &date),
    ] {
        out.extend_from_slice(key.as_bytes());
        put_text(&mut out, value);
    }
    out.extend_from_slice(b"/Trapped/False>>");
    out
}

/// The XMP packet (ISO 16684-1), to stand in the file unfiltered.
pub(super) fn packet(settings: &WriterSettings) -> String {
    let date = settings.created.strftime("%Y-%m-%dT%H:%M:%SZ");
    let title = escaped(&settings.title);
    let producer = escaped(&settings.producer);
    let id = u128::from_be_bytes(settings.id);
    format!(
        r#"<?xpacket begin="{BYTE_ORDER_MARK}" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about=""
 xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:pdf="http://ns.adobe.com/pdf/1.3/"
 xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/">
<dc:format>application/pdf</dc:format>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
<xmp:CreateDate>{date}</xmp:CreateDate>
<xmp:ModifyDate>{date}</xmp:ModifyDate>
<xmp:MetadataDate>{date}</xmp:MetadataDate>
<pdf:Producer>{producer}</pdf:Producer>
<pdf:Trapped>False</pdf:Trapped>
<xmpMM:DocumentID>uuid:{id:032x}</xmpMM:DocumentID>
<xmpMM:VersionID>1</xmpMM:VersionID>
<xmpMM:RenditionClass>default</xmpMM:RenditionClass>
</rdf:Description>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>"#
    )
}

const BYTE_ORDER_MARK: char = '\u{feff}';

/// Text for XML: control characters, which XML cannot hold, become spaces.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\u{fffe}' | '\u{ffff}' => out.push(' '),
            character if character.is_control() => out.push(' '),
            character => out.push(character),
        }
    }
    out
}
