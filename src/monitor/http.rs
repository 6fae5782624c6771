//! Serves `/metrics`, `/healthz` and `/readyz`: one request a connection, few at once, none for long.

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc};

use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
    time::{Duration, sleep, timeout},
};

use super::{Desk, desk::Answer};
use crate::telemetry::meters;

/// Why nobody can ask.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot listen on {address}")]
    Listen {
        address: SocketAddr,
        source: io::Error,
    },
}

/// After an error of the system, such as too many open files.
const ACCEPT_WAIT: Duration = Duration::from_millis(200);

/// Where one may ask.
pub struct Door {
    listener: TcpListener,
    address: SocketAddr,
}

impl Door {
    pub async fn open(address: SocketAddr) -> Result<Self, Error> {
        let failed = |source| Error::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    /// The address that is listened on, with the port that the system gave where 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop` turns true.
    pub async fn keep(&self, desk: Arc<Desk>, mut stop: watch::Receiver<bool>) {
        let places = Arc::new(Semaphore::new(desk.limits().max_connections));
        let mut served = JoinSet::new();
        while !*stop.borrow() {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => match Arc::clone(&places).try_acquire_owned() {
                        Ok(place) => {
                            let desk = Arc::clone(&desk);
                            served.spawn(async move {
                                serve(stream, &desk).await;
                                drop(place);
                            });
                        }
                        Err(_) => meters::SCRAPES_REFUSED.one(&["busy"]),
                    },
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept a connection to the monitor");
                        sleep(ACCEPT_WAIT).await;
                    }
                },
                Some(_) = served.join_next() => {}
                _ = stop.changed() => {}
            }
        }
    }
}

/// One request; who takes longer than the limit is cut off.
async fn serve(stream: TcpStream, desk: &Desk) {
    let limits = desk.limits();
    let service = service_fn(|request| answer(request, desk));
    let connection = http1::Builder::new()
        .keep_alive(false)
        .max_buf_size(limits.max_request_bytes.max(LEAST_BUFFER))
        .serve_connection(TokioIo::new(stream), service);
    if timeout(limits.request_time, connection).await.is_err() {
        meters::SCRAPES_REFUSED.one(&["slow"]);
    }
}

/// The HTTP library wants at least so much.
const LEAST_BUFFER: usize = 8_192;

async fn answer(
    request: Request<Incoming>,
    desk: &Desk,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refused = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
        refused
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return Ok(refused);
    }
    Ok(match request.uri().path() {
        "/metrics" => response(desk.metrics().await),
        "/healthz" => response(desk.health().await),
        "/readyz" => response(desk.readiness().await),
        _ => text(StatusCode::NOT_FOUND, "/metrics, /healthz, /readyz\n"),
    })
}

fn response(answer: Answer) -> Response<Full<Bytes>> {
    let document =
        |status, body: serde_json::Value| made(status, "application/json", format!("{body}\n"));
    match answer {
        Answer::Metrics(body) => made(
            StatusCode::OK,
            "text/plain; version=0.0.4; charset=utf-8",
            body,
        ),
        Answer::Ok => document(StatusCode::OK, json!({"ok": true})),
        Answer::NotOk(why) => document(
            StatusCode::SERVICE_UNAVAILABLE,
            json!({"ok": false, "why": why}),
        ),
    }
}

fn text(status: StatusCode, body: &'static str) -> Response<Full<Bytes>> {
    made(status, "text/plain; charset=utf-8", body.to_owned())
}

fn made(status: StatusCode, kind: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
