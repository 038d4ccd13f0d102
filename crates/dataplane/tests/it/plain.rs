//! A request and its answer.

use crate::support::{Proxy, answers, echo};

#[test]
fn a_request_goes_through() {
    let proxy = Proxy::to(echo());
    let response = proxy.ask("GET /a?b HTTP/1.1\r\nHost: x.test\r\n\r\n");
    assert_eq!(
        response.body,
        "GET /a?b HTTP/1.1\nHost: x.test\nX-Forwarded-For: 127.0.0.1\nX-Forwarded-Host: x.test\nX-Forwarded-Port: 80\n\
         X-Forwarded-Proto: http\nX-Forwarded-Server: here\nX-Real-Ip: 127.0.0.1\n\n"
    );
}

#[test]
fn an_answer_comes_back() {
    let proxy = Proxy::to(answers(
        "HTTP/1.1 404 Nope\r\nX-a: b\r\nX-A: c\r\nServer: s\r\nContent-Length: 2\r\n\r\nhi",
    ));
    let response = proxy.ask("GET / HTTP/1.1\r\nHost: x.test\r\n\r\n");
    assert_eq!(
        response.undated_head(),
        "HTTP/1.1 404 Not Found\nX-A: b\nX-A: c\nServer: s\nContent-Length: 2"
    );
    assert_eq!(response.body, "hi");
}
