use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::PrivateKeyDer;
use serde_json::json;
use tokio_rustls::TlsAcceptor;

use super::*;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A server with a certificate for a name of `authority`'s.
async fn server(
    authority: &Authority,
    name: &str,
    change: impl FnOnce(&mut CertificateParams),
) -> Server {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    Server::with_tls(TlsAcceptor::from(Arc::new(config)), |seen| {
        tokens(seen).unwrap_or_else(|| Reply::json(200, &json!({ "messageId": 1 })))
    })
    .await
}

/// What comes of a message to that server, where `trusted` is whom `ca_file` names.
async fn sent_to(server: &Server, trusted: Option<&Authority>) -> Result<SentMessage, Error> {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path(), &server.url);
    settings.allows_plain_http = false;
    settings.ca_file = trusted.map(|authority| {
        let path = folder.path().join("ca.pem");
        write(&path, &authority.pem());
        path
    });
    Suomifi::new(settings)?.send(&post()).await
}

/// The hint says that it is the certificate.
fn is_about_the_certificate(outcome: Result<SentMessage, Error>) -> bool {
    let error = outcome.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Unreachable {
                may_have_arrived: false,
                ..
            }
        ),
        "{error:?}"
    );
    error.hint().unwrap().contains("certificate")
}

#[tokio::test]
async fn the_issuer_of_ca_file_is_trusted_and_nobody_else() {
    let (ours, other) = (authority(), authority());
    let server = server(&ours, "127.0.0.1", |_| {}).await;
    sent_to(&server, Some(&ours)).await.unwrap();
    assert!(is_about_the_certificate(
        sent_to(&server, Some(&other)).await
    ));
    let seen = server.seen().len();
    // Nor is it one that the system trusts, if the system trusts any.
    match sent_to(&server, None).await {
        Err(Error::Settings { .. }) => {}
        outcome => assert!(is_about_the_certificate(outcome)),
    }
    assert_eq!(server.seen().len(), seen, "nothing was said to it");
}

#[tokio::test]
async fn a_certificate_for_another_name_or_of_another_time_is_not_trusted() {
    let ours = authority();
    let other = server(&ours, "other.example", |_| {}).await;
    assert!(is_about_the_certificate(sent_to(&other, Some(&ours)).await));
    let past = server(&ours, "127.0.0.1", |params| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    })
    .await;
    assert!(is_about_the_certificate(sent_to(&past, Some(&ours)).await));
    let future = server(&ours, "127.0.0.1", |params| {
        params.not_before = date_time_ymd(2999, 1, 1);
        params.not_after = date_time_ymd(3000, 1, 1);
    })
    .await;
    assert!(is_about_the_certificate(
        sent_to(&future, Some(&ours)).await
    ));
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_gets_nothing() {
    let plain = Server::start(|_| Reply::token("t")).await;
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    write(&ca, &authority().pem());
    let settings = Settings {
        allows_plain_http: false,
        ca_file: Some(ca),
        ..settings(folder.path(), &format!("https://{}", plain.address))
    };
    let error = Suomifi::new(settings.clone()).unwrap().check().await;
    assert!(matches!(error, Err(Error::Unreachable { .. })));
    // Nor where the settings say `http` and do not allow it.
    let settings = Settings {
        base_url: plain.url.clone(),
        ..settings
    };
    assert!(Suomifi::new(settings).unwrap().check().await.is_err());
    assert!(plain.seen().is_empty());
}

#[test]
fn a_ca_file_that_is_none_is_told_when_the_house_is_built() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    let settings = Settings {
        ca_file: Some(ca.clone()),
        ..settings(folder.path(), "https://127.0.0.1")
    };
    let told = || {
        let error = Suomifi::new(settings.clone()).err().unwrap();
        assert!(matches!(error, Error::Settings { .. }));
        error.to_string()
    };
    assert!(told().contains("ca.pem"));
    write(&ca, "nothing");
    assert!(told().contains("it has no certificate"));
    write(
        &ca,
        "-----BEGIN CERTIFICATE-----\n%%\n-----END CERTIFICATE-----",
    );
    assert!(told().contains("it is no PEM"));
}
