//! By the service's own description, in the file that `KUORI_SUOMIFI_OPENAPI` names.

use std::path::PathBuf;

use super::{exchanges_fit, ours, schemathesis_is_content, tools};

#[test]
#[ignore = "needs PyYAML and KUORI_SUOMIFI_OPENAPI"]
fn our_description_says_the_same_as_the_service_for_what_we_use() {
    let said = tools::python("suomifi/compare_descriptions.py", [ours(), theirs()]);
    let compared = said.trim().strip_prefix("compared ").unwrap();
    let (count, rest) = compared.split_once(',').unwrap();
    assert!(count.parse::<u32>().unwrap() > 1_000, "{said}");
    assert_eq!(rest, " different 0");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs schemathesis and KUORI_SUOMIFI_OPENAPI"]
async fn schemathesis_finds_every_answer_of_the_stand_in_as_the_service_describes_it() {
    schemathesis_is_content(&theirs()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs openapi-core and KUORI_SUOMIFI_OPENAPI"]
async fn what_our_client_says_to_the_stand_in_is_as_the_service_describes_it() {
    exchanges_fit(&theirs()).await;
}

fn theirs() -> PathBuf {
    let file = std::env::var_os("KUORI_SUOMIFI_OPENAPI");
    file.expect("KUORI_SUOMIFI_OPENAPI names the service's own description")
        .into()
}
