//! One JSON request over plain HTTP to a program of ours on the loopback address. No HTTP crate for that: they bring more
//! than everything else here together.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::error::TaskError;

/// Asks and gives back the answer's body, whatever its status. A `null` body sends none.
///
/// # Errors
/// When nobody answers within 60 s, or with something else than JSON.
pub(crate) fn ask(port: u16, method: &str, path: &str, body: &Value) -> Result<Value, TaskError> {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let failed = |source| TaskError::Start {
        program: format!("{method} {path}"),
        source,
    };
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).map_err(failed)?;
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .map_err(failed)?;
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).map_err(failed)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).map_err(failed)?;
    let text = String::from_utf8_lossy(&answer);
    text.split_once("\r\n\r\n")
        .and_then(|(_, body)| serde_json::from_str(body).ok())
        .ok_or_else(|| TaskError::Unexpected(format!("{method} {path} was not answered with JSON")))
}
