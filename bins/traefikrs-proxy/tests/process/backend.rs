//! A server that answers with its label, and holds back what is asked for at `/hold`.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

pub(crate) struct Backend {
    pub(crate) address: SocketAddr,
    gate: Arc<Gate>,
}

#[derive(Default)]
struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    is_open: bool,
    held: usize,
}

impl Backend {
    pub(crate) fn start(label: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let backend = Self {
            address: listener.local_addr().unwrap(),
            gate: Arc::default(),
        };
        let gate = Arc::clone(&backend.gate);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let gate = Arc::clone(&gate);
                thread::spawn(move || serve(stream.unwrap(), label, &gate));
            }
        });
        backend
    }

    /// Waits until a request is held back.
    pub(crate) fn await_held(&self) {
        let state = self.gate.state.lock().unwrap();
        drop(
            self.gate
                .changed
                .wait_while(state, |state| state.held == 0)
                .unwrap(),
        );
    }

    /// Lets all requests go on.
    pub(crate) fn release(&self) {
        self.gate.state.lock().unwrap().is_open = true;
        self.gate.changed.notify_all();
    }
}

fn serve(stream: TcpStream, label: &str, gate: &Gate) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).unwrap_or(0) == 0 {
                return;
            }
        }
        if head.contains("Transfer-Encoding") {
            let mut chunks = String::new();
            while !chunks.ends_with("0\r\n\r\n") && reader.read_line(&mut chunks).unwrap_or(0) > 0 {
            }
        }
        if head.contains("/hold") {
            let mut state = gate.state.lock().unwrap();
            state.held += 1;
            gate.changed.notify_all();
            drop(
                gate.changed
                    .wait_while(state, |state| !state.is_open)
                    .unwrap(),
            );
        }
        let length = label.len();
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{label}");
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}
