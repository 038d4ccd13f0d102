//! Requests that two parties could read differently.
