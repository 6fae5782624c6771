//! Other people's validators of `OpenAPI` hold the stand-in for Suomi.fi Messages, and what our client
//! says to it, to a description of the API: ours (`schemas/suomifi-messages.openapi.json`).
//!
//! `official` does the same by the service's own description.

mod letters;
mod official;

use std::path::{Path, PathBuf};

use kuori::suomifi_stub::{Settings, Stub};

use super::tools;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs schemathesis"]
async fn schemathesis_finds_every_answer_of_the_stand_in_as_it_is_described() {
    schemathesis_is_content(&ours()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs openapi-core"]
async fn what_our_client_says_to_the_stand_in_is_as_it_is_described() {
    exchanges_fit(&ours()).await;
}

fn ours() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/suomifi-messages.openapi.json")
}

/// Requests that are right and wrong, drawn from the description, and what is answered.
async fn schemathesis_is_content(description: &Path) {
    let settings = Settings::default();
    let (user, password) = (settings.user.clone(), settings.password.clone());
    let stub = Stub::start(settings).await.unwrap();
    let arguments = [
        description.display().to_string(),
        stub.base_url(),
        user,
        password,
    ];
    let ran = tokio::task::spawn_blocking(move || {
        tools::python("suomifi/run_schemathesis.py", arguments)
    });
    let said = ran.await.unwrap();
    // That it has asked for all there is, and often.
    let counts = stub.counts();
    for path in letters::PATHS {
        let asked = counts.requests.get(path).copied().unwrap_or_default();
        assert!(asked > 10, "{path} was asked {asked} times: {said}");
    }
}

/// What our client and the stand-in say to each other while letters are sent.
async fn exchanges_fit(description: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("exchanges.jsonl");
    std::fs::write(&file, letters::exchanged(folder.path()).await).unwrap();
    let said = tools::python(
        "suomifi/check_exchanges.py",
        [description.as_os_str(), file.as_os_str()],
    );
    for what in letters::EXCHANGES {
        assert!(said.contains(what), "no `{what}` in {said}");
    }
}
