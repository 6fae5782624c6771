use std::path::Path;

use super::*;
use crate::{
    mailbox::suomifi,
    pipeline::{SetAside, Shown},
};

/// A service with what it cannot do without, and a sender who names it.
const LEAST: &str = "
[senders.a]
suomifi = 'city-letters'
[suomifi.city-letters]
service_id = 'S-1'
user = 'kuori'
password_file = 'suomifi.password'
";

#[test]
fn a_service_with_its_least_keys_has_the_defaults_of_its_room() {
    let config = parse_at(LEAST, "/data".into()).unwrap();
    let [service] = config.services.as_slice() else {
        panic!("one service");
    };
    let plain = suomifi::Settings::new(
        "city-letters".parse().unwrap(),
        "S-1".to_owned(),
        "kuori".to_owned(),
        Path::new("/data/suomifi.password").to_owned(),
    );
    assert_eq!(service.client, plain);
    assert_eq!(service.courier.in_flight, 8);
    assert_eq!(service.courier.set_aside, SetAside::default());
    assert!((service.courier.rate_per_sec - 1.0).abs() < f64::EPSILON);
    let sender = &config.senders[0].settings;
    assert_eq!(sender.suomifi.as_ref(), Some(&plain.name));
    assert_eq!(sender.shown, Shown::default());
}

#[test]
fn a_service_is_read_with_all_its_keys() {
    let text = "
[senders.a.mailbox]
replies_allowed = true
recipient_only = true
reminder = false
[suomifi.x]
service_id = 'S-1'
user = 'kuori'
password_file = '/etc/kuori/x.password'
base_url = 'http://127.0.0.1:8080/'
allows_plain_http = true
ca_file = 'ca.pem'
courier = { rate_per_sec = 5, in_flight = 2, first_wait_secs = 1, longest_wait_secs = 2, set_aside_after_tries = 3, set_aside_after_hours = 4 }
requests = { recipients_a_question = 10, connect_timeout_secs = 3 }
";
    let config = parse_at(text, "/data".into()).unwrap();
    let service = &config.services[0];
    assert_eq!(service.client.base_url, "http://127.0.0.1:8080");
    assert_eq!(
        service.client.password_file,
        Path::new("/etc/kuori/x.password")
    );
    assert_eq!(
        service.client.ca_file.as_deref(),
        Some(Path::new("/data/ca.pem"))
    );
    assert_eq!(service.client.recipients_a_question, 10);
    assert_eq!(service.client.connect_timeout.as_secs(), 3);
    assert!((service.courier.rate_per_sec - 5.0).abs() < f64::EPSILON);
    assert_eq!(service.courier.in_flight, 2);
    assert_eq!(service.courier.back_off.longest.as_secs(), 2);
    assert_eq!(service.courier.set_aside.refusals, 3);
    assert_eq!(service.courier.set_aside.after.as_hours(), 4);
    let shown = config.senders[0].settings.shown;
    assert!(shown.replies_allowed && shown.recipient_only && !shown.reminder);
}

#[test]
fn what_is_wrong_with_a_service_says_what_to_write() {
    let with = |text: &str| wrong(&format!("[senders.a]\n{text}"));
    let keys = "service_id = 'S'\nuser = 'u'\npassword_file = 'p'";
    let told = [
        "suomifi = 'city-leters'\n[suomifi.city-letters]\n".to_owned() + keys,
        "suomifi = 'town'".to_owned(),
        "[suomifi.x]".to_owned(),
        format!("[suomifi.X_y]\n{keys}"),
        format!("[suomifi.x]\n{keys}\nbase_url = 'http://127.0.0.1'"),
        format!("[suomifi.x]\n{keys}\nbase_url = 'api.messages.suomi.fi'"),
        format!("[suomifi.x]\n{keys}\nbase_url = 'https://user:secret@host'"),
        format!("[suomifi.x]\n{keys}\ncourier = {{ rate_per_sec = -1, longest_wait_secs = 1 }}"),
        format!("[suomifi.x]\n{keys}\n[suomifi.y]\n{keys}"),
        format!("[suomifi.x]\n{keys}\nrequests = {{ recipients_a_question = 10_001 }}"),
    ]
    .map(|text| with(&text));
    insta::assert_snapshot!(told.join("\n"), @r#"
    line 2: `senders.a.suomifi` names the service "city-leters", which is not set up; give it a table `[suomifi.city-leters]`; did you mean `city-letters`?
    line 2: `senders.a.suomifi` names the service "town", which is not set up; give it a table `[suomifi.town]`
    line 2: `suomifi.x.password_file` is missing
    line 2: `suomifi.x.service_id` is missing
    line 2: `suomifi.x.user` is missing
    line 2: `suomifi.X_y` must have a name of 1 to 40 of a-z, 0-9 and `-`, as `city-letters`; did you mean `x-y`?
    line 6: `suomifi.x.base_url` must begin with `https://`; only for a stand-in on this machine say `allows_plain_http = true`
    line 6: `suomifi.x.base_url` must be an address such as `https://api.messages.suomi.fi`
    line 6: `suomifi.x.base_url` must be an address such as `https://api.messages.suomi.fi`
    line 6: `suomifi.x.courier.longest_wait_secs` must not be less than `first_wait_secs`
    line 6: `suomifi.x.courier.rate_per_sec` must be at least 0, not -1
    line 7: `suomifi.y.service_id` is that of `suomifi.x` too; senders may share a service
    line 6: `suomifi.x.requests.recipients_a_question` must be at most 10000, not 10001
    "#);
}
