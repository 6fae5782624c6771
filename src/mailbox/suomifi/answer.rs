use jiff::fmt::rfc2822;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use serde_json::Value;

use super::{Error, hiding::fit_for_a_log};
use crate::domain::Private;

/// The service marks each answer, and its support asks for the mark.
const TRACE_ID: &str = "traceId";
const MAX_TRACE_ID: usize = 64;
/// A longer wait is not believed.
const MAX_RETRY_AFTER_SECS: u64 = 86_400;
/// The error code for a recipient whose mailbox is not active.
const NOT_IN_USE: &str = "MAILBOX_NOT_IN_USE";

/// What was sent, as far as an error about it has to know.
#[derive(Default)]
pub(super) struct Sent<'a> {
    pub(super) bytes: u64,
    /// What no error may repeat.
    pub(super) private: Vec<&'a str>,
}

/// What the service has answered.
pub(super) struct Answer {
    pub(super) status: u16,
    body: Vec<u8>,
    trace_id: Option<String>,
    /// In seconds.
    retry_after: Option<u64>,
    /// Was sent along with the request.
    token: Option<Private<String>>,
}

impl Answer {
    pub(super) fn new(status: u16, headers: &HeaderMap, body: Vec<u8>) -> Self {
        Self {
            status,
            body,
            trace_id: trace_id(headers),
            retry_after: retry_after(headers),
            token: None,
        }
    }

    pub(super) fn to(self, token: Private<String>) -> Self {
        Self {
            token: Some(token),
            ..self
        }
    }

    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub(super) fn trace_id(&self) -> Option<&str> {
        self.trace_id.as_deref()
    }

    /// As JSON, whatever it has; `Null` where it is none.
    pub(super) fn value(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// An answer with the right status that says something else.
    pub(super) fn unlike(&self, what: &str) -> Error {
        let trace = self.trace();
        Error::Answer {
            what: format!("{what}{trace}"),
        }
    }

    /// For a question for events. What is no JSON at all comes from somebody between, who answers for a
    /// service that is away.
    pub(super) fn no_page(&self) -> Error {
        let what = format!("HTTP status {}{}", self.status, self.trace());
        if self.body.trim_ascii_start().starts_with(b"{") {
            return Error::NoPage { what };
        }
        self.unlike(&format!("no JSON, HTTP status {}", self.status))
    }

    /// The error that this is, for a status that is no success.
    pub(super) fn trouble(&self, sent: &Sent<'_>) -> Error {
        let reason = self.words(sent);
        match self.status {
            401 | 403 => Error::NotLetIn {
                reason: format!("{}, {reason}", self.status),
            },
            408 | 425 | 429 | 500..=599 => Error::Busy {
                status: self.status,
                retry_after: self.retry_after,
                reason,
            },
            413 => Error::TooLarge { bytes: sent.bytes },
            400 if self.says_no_mailbox() => Error::NoMailbox,
            404 | 405 | 407 | 410 => self.unlike(&format!("HTTP status {}, {reason}", self.status)),
            status @ 400..=499 => Error::Refused { status, reason },
            300..=399 => self.unlike("it sends us to another address"),
            status => self.unlike(&format!("HTTP status {status}")),
        }
    }

    /// What the service says, without what must not be repeated.
    pub(super) fn words(&self, sent: &Sent<'_>) -> String {
        let mut private = sent.private.clone();
        private.extend(self.token.iter().map(|token| token.expose().as_str()));
        let words = fit_for_a_log(&self.own_words(), &private);
        let words = if words.is_empty() {
            "without a reason"
        } else {
            &words
        };
        format!("{words}{}", self.trace())
    }

    fn own_words(&self) -> String {
        let value = self.value();
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        let mut words: Vec<_> = text("reason").or(text("message")).into_iter().collect();
        let errors = value.get("validationErrors").and_then(Value::as_array);
        for error in errors.into_iter().flatten() {
            let of = |key: &str| error.get(key).and_then(Value::as_str);
            words.extend(of("errorCode").into_iter().chain(of("error")));
        }
        if words.is_empty() {
            return self.plain_words();
        }
        words.join("; ")
    }

    /// A body that is neither JSON nor a page for browsers.
    fn plain_words(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        let is_plain = !text.trim_start().starts_with(['<', '{', '[']);
        text.chars().take(2_000).filter(|_| is_plain).collect()
    }

    fn says_no_mailbox(&self) -> bool {
        let value = self.value();
        let errors = value.get("validationErrors").and_then(Value::as_array);
        let mut codes = errors.into_iter().flatten().chain([&value]);
        codes.any(|error| error.get("errorCode").and_then(Value::as_str) == Some(NOT_IN_USE))
    }

    fn trace(&self) -> String {
        let trace = self.trace_id.as_ref();
        trace.map_or_else(String::new, |id| format!(" (traceId {id})"))
    }
}

fn trace_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(TRACE_ID)?.to_str().ok()?;
    let is_usual = |c: &char| c.is_ascii_alphanumeric() || "-_:=;.".contains(*c);
    let id: String = id.chars().filter(is_usual).take(MAX_TRACE_ID).collect();
    (!id.is_empty()).then_some(id)
}

/// Seconds, or a time by the other side's own clock (RFC 9110, 10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<u64> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let wanted = text(RETRY_AFTER)?.trim();
    let secs = wanted.parse().ok().or_else(|| {
        let time = |text| rfc2822::parse(text).ok().map(|time| time.timestamp());
        let wait = time(wanted)?.as_second() - time(text(DATE)?)?.as_second();
        Some(u64::try_from(wait).unwrap_or(0))
    });
    secs.map(|secs: u64| secs.min(MAX_RETRY_AFTER_SECS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Answer {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        Answer::new(status, &headers, body.as_bytes().to_vec())
    }

    fn told(status: u16, body: &str) -> String {
        let error = answer(status, &[], body).trouble(&Sent::default());
        format!("{:?} {error}", error.disposition())
    }

    #[test]
    fn a_status_says_what_becomes_of_the_message() {
        let told = [
            told(400, r#"{"reason":"bad id"}"#),
            told(
                400,
                r#"{"reason":"x","validationErrors":[{"error":"no","errorCode":"MAILBOX_NOT_IN_USE"}]}"#,
            ),
            told(
                400,
                r#"{"reason":"x","validationErrors":[{"error":"gone","errorCode":"NEW_CODE"},7],"new":{}}"#,
            ),
            told(403, r#"{"reason":"Access denied"}"#),
            told(404, ""),
            told(413, "HTTP content length exceeded 10485760 bytes."),
            told(415, r#"{"reason":"no such type"}"#),
            told(429, r#"{"message":"Too many requests"}"#),
            told(302, "<html>"),
            told(502, "<html><h1>Bad gateway</h1></html>"),
            told(600, ""),
        ];
        insta::assert_snapshot!(told.join("\n"), @r"
        Reject the mailbox service refuses it (400): bad id
        Reject the recipient has no mailbox in use
        Reject the mailbox service refuses it (400): x; NEW_CODE; gone
        Retry the mailbox service does not let this house in: 403, Access denied
        Retry the mailbox service answers something else than its description says: HTTP status 404, without a reason
        Reject 0 bytes are more than the mailbox service takes
        Reject the mailbox service refuses it (415): no such type
        Retry the mailbox service answers 429: Too many requests
        Retry the mailbox service answers something else than its description says: it sends us to another address
        Retry the mailbox service answers 502: without a reason
        Retry the mailbox service answers something else than its description says: HTTP status 600
        ");
    }

    #[test]
    fn a_wait_is_read_in_seconds_or_as_a_time_and_an_absurd_one_is_cut() {
        let after = |headers: &[(&'static str, &str)]| answer(503, headers, "").retry_after;
        assert_eq!(after(&[("retry-after", "120")]), Some(120));
        assert_eq!(after(&[("retry-after", "99999999")]), Some(86_400));
        assert_eq!(after(&[("retry-after", "soon")]), None);
        let date = ("date", "Wed, 21 Oct 2026 07:28:00 GMT");
        let later = ("retry-after", "Wed, 21 Oct 2026 07:30:00 GMT");
        assert_eq!(after(&[date, later]), Some(120));
        let earlier = ("retry-after", "Wed, 21 Oct 2026 07:20:00 GMT");
        assert_eq!(after(&[date, earlier]), Some(0));
    }

    #[test]
    fn a_page_for_browsers_is_no_page_of_events_gone_wrong() {
        let of = |body| answer(200, &[], body).no_page();
        for cut in ["{", " {\"events\": 7}"] {
            assert!(matches!(of(cut), Error::NoPage { .. }), "{cut}");
        }
        for other in ["<html><h1>Back soon</h1></html>", "", "Back soon"] {
            assert!(matches!(of(other), Error::Answer { .. }), "{other}");
        }
    }

    #[test]
    fn the_mark_for_support_is_told_and_cannot_carry_anything_else() {
        let of = |id| answer(500, &[("traceId", id)], "").words(&Sent::default());
        assert_eq!(of("8f-1"), "without a reason (traceId 8f-1)");
        assert_eq!(of("a b\"<c>"), "without a reason (traceId abc)");
        assert!(of(&"x".repeat(500)).len() < 100);
    }
}
