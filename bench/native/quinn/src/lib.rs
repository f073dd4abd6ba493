//! quinn-proto, which does no input or output and has no timers, as an addon for Node.js: what
//! `quinn-engine.ts` makes an engine of.

mod configs;
mod connection;
mod ids;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use configs::{client_config, server_config, EngineOptions};
use connection::{failed, reset_key, QuinnConnection};
use ids::endpoint_config;
use napi::Result;
use napi_derive::napi;
use quinn_proto::{ClientConfig, Endpoint, ServerConfig};
use ring::hmac;

enum Role {
    Client(ClientConfig),
    Server(Arc<ServerConfig>),
}

/// What connections of one kind have in common.
#[napi]
pub struct QuinnContext {
    role: Role,
    reset_key: Arc<hmac::Key>,
}

#[napi]
impl QuinnContext {
    #[napi(constructor)]
    pub fn new(options: EngineOptions, is_server: bool) -> Result<Self> {
        let role = if is_server {
            Role::Server(server_config(&options)?)
        } else {
            Role::Client(client_config(&options)?)
        };
        Ok(Self { role, reset_key: reset_key() })
    }

    #[napi]
    pub fn connect(
        &self,
        server_name: String,
        source_id: &[u8],
        host: String,
        port: u16,
    ) -> Result<QuinnConnection> {
        let Role::Client(config) = &self.role else {
            return Err(failed("connect", "this context is of a server"));
        };
        let ip = host.parse().map_err(|error| failed(&host, error))?;
        let mut endpoint = self.endpoint(source_id, None);
        let (handle, connection) = endpoint
            .connect(Instant::now(), config.clone(), SocketAddr::new(ip, port), &server_name)
            .map_err(|error| failed("connect", error))?;
        Ok(QuinnConnection::dialed(endpoint, handle, connection))
    }

    #[napi]
    pub fn accept(&self, source_id: &[u8]) -> Result<QuinnConnection> {
        let Role::Server(config) = &self.role else {
            return Err(failed("accept", "this context is of a client"));
        };
        Ok(QuinnConnection::accepting(self.endpoint(source_id, Some(config.clone()))))
    }

    fn endpoint(&self, source_id: &[u8], server: Option<Arc<ServerConfig>>) -> Endpoint {
        let config = endpoint_config(&self.reset_key, source_id);
        // No search for the largest datagram where its size is given.
        Endpoint::new(Arc::new(config), server, true, None)
    }
}
