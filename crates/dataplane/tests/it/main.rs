//! A data plane on loopback, asked over raw sockets, in front of servers that do as they are told.

mod plain;
mod support;
