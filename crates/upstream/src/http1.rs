//! HTTP/1.1 over a socket of the pool, in the caller's task.

mod body;
mod decoder;
mod encode;
mod exchange;
mod head;
mod sending;
mod upload;

pub(crate) use self::{
    body::Body,
    decoder::Decoded,
    exchange::{append, send},
    head::HeadReader,
};
