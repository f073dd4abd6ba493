//! The compressors of libmsg by their names.

use std::io;

use bytes::Bytes;
use libmsg::compression::{
    CompressionType, Compressor, GzipCompressor, Lz4Compressor, SnappyCompressor, ZstdCompressor,
};

use crate::arguments::{Arguments, misused};

const LEVEL: u8 = 3;

/// One of them: a socket wants to know its type.
pub struct Chosen(Box<dyn Compressor>);

impl Compressor for Chosen {
    fn compression_type(&self) -> CompressionType {
        self.0.compression_type()
    }

    fn compress(&self, data: &[u8]) -> Result<Bytes, io::Error> {
        self.0.compress(data)
    }
}

/// `--compressor none|gzip|zstd|snappy|lz4`.
pub fn chosen(arguments: &Arguments) -> Option<Chosen> {
    let compressor: Box<dyn Compressor> = match arguments.text("compressor")? {
        "none" => return None,
        "gzip" => Box::new(GzipCompressor::new(LEVEL.into())),
        "zstd" => Box::new(ZstdCompressor::new(LEVEL.into())),
        "snappy" => Box::new(SnappyCompressor),
        "lz4" => Box::new(Lz4Compressor),
        other => misused(&format!("--compressor {other} is none that libmsg has")),
    };
    Some(Chosen(compressor))
}
