use std::{
    fs::{self, Permissions},
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    thread,
};

use super::House;

/// Answers each request alike, whatever it is, and never ends before the test does.
fn service(status: &'static str, body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = answer(stream.unwrap(), status, body);
        }
    });
    url
}

fn answer(mut stream: TcpStream, status: &str, body: &str) -> std::io::Result<()> {
    let mut request = BufReader::new(stream.try_clone()?);
    let (mut line, mut length) = (String::new(), 0);
    while request.read_line(&mut line)? > 2 {
        let header = line.to_lowercase();
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        line.clear();
    }
    request.read_exact(&mut vec![0; length])?;
    let head = format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}",
        body.len()
    );
    write!(stream, "{head}\r\n\r\n{body}")
}

/// Settings with that service, and its password file.
fn settings(house: &House, url: &str) -> String {
    let password = house.file("password", "old-password\n");
    fs::set_permissions(password, Permissions::from_mode(0o600)).unwrap();
    let text = format!(
        "data_folder = '{}'\n[senders.a]\n[suomifi.city-letters]\nservice_id = 'S-1'\n\
         user = 'kuori'\npassword_file = '{}'\nbase_url = '{url}'\nallows_plain_http = true\n",
        house.path("data"),
        house.path("password"),
    );
    house.file("kuori.toml", &text)
}

const TOKEN: &str = r#"{"access_token":"t","expires_in":3600,"token_type":"Bearer"}"#;

#[test]
fn a_service_that_lets_us_in_is_told_step_by_step() {
    let house = House::filled();
    let url = service("200 OK", TOKEN);
    let config = settings(&house, &url);
    let told = house.out(&format!("suomifi check city-letters --config {config}"));
    let told = told.replace(url.trim_start_matches("http://"), "HOST");
    insta::assert_snapshot!(told, @r"
    city-letters  S-1 at http://HOST as kuori
    STEP                 RESULT
    password file        ok
    address              HOST
    connection           from 127.0.0.1
    certificate, answer  HTTP 200
    token                ok
    ");
}

#[test]
fn a_check_ends_at_the_first_thing_that_fails_and_says_what_to_do() {
    let house = House::filled();
    let url = service("400 Bad Request", r#"{"reason":"Authentication failed"}"#);
    let config = settings(&house, &url);
    let said = house.kuori(&format!("suomifi check --config {config}"));
    assert_eq!(said.code, 3);
    let end = said.out.split_once("token").unwrap().1;
    insta::assert_snapshot!(end.trim(), @r"
    the mailbox service does not let this house in: user or password is wrong, Authentication failed
    hint: are `user` and the password file right, and is the address of this machine on the service's list? Once they are, `kuori queue retry` has it tried at once
    ");
    fs::remove_file(house.path("password")).unwrap();
    let said = house.kuori(&format!("suomifi check --config {config}"));
    assert_eq!(said.code, 3);
    assert!(!said.out.contains("address  "), "{}", said.out);
}

#[test]
fn a_slip_in_the_name_of_a_service_is_answered_with_the_nearest_one() {
    let house = House::filled();
    let config = settings(&house, "http://127.0.0.1:1");
    let said = house.kuori(&format!("suomifi check city-leters --config {config}"));
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("did you mean `city-letters`?"),
        "{}",
        said.err
    );
}

#[test]
fn a_password_is_changed_and_the_history_has_who_did_it() {
    let house = House::filled();
    let config = settings(&house, &service("200 OK", TOKEN));
    let command = format!("suomifi change-password city-letters --config {config}");
    let rehearsed = house.out(&format!("{command} --dry-run"));
    assert!(rehearsed.contains("would be changed"), "{rehearsed}");
    let password = || fs::read_to_string(house.path("password")).unwrap();
    assert_eq!(password(), "old-password\n");

    house.out(&command);
    let made = password();
    assert!(made.trim_end().len() >= 32 && made != "old-password\n");
    let audit = house.out("audit list");
    assert!(
        audit.contains("changed the password of the mailbox service city-letters"),
        "{audit}"
    );
    assert!(!audit.contains(made.trim_end()));

    let chosen = "Chosen-by-an-operator-with-care-1";
    let said = house.asked(&format!("{command} --from-stdin"), chosen);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(!said.both().contains(chosen));
    assert_eq!(password().trim_end(), chosen);

    let said = house.asked(&format!("{command} --from-stdin"), "short");
    assert_eq!(said.code, 1);
    assert!(
        said.err.contains("it has less than 32 characters"),
        "{}",
        said.err
    );
}

#[test]
fn a_password_stays_while_the_service_is_out_of_reach() {
    let house = House::filled();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let config = settings(&house, &url);
    let said = house.kuori(&format!(
        "suomifi change-password city-letters --config {config}"
    ));
    assert_eq!(said.code, 75, "{}", said.err);
    assert_eq!(
        fs::read_to_string(house.path("password")).unwrap(),
        "old-password\n"
    );
}
