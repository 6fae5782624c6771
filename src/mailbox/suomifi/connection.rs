use std::{fs, time::Instant};

use reqwest::{
    Certificate, Client, ClientBuilder, Method, RequestBuilder, Url, header::HeaderValue, redirect,
    retry, tls,
};

use super::{Error, Settings, answer::Answer};
use crate::domain::Private;

/// Requests and answers over HTTP: certificates, times, sizes. It knows no request.
pub(super) struct Connection {
    http: Client,
    base_url: String,
    max_answer_bytes: u64,
}

impl Connection {
    pub(super) fn new(settings: &Settings) -> Result<Self, Error> {
        // The first one of the process counts, and all of them are this one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Url::parse(&settings.base_url).map_err(|_| no_address())?;
        let http = builder(settings)?
            .build()
            .map_err(|error| Error::Settings {
                what: format!("no connection can be made: {}", error.without_url()),
            })?;
        Ok(Self {
            http,
            base_url: settings.base_url.clone(),
            max_answer_bytes: settings.max_answer_bytes,
        })
    }

    /// `path` begins with a slash.
    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.base_url))
    }

    /// A `GET` with a query.
    pub(super) fn asking(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<RequestBuilder, Error> {
        let url = Url::parse_with_params(&format!("{}{path}", self.base_url), query);
        Ok(self.http.get(url.map_err(|_| no_address())?))
    }

    pub(super) async fn exchange(&self, request: RequestBuilder) -> Result<Answer, Error> {
        let since = Instant::now();
        let request = request.build().map_err(|error| Error::Settings {
            what: format!("no request can be made: {}", error.without_url()),
        })?;
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let mut response = self.http.execute(request).await.map_err(unreachable)?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.map_err(unreachable)? {
            body.extend_from_slice(&part);
            if body.len() as u64 > self.max_answer_bytes {
                return Err(Error::Answer {
                    what: format!("more than {} bytes", self.max_answer_bytes),
                });
            }
        }
        let answer = Answer::new(status, &headers, body);
        let took_ms = since.elapsed().as_millis();
        let trace_id = answer.trace_id();
        tracing::debug!(%method, path, status, took_ms, trace_id, "asked the mailbox service");
        Ok(answer)
    }
}

fn no_address() -> Error {
    Error::Settings {
        what: "`base_url` is no address".to_owned(),
    }
}

fn builder(settings: &Settings) -> Result<ClientBuilder, Error> {
    let builder = Client::builder()
        .user_agent(concat!("kuori/", env!("CARGO_PKG_VERSION")))
        // The service lets addresses in that it knows: nothing may stand between.
        .no_proxy()
        // Whoever sends us elsewhere would get passwords and letters.
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false)
        .https_only(!settings.allows_plain_http)
        .tls_version_min(tls::Version::TLS_1_2)
        .connect_timeout(settings.connect_timeout)
        .timeout(settings.request_timeout);
    Ok(match certificates(settings)? {
        Some(trusted) => builder.tls_certs_only(trusted),
        None => builder,
    })
}

/// `None` stands for those that the system trusts, which take a moment to read.
fn certificates(settings: &Settings) -> Result<Option<Vec<Certificate>>, Error> {
    let Some(path) = &settings.ca_file else {
        let is_plain = settings.allows_plain_http && settings.base_url.starts_with("http://");
        return Ok(is_plain.then(Vec::new));
    };
    let wrong = |why: String| Error::Settings {
        what: format!("`ca_file` is `{}`: {why}", path.display()),
    };
    let pem = fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let certificates = Certificate::from_pem_bundle(&pem);
    let certificates = certificates.map_err(|_| wrong("it is no PEM".to_owned()))?;
    if certificates.is_empty() {
        return Err(wrong("it has no certificate".to_owned()));
    }
    Ok(Some(certificates))
}

/// `Bearer` and the token; the library writes it into no log.
pub(super) fn bearer(token: &Private<String>) -> Result<HeaderValue, Error> {
    let value = HeaderValue::try_from(format!("Bearer {}", token.expose()));
    let mut value = value.map_err(|_| Error::Answer {
        what: "a token that cannot stand in a header".to_owned(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Without the address: its query may name a message. Nothing goes over a line that did not come about:
/// a name that is not known, a port that nobody listens at, a certificate that will not do.
fn unreachable(error: reqwest::Error) -> Error {
    Error::Unreachable {
        may_have_arrived: !error.is_connect(),
        source: error.without_url().into(),
    }
}
