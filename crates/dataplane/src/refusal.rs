//! What hyper says of a head that it cannot read, in Traefik's words.

/// Gives the same answer with its status as the body, if `head` is one that hyper makes up itself.
pub(crate) fn in_words(head: &[u8]) -> Option<Vec<u8>> {
    const OWN_HEADERS: [&str; 3] = ["connection", "content-length", "date"];
    let head = std::str::from_utf8(head.strip_suffix(b"\r\n\r\n")?).ok()?;
    let status = head
        .strip_prefix("HTTP/1.1 ")
        .filter(|rest| rest.starts_with('4'))?;
    let mut lines = status.split("\r\n");
    let status = lines.next()?;
    let is_own = lines.clone().all(|line| {
        let name = line.split(':').next().unwrap_or_default();
        OWN_HEADERS.iter().any(|own| name.eq_ignore_ascii_case(own))
    });
    let is_empty = lines.any(|line| line.eq_ignore_ascii_case("content-length: 0"));
    (is_own && is_empty).then(|| {
        let length = status.len();
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\
             Content-Length: {length}\r\n\r\n{status}"
        )
        .into_bytes()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_answers_of_hyper_itself_change() {
        let check = |head: &str, expected: Option<&str>| {
            let words = in_words(head.as_bytes()).map(|words| String::from_utf8(words).unwrap());
            assert_eq!(words.as_deref(), expected, "{head}");
        };
        check(
            "HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\ndate: d\r\n\r\n",
            Some(
                "HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Type: text/plain; charset=utf-8\r\n\
                 Connection: close\r\nContent-Length: 35\r\n\r\n431 Request Header Fields Too Large",
            ),
        );
        check(
            "HTTP/1.1 404 Not Found\r\nX: y\r\ncontent-length: 0\r\n\r\n",
            None,
        );
        check("HTTP/1.1 404 Not Found\r\ncontent-length: 1\r\n\r\n", None);
        check("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", None);
        check("nothing", None);
    }
}
