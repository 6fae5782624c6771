/// What control data is written in: what its byte-order mark and its XML declaration say.
///
/// Nobody means the control characters that ISO-8859-1 has at 0x80–0x9F, so these are read as
/// Windows-1252, as browsers do (WHATWG Encoding, 4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Latin1,
}

const UTF8_MARK: &[u8] = b"\xEF\xBB\xBF";

impl Encoding {
    /// The encoding of what begins with `head`, and the length of its mark; or why it is not read.
    pub(super) fn detect(head: &[u8]) -> Result<(Self, usize), &'static str> {
        let is_utf16 = matches!(
            head,
            [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0, b'<', ..] | [b'<', 0, ..]
        );
        if is_utf16 {
            return Err("it is written in UTF-16");
        }
        let unmarked = head.strip_prefix(UTF8_MARK);
        let mark_bytes = unmarked.map_or(0, |_| UTF8_MARK.len());
        let name = declared(unmarked.unwrap_or(head)).map(|name| name.to_ascii_lowercase());
        let encoding = match (name.as_deref(), mark_bytes > 0) {
            (None | Some("utf-8" | "utf8" | "us-ascii" | "ascii"), _) => Self::Utf8,
            (Some("iso-8859-1" | "latin1" | "windows-1252"), false) => Self::Latin1,
            (Some("iso-8859-1" | "latin1" | "windows-1252"), true) => {
                return Err("its byte-order mark says UTF-8 and its declaration does not");
            }
            _ => return Err("it declares an encoding other than UTF-8 and ISO-8859-1"),
        };
        Ok((encoding, mark_bytes))
    }
}

/// Adds the text that the bytes are in ISO-8859-1; `false` where one of them is no character, and
/// then the text ends before it.
pub(super) fn push_latin1(bytes: &[u8], text: &mut String) -> bool {
    text.reserve(bytes.len() + bytes.len() / 8);
    for run in bytes.chunk_by(|a, b| a.is_ascii() && b.is_ascii()) {
        match std::str::from_utf8(run) {
            Ok(run) => text.push_str(run),
            Err(_) => match run.first().and_then(|&byte| latin1(byte)) {
                Some(character) => text.push(character),
                None => return false,
            },
        }
    }
    true
}

/// The encoding that the XML declaration names, if there is one.
fn declared(head: &[u8]) -> Option<String> {
    let declaration = head.strip_prefix(b"<?xml")?;
    let end = declaration.windows(2).position(|pair| pair == b"?>")?;
    let declaration = String::from_utf8_lossy(declaration.get(..end)?).into_owned();
    let (_, after) = declaration.split_once("encoding")?;
    let value = after.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let value = value.get(1..)?;
    Some(value.split(quote).next().unwrap_or(value).to_owned())
}

fn latin1(byte: u8) -> Option<char> {
    const WINDOWS_1252: [char; 32] = [
        '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', '\0',
        '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\0', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9F => {
            let character = WINDOWS_1252.get(usize::from(byte - 0x80)).copied();
            character.filter(|&c| c != '\0')
        }
        _ => Some(char::from(byte)),
    }
}
