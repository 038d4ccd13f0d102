//! HTTP/1.1 over a socket of the pool, in the caller's task.

mod body;
mod encode;
mod exchange;
mod sending;
mod upload;

pub(crate) use self::{
    body::Body,
    exchange::{send, send_on},
};
