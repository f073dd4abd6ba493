//! Which socket over which transport.

use std::net::SocketAddr;
use std::path::PathBuf;

use libmsg::ipc::Ipc;
use libmsg::quic::Quic;
use libmsg::tcp::Tcp;
use libmsg::{Address, Transport};

use crate::arguments::{Arguments, misused};
use crate::{publisher, rep, req, subscriber, tls};

/// What a transport has to be to carry every socket.
pub trait Carrier<A: Address>: Transport<A> + Send + Sync + Unpin + 'static {}

impl<T: Transport<A> + Send + Sync + Unpin + 'static, A: Address> Carrier<A> for T {}

/// Plays the role that the command line names; returns when it can go no further.
pub async fn run(arguments: &Arguments) {
    match arguments.text("transport").unwrap_or("tcp") {
        "tcp" => over_addresses(arguments, Tcp::default()).await,
        "quic" => over_addresses(arguments, Quic::default()).await,
        "tls" if matches!(arguments.role.as_str(), "rep" | "pub") => {
            over_addresses(arguments, tls::server(arguments)).await;
        }
        "tls" => over_addresses(arguments, tls::client(arguments)).await,
        "ipc" => {
            let path = PathBuf::from(arguments.required("address"));
            play(arguments, Ipc::default(), path, |path| {
                path.display().to_string()
            })
            .await;
        }
        other => misused(&format!("--transport {other} is none that libmsg has")),
    }
}

async fn over_addresses<T: Carrier<SocketAddr>>(arguments: &Arguments, transport: T) {
    let place = arguments.socket_address();
    play(arguments, transport, place, SocketAddr::to_string).await;
}

async fn play<T: Carrier<A>, A: Address>(
    arguments: &Arguments,
    transport: T,
    place: A,
    shown: fn(&A) -> String,
) {
    match arguments.role.as_str() {
        "rep" => rep::play(arguments, transport, place, shown).await,
        "req" => req::play(arguments, transport, place).await,
        "pub" => publisher::play(arguments, transport, place, shown).await,
        "sub" => subscriber::play(arguments, transport, place).await,
        other => misused(&format!("there is no role {other}")),
    }
}
