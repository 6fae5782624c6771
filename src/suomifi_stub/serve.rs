use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER},
    http::request::Parts,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time::sleep,
};

use super::{
    answer::Answer,
    body::{self, AnswerBody, Read},
    control,
    doors::{self, Asked},
    exchange::{self, Answered, Exchange},
    mishap::{self, Altered, Cut, cut_off},
    trouble::Mishap,
    world::Shared,
};

/// After an error of the system, such as too many open files.
const ACCEPT_WAIT: Duration = Duration::from_millis(50);

const TRACE_ID: HeaderName = HeaderName::from_static("traceid");

/// Takes connections until it is dropped; those go with it.
pub(super) async fn keep(listener: TcpListener, shared: Arc<Shared>, connections: usize) {
    let places = Arc::new(Semaphore::new(connections));
    let mut served = JoinSet::new();
    loop {
        while served.try_join_next().is_some() {}
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, peer)) => {
                let shared = Arc::clone(&shared);
                served.spawn(async move {
                    serve(stream, peer, &shared).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the stand-in cannot accept a connection");
                sleep(ACCEPT_WAIT).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, peer: SocketAddr, shared: &Shared) {
    // What is answered in two pieces must not wait for the other side.
    let _ = stream.set_nodelay(true);
    let _open = Open::new(shared);
    let service = service_fn(|request| respond(request, peer, shared));
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // A connection that is cut, by either side, is all in a day's work.
    let _ = connection.await;
}

/// Counts a connection as long as it lives.
struct Open<'a>(&'a Shared);

impl<'a> Open<'a> {
    fn new(shared: &'a Shared) -> Self {
        shared.lock().tally.connections.begin();
        Self(shared)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.lock().tally.connections.end();
    }
}

/// Counts a request as long as it is worked on.
struct InHand<'a>(&'a Shared);

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        self.0.lock().tally.in_hand.end();
    }
}

/// An error cuts the connection: hyper sends nothing then.
async fn respond(
    request: Request<Incoming>,
    peer: SocketAddr,
    shared: &Shared,
) -> io::Result<Response<AnswerBody>> {
    let (head, body) = request.into_parts();
    if head.uri.path().starts_with(control::DOOR) {
        return Ok(controlled(&head, body, peer, shared).await);
    }
    let (is_too_fast, limit) = begin(shared, head.uri.path());
    let _in_hand = InHand(shared);
    let body = body::read(body, limit).await;
    let mishaps = befall(shared, &head, &body);
    let (before, after): (Vec<_>, Vec<_>) =
        mishaps.iter().cloned().partition(Mishap::is_before_effect);
    let mut refused = None;
    for mishap in &before {
        refused = refused.or(mishap::before(mishap, &head.headers, shared).await?);
    }
    let (answer, bytes) = match (refused, body) {
        (_, Read::Broken) => return Err(cut_off()),
        (_, Read::TooLarge) => (too_large(limit), Bytes::new()),
        (Some(refused), Read::Whole(bytes)) => (refused, bytes),
        (None, Read::Whole(bytes)) if is_too_fast => (too_many(), bytes),
        (None, Read::Whole(bytes)) => (doors::answer(shared, &asked(&head, &bytes)), bytes),
    };
    let altered = mishap::after(answer, &after, &head.headers, shared).await;
    end(&head, &bytes, altered, !mishaps.is_empty(), shared)
}

async fn controlled(
    head: &Parts,
    body: Incoming,
    peer: SocketAddr,
    shared: &Shared,
) -> Response<AnswerBody> {
    let limit = shared.lock().settings.limits.request_bytes;
    let answer = match body::read(body, limit).await {
        _ if !peer.ip().is_loopback() => {
            Answer::refused(StatusCode::FORBIDDEN, "only from this machine")
        }
        Read::Whole(bytes) => control::answer(shared, &asked(head, &bytes)),
        Read::TooLarge | Read::Broken => too_large(limit),
    };
    response(&answer, AnswerBody::whole(answer.bytes()))
}

/// Counts the request.
fn begin(shared: &Shared, path: &str) -> (bool, u64) {
    let mut guard = shared.lock();
    let world = &mut *guard;
    let counted = doors::counted_as(path);
    if let Some(count) = world.tally.requests.get_mut(counted) {
        *count += 1;
    } else {
        world.tally.requests.insert(counted.to_owned(), 1);
    }
    world.tally.in_hand.begin();
    let is_too_fast = world.is_too_fast();
    (is_too_fast, world.settings.limits.request_bytes)
}

/// Throws the dice for the request.
fn befall(shared: &Shared, head: &Parts, body: &Read) -> Vec<Mishap> {
    let nothing = Bytes::new();
    let body = match body {
        Read::Whole(bytes) => bytes,
        Read::TooLarge | Read::Broken => &nothing,
    };
    let mut guard = shared.lock();
    let world = &mut *guard;
    let mishaps = world.troubles.befall(&asked(head, body), &mut world.dice);
    world.tally.mishaps += u64::from(!mishaps.is_empty());
    mishaps
}

fn asked<'a>(head: &'a Parts, body: &'a Bytes) -> Asked<'a> {
    Asked {
        method: &head.method,
        path: head.uri.path(),
        query: head.uri.query().unwrap_or_default(),
        authorization: text(&head.headers, &AUTHORIZATION),
        content_type: text(&head.headers, &CONTENT_TYPE).unwrap_or_default(),
        body,
    }
}

pub(super) fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn end(
    head: &Parts,
    request: &Bytes,
    altered: Altered,
    has_mishap: bool,
    shared: &Shared,
) -> io::Result<Response<AnswerBody>> {
    let Altered { answer, bytes, cut } = altered;
    let mut guard = shared.lock();
    let world = &mut *guard;
    let trace_id = world.uuid();
    if world.settings.keeps_exchanges {
        let told = (cut.is_none()).then(|| Answered {
            status: answer.status.as_u16(),
            content_type: answer.kind.to_owned(),
            trace_id: trace_id.clone(),
            body: exchange::kept(head.uri.path(), &bytes),
        });
        world.log(exchange_of(head, request, told, has_mishap));
    }
    if cut == Some(Cut::Whole) {
        return Err(cut_off());
    }
    *world
        .tally
        .answers
        .entry(answer.status.as_u16())
        .or_default() += 1;
    drop(guard);
    let body = match cut {
        None => AnswerBody::whole(bytes),
        Some(_) => AnswerBody::half(bytes),
    };
    let mut response = response(&answer, body);
    if let Ok(value) = HeaderValue::from_str(&trace_id) {
        response.headers_mut().insert(TRACE_ID, value);
    }
    Ok(response)
}

fn exchange_of(head: &Parts, body: &Bytes, answer: Option<Answered>, has_mishap: bool) -> Exchange {
    let asked = asked(head, body);
    Exchange {
        method: asked.method.to_string(),
        path: asked.path.to_owned(),
        query: asked.query.to_owned(),
        has_token: asked.authorization.is_some(),
        content_type: asked.content_type.to_owned(),
        body: exchange::kept(asked.path, body),
        answer,
        has_mishap,
    }
}

fn response(answer: &Answer, body: AnswerBody) -> Response<AnswerBody> {
    let mut response = Response::new(body);
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(answer.kind));
    if let Some(method) = answer.allow {
        headers.insert(ALLOW, HeaderValue::from_static(method));
    }
    if let Some(secs) = answer.retry_after_secs {
        headers.insert(RETRY_AFTER, HeaderValue::from(secs));
    }
    response
}

fn too_large(limit: u64) -> Answer {
    let text = format!("HTTP content length exceeded {limit} bytes.");
    Answer::text(StatusCode::PAYLOAD_TOO_LARGE, "text/plain", text)
}

fn too_many() -> Answer {
    let mut answer = Answer::refused(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests");
    answer.retry_after_secs = Some(1);
    answer
}
