//! The middlewares as their users meet them: a configuration, a request, and what becomes of it.

mod definition;
mod headers;
mod paths;
mod recorded;
mod redirects;
mod stack;
mod support;
mod tower;
