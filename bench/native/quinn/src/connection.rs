//! One connection, with an endpoint of its own, because the caller finds out which datagram is whose.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::BytesMut;
use napi::bindgen_prelude::{Buffer, Uint8Array};
use napi::{Error, Result};
use napi_derive::napi;
use quinn_proto::{
    Connection, ConnectionError, ConnectionHandle, DatagramEvent, Dir, Endpoint, Event, ReadError,
    Side, StreamEvent, StreamId, VarInt, WriteError,
};
use rustls::pki_types::CertificateDer;

/// Nothing has arrived on a stream.
const NOTHING: i32 = -1;

/// Which sides of a stream have ended, and have nothing under way.
#[derive(Default)]
struct Ends {
    sent: bool,
    received: bool,
}

#[napi(object)]
pub struct Close {
    pub kind: String,
    pub code: f64,
    pub reason: String,
    pub is_local: bool,
}

#[napi(object)]
pub struct Stats {
    pub received_packets: f64,
    pub received_bytes: f64,
    pub sent_bytes: f64,
    pub lost_packets: f64,
    pub lost_bytes: f64,
    pub round_trip_ms: f64,
    pub congestion_window_bytes: f64,
}

#[napi]
pub struct QuinnConnection {
    endpoint: Endpoint,
    handle: ConnectionHandle,
    /// A server has none before the first datagram.
    connection: Option<Connection>,
    /// Of the endpoint itself: why it did not make a connection.
    answer: Option<Vec<u8>>,
    is_established: bool,
    is_stream_end: bool,
    lost: Option<ConnectionError>,
    readable: BTreeSet<u64>,
    ends: HashMap<u64, Ends>,
    unacknowledged: usize,
    /// Something was done to a stream that has not been sent.
    is_unsent: bool,
    /// How many acknowledgements had come when it was.
    acks_when_sent: Option<u64>,
    opened: [u64; 2],
    scratch: Vec<u8>,
}

pub fn failed(what: &str, error: impl std::fmt::Display) -> Error {
    Error::from_reason(format!("{what}: {error}"))
}

fn stream_of(id: i64) -> StreamId {
    let id = id as u64;
    let dir = if id & 2 == 0 { Dir::Bi } else { Dir::Uni };
    let initiator = if id & 1 == 0 { Side::Client } else { Side::Server };
    StreamId::new(initiator, dir, id >> 2)
}

fn id_of(stream: StreamId) -> u64 {
    VarInt::from(stream).into_inner()
}

impl QuinnConnection {
    pub fn dialed(endpoint: Endpoint, handle: ConnectionHandle, connection: Connection) -> Self {
        Self { connection: Some(connection), handle, ..Self::accepting(endpoint) }
    }

    pub fn accepting(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            handle: ConnectionHandle(0),
            connection: None,
            answer: None,
            is_established: false,
            is_stream_end: false,
            lost: None,
            readable: BTreeSet::new(),
            ends: HashMap::new(),
            unacknowledged: 0,
            is_unsent: false,
            acks_when_sent: None,
            opened: [0, 0],
            scratch: Vec::with_capacity(65_536),
        }
    }

    fn take(&mut self, event: DatagramEvent, now: Instant) {
        match event {
            DatagramEvent::ConnectionEvent(_, event) => {
                if let Some(connection) = &mut self.connection {
                    connection.handle_event(event);
                }
            }
            DatagramEvent::NewConnection(incoming) => {
                self.scratch.clear();
                match self.endpoint.accept(incoming, now, &mut self.scratch, None) {
                    Ok((handle, connection)) => {
                        self.handle = handle;
                        self.connection = Some(connection);
                    }
                    Err(error) => {
                        self.lost = Some(error.cause);
                        self.answer =
                            error.response.map(|sent| self.scratch[..sent.size].to_vec());
                    }
                }
            }
            DatagramEvent::Response(sent) => self.answer = Some(self.scratch[..sent.size].to_vec()),
        }
    }

    /// Exchanges what connection and endpoint have for each other, and notes what happened.
    fn settle(&mut self) {
        let Some(connection) = &mut self.connection else {
            return;
        };
        while let Some(event) = connection.poll_endpoint_events() {
            if let Some(answer) = self.endpoint.handle_event(self.handle, event) {
                connection.handle_event(answer);
            }
        }
        while let Some(event) = connection.poll() {
            match event {
                Event::Connected => self.is_established = true,
                Event::ConnectionLost { reason } => self.lost = Some(reason),
                Event::Stream(StreamEvent::Opened { dir }) => {
                    while let Some(stream) = connection.streams().accept(dir) {
                        self.readable.insert(id_of(stream));
                    }
                }
                Event::Stream(StreamEvent::Readable { id }) => {
                    self.readable.insert(id_of(id));
                }
                Event::Stream(StreamEvent::Finished { id }) => {
                    self.unacknowledged = self.unacknowledged.saturating_sub(1);
                    self.ends.entry(id_of(id)).or_default().sent = true;
                }
                Event::Stream(StreamEvent::Stopped { id, .. }) => {
                    self.readable.insert(id_of(id));
                }
                _ => {}
            }
        }
    }

    fn live(&mut self) -> Result<&mut Connection> {
        self.connection.as_mut().ok_or_else(|| failed("connection", "there is none yet"))
    }

    /// Opens streams of ours up to this one: the caller counts as quinn does.
    fn open_up_to(&mut self, id: i64) -> Result<()> {
        let stream = stream_of(id);
        let connection = self.connection.as_mut();
        let connection = connection.ok_or_else(|| failed("connection", "there is none yet"))?;
        if stream.initiator() != connection.side() {
            return Ok(());
        }
        let opened = &mut self.opened[stream.dir() as usize];
        while *opened <= stream.index() {
            connection
                .streams()
                .open(stream.dir())
                .ok_or_else(|| failed("StreamLimit", "the peer allows no more streams"))?;
            *opened += 1;
        }
        Ok(())
    }
}

#[napi]
impl QuinnConnection {
    #[napi(getter)]
    pub fn is_established(&self) -> bool {
        self.is_established
    }

    #[napi(getter)]
    pub fn is_closed(&self) -> bool {
        self.lost.is_some() || self.connection.as_ref().is_some_and(Connection::is_closed)
    }

    /// Whether what was done to streams has arrived. quinn tells that of the ends of streams alone;
    /// for all else any acknowledgement behind it is taken for its own.
    #[napi(getter)]
    pub fn is_acknowledged(&self) -> bool {
        let acks = self.connection.as_ref().map_or(0, |live| live.stats().frame_rx.acks);
        let is_answered = self.acks_when_sent.is_none_or(|before| acks > before);
        self.unacknowledged == 0 && !self.is_unsent && is_answered
    }

    #[napi(getter)]
    pub fn is_stream_end(&self) -> bool {
        self.is_stream_end
    }

    #[napi(getter)]
    pub fn protocol(&self) -> String {
        let data = self.connection.as_ref().and_then(|live| live.crypto_session().handshake_data());
        let data = data.and_then(|any| any.downcast::<quinn_proto::crypto::rustls::HandshakeData>().ok());
        let protocol = data.and_then(|data| data.protocol).unwrap_or_default();
        String::from_utf8_lossy(&protocol).into_owned()
    }

    #[napi(getter)]
    pub fn peer_certificates(&self) -> Vec<Buffer> {
        let identity = self.connection.as_ref().and_then(|live| live.crypto_session().peer_identity());
        let chain = identity.and_then(|any| any.downcast::<Vec<CertificateDer<'static>>>().ok());
        chain.map_or_else(Vec::new, |list| list.iter().map(|der| der.to_vec().into()).collect())
    }

    #[napi(getter)]
    pub fn closed(&self) -> Close {
        let close = |kind: &str, code: u64, reason: String, is_local: bool| Close {
            kind: kind.into(),
            code: code as f64,
            reason,
            is_local,
        };
        match &self.lost {
            None => close("none", 0, String::new(), true),
            Some(ConnectionError::TimedOut) => close("idle", 0, String::new(), true),
            Some(ConnectionError::ApplicationClosed(end)) => {
                let reason = String::from_utf8_lossy(&end.reason).into_owned();
                close("application", end.error_code.into_inner(), reason, false)
            }
            Some(ConnectionError::ConnectionClosed(end)) => {
                let reason = String::from_utf8_lossy(&end.reason).into_owned();
                close("transport", end.error_code.into(), reason, false)
            }
            Some(ConnectionError::TransportError(error)) => {
                close("transport", error.code.into(), error.reason.clone(), true)
            }
            Some(ConnectionError::Reset) => close("transport", 0, "reset by peer".into(), false),
            Some(error) => close("application", 0, error.to_string(), true),
        }
    }

    #[napi(getter)]
    pub fn stats(&mut self) -> Result<Stats> {
        let stats = self.live()?.stats();
        Ok(Stats {
            received_packets: stats.udp_rx.datagrams as f64,
            received_bytes: stats.udp_rx.bytes as f64,
            sent_bytes: stats.udp_tx.bytes as f64,
            lost_packets: stats.path.lost_packets as f64,
            lost_bytes: stats.path.lost_bytes as f64,
            round_trip_ms: stats.path.rtt.as_secs_f64() * 1000.0,
            congestion_window_bytes: stats.path.cwnd as f64,
        })
    }

    /// Takes one datagram. What breaks the connection is in `closed`.
    #[napi]
    pub fn receive(&mut self, datagram: &[u8], host: String, port: u16) -> Result<()> {
        let ip = host.parse().map_err(|error| failed(&host, error))?;
        let now = Instant::now();
        self.scratch.clear();
        let bytes = BytesMut::from(datagram);
        let remote = SocketAddr::new(ip, port);
        if let Some(event) = self.endpoint.handle(now, remote, None, None, bytes, &mut self.scratch) {
            self.take(event, now);
        }
        self.settle();
        Ok(())
    }

    /// Makes the next datagram; 0 when there is nothing to say.
    #[napi]
    pub fn send(&mut self, mut into: Uint8Array) -> u32 {
        // SAFETY: JavaScript waits for this call, and nobody else has this array.
        let target = unsafe { into.as_mut() };
        if let Some(answer) = self.answer.take() {
            target[..answer.len()].copy_from_slice(&answer);
            return answer.len() as u32;
        }
        let Some(connection) = &mut self.connection else {
            return 0;
        };
        self.scratch.clear();
        let sent = connection.poll_transmit(Instant::now(), 1, &mut self.scratch);
        let size = sent.map_or(0, |sent| sent.size);
        if size > 0 && self.is_unsent {
            self.is_unsent = false;
            self.acks_when_sent = Some(connection.stats().frame_rx.acks);
        }
        target[..size].copy_from_slice(&self.scratch[..size]);
        self.settle();
        size as u32
    }

    /// Milliseconds; -1 for never.
    #[napi]
    pub fn timeout_ms(&mut self) -> f64 {
        let at = self.connection.as_mut().and_then(Connection::poll_timeout);
        at.map_or(-1.0, |at| at.saturating_duration_since(Instant::now()).as_secs_f64() * 1000.0)
    }

    #[napi]
    pub fn on_timeout(&mut self) {
        if let Some(connection) = &mut self.connection {
            connection.handle_timeout(Instant::now());
        }
        self.settle();
    }

    #[napi]
    pub fn ping(&mut self) -> Result<()> {
        self.live()?.ping();
        Ok(())
    }

    #[napi(getter)]
    pub fn is_readable(&self) -> bool {
        !self.readable.is_empty()
    }

    #[napi]
    pub fn is_stream_readable(&self, id: i64) -> bool {
        self.readable.contains(&(id as u64))
    }

    #[napi]
    pub fn readable_streams(&self) -> Vec<i64> {
        self.readable.iter().map(|id| *id as i64).collect()
    }

    #[napi]
    pub fn stream_send(&mut self, id: i64, bytes: &[u8], is_last: bool) -> Result<u32> {
        self.open_up_to(id)?;
        let mut stream = self.live()?.send_stream(stream_of(id));
        let taken = match stream.write(bytes) {
            Ok(count) => count,
            Err(WriteError::Blocked) => 0,
            Err(WriteError::Stopped(code)) => return Err(failed("Stopped", code)),
            Err(error) => return Err(failed("write", error)),
        };
        if is_last && taken == bytes.len() {
            stream.finish().map_err(|error| failed("finish", error))?;
            self.unacknowledged += 1;
        }
        self.is_unsent |= taken > 0;
        Ok(taken as u32)
    }

    /// Reads what has arrived; -1 when nothing has.
    #[napi]
    pub fn stream_receive(&mut self, id: i64, mut into: Uint8Array) -> Result<i32> {
        // SAFETY: JavaScript waits for this call, and nobody else has this array.
        let target = unsafe { into.as_mut() };
        self.is_stream_end = false;
        let mut stream = self.live()?.recv_stream(stream_of(id));
        let Ok(mut chunks) = stream.read(true) else {
            self.readable.remove(&(id as u64));
            return Ok(NOTHING);
        };
        let mut filled = 0;
        let mut outcome = Ok(true);
        while filled < target.len() {
            match chunks.next(target.len() - filled) {
                Ok(Some(chunk)) => {
                    target[filled..filled + chunk.bytes.len()].copy_from_slice(&chunk.bytes);
                    filled += chunk.bytes.len();
                }
                Ok(None) => {
                    outcome = Ok(false);
                    break;
                }
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
        }
        // Whether a window is to be told is seen at the next send.
        let _ = chunks.finalize();
        self.after_read(id as u64, filled, outcome)
    }

    fn after_read(
        &mut self,
        id: u64,
        filled: usize,
        outcome: std::result::Result<bool, ReadError>,
    ) -> Result<i32> {
        let has_more = matches!(outcome, Ok(true));
        if !has_more {
            self.readable.remove(&id);
        }
        match outcome {
            Ok(true) => Ok(filled as i32),
            Ok(false) => {
                self.is_stream_end = true;
                self.ends.entry(id).or_default().received = true;
                Ok(filled as i32)
            }
            Err(ReadError::Blocked) if filled == 0 => Ok(NOTHING),
            Err(ReadError::Reset(code)) => Err(failed("Reset", code)),
            Err(_) => Ok(filled as i32),
        }
    }

    /// True when both sides have ended it, and all that we sent on it has arrived.
    #[napi]
    pub fn is_stream_done(&mut self, id: i64) -> bool {
        self.settle();
        let is_done = self.ends.get(&(id as u64)).is_some_and(|ends| ends.sent && ends.received);
        if is_done {
            self.ends.remove(&(id as u64));
        }
        is_done
    }

    #[napi]
    pub fn stream_reset(&mut self, id: i64, code: u32) -> Result<()> {
        self.readable.remove(&(id as u64));
        self.ends.remove(&(id as u64));
        self.is_unsent = true;
        let connection = self.live()?;
        // What has ended before cannot be given up, and need not be.
        let _ = connection.send_stream(stream_of(id)).reset(code.into());
        let _ = connection.recv_stream(stream_of(id)).stop(code.into());
        Ok(())
    }

    #[napi]
    pub fn close(&mut self, code: u32, reason: String) {
        if let Some(connection) = &mut self.connection {
            connection.close(Instant::now(), code.into(), reason.into_bytes().into());
        }
        self.settle();
    }
}

/// A key for stateless resets, which nobody asks for here.
pub fn reset_key() -> Arc<ring::hmac::Key> {
    let random = ring::rand::SystemRandom::new();
    let key = ring::hmac::Key::generate(ring::hmac::HMAC_SHA256, &random);
    Arc::new(key.expect("the system has random numbers"))
}
