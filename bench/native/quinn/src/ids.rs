//! Connection ids: the first one is the caller's, by which it finds the connection of a datagram.

use std::sync::Arc;

use quinn_proto::{
    ConnectionId, ConnectionIdGenerator, EndpointConfig, RandomConnectionIdGenerator,
};
use ring::hmac;

struct FirstGiven {
    first: Option<ConnectionId>,
    others: RandomConnectionIdGenerator,
    length: usize,
}

impl ConnectionIdGenerator for FirstGiven {
    fn generate_cid(&mut self) -> ConnectionId {
        self.first.take().unwrap_or_else(|| self.others.generate_cid())
    }

    fn cid_len(&self) -> usize {
        self.length
    }

    fn cid_lifetime(&self) -> Option<std::time::Duration> {
        None
    }
}

/// The configuration of the endpoint of one connection.
pub fn endpoint_config(reset_key: &Arc<hmac::Key>, source_id: &[u8]) -> EndpointConfig {
    let first = ConnectionId::new(source_id);
    let length = source_id.len();
    let mut config = EndpointConfig::new(reset_key.clone());
    config
        .max_udp_payload_size(65_527)
        .expect("it is within the range of the protocol")
        .cid_generator(move || {
            let others = RandomConnectionIdGenerator::new(length);
            Box::new(FirstGiven { first: Some(first), others, length })
        });
    config
}
