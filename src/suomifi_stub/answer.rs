use hyper::{Method, StatusCode, body::Bytes};
use serde_json::{Value, json};

/// What is answered, before anything goes wrong with it.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) kind: &'static str,
    pub(super) retry_after_secs: Option<u64>,
    /// The method that there is instead.
    pub(super) allow: Option<&'static str>,
    pub(super) body: Content,
}

/// JSON stays a value as long as somebody may alter it.
#[derive(Debug, Clone)]
pub(super) enum Content {
    Json(Value),
    Bytes(Bytes),
}

const JSON: &str = "application/json";

impl Answer {
    pub(super) fn json(status: StatusCode, value: Value) -> Self {
        Self {
            status,
            kind: JSON,
            retry_after_secs: None,
            allow: None,
            body: Content::Json(value),
        }
    }

    pub(super) fn ok(value: Value) -> Self {
        Self::json(StatusCode::OK, value)
    }

    /// `ErrorResponseV1`.
    pub(super) fn refused(status: StatusCode, reason: &str) -> Self {
        Self::json(status, json!({ "reason": reason }))
    }

    pub(super) fn bad_request(reason: &str) -> Self {
        Self::refused(StatusCode::BAD_REQUEST, reason)
    }

    pub(super) fn other_method(wanted: &Method) -> Self {
        let refused = Self::refused(
            StatusCode::METHOD_NOT_ALLOWED,
            "there is no such method here",
        );
        Self {
            allow: Some(if *wanted == Method::GET {
                "GET"
            } else {
                "POST"
            }),
            ..refused
        }
    }

    /// `ValidationErrorResponseV1`.
    pub(super) fn invalid(faults: &[String]) -> Self {
        let errors: Vec<_> = faults.iter().map(|error| json!({"error": error})).collect();
        Self::validation("Validation error", &errors)
    }

    /// `ValidationErrorResponseV1` with a code.
    pub(super) fn coded(code: &str, error: &str) -> Self {
        Self::validation(error, &[json!({"error": error, "errorCode": code})])
    }

    fn validation(reason: &str, errors: &[Value]) -> Self {
        let body = json!({"reason": reason, "validationErrors": errors});
        Self::json(StatusCode::BAD_REQUEST, body)
    }

    pub(super) fn text(status: StatusCode, kind: &'static str, text: impl Into<Bytes>) -> Self {
        Self {
            status,
            kind,
            retry_after_secs: None,
            allow: None,
            body: Content::Bytes(text.into()),
        }
    }

    /// Above what the stand-in holds in memory.
    pub(super) fn full(setting: &str) -> Self {
        let reason = format!("the stand-in is full: see its limit of {setting}");
        Self::refused(StatusCode::SERVICE_UNAVAILABLE, &reason)
    }

    pub(super) fn bytes(&self) -> Bytes {
        match &self.body {
            Content::Json(value) => Bytes::from(value.to_string()),
            Content::Bytes(bytes) => bytes.clone(),
        }
    }
}
