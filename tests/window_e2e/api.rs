//! The server's REST API as somebody without a program of ours uses it: to put into channels what no client of ours
//! would send.
// Each scenario is a crate of its own, and uses its part of this.
#![allow(dead_code, unreachable_pub)]

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

/// Somebody signed in.
pub struct Api {
    port: u16,
    token: String,
}

impl Api {
    /// Signs in.
    pub fn sign_in(port: u16, user: &str, password: &str) -> Self {
        let mut api = Self {
            port,
            token: String::new(),
        };
        let body = json!({"login_id": user, "password": password}).to_string();
        let (head, _) = api.send("POST", "/users/login", "application/json", body.as_bytes());
        let token = head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("token"));
        token.expect("a token").1.trim().clone_into(&mut api.token);
        api
    }

    /// Asks for something.
    pub fn get(&self, path: &str) -> Value {
        self.send("GET", path, "", b"").1
    }

    /// Makes something.
    pub fn post(&self, path: &str, body: &Value) -> Value {
        let text = body.to_string();
        self.send("POST", path, "application/json", text.as_bytes())
            .1
    }

    /// Changes something.
    pub fn put(&self, path: &str, body: &Value) -> Value {
        let text = body.to_string();
        self.send("PUT", path, "application/json", text.as_bytes())
            .1
    }

    /// Tries something that may be refused; gives the status of the answer.
    pub fn status(&self, method: &str, path: &str, body: &Value) -> u16 {
        let text = body.to_string();
        let (head, _) = self.try_send(method, path, "application/json", text.as_bytes());
        head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// The id of the first team.
    pub fn team(&self) -> String {
        text(&self.get("/users/me/teams")[0]["id"])
    }

    /// The id of a channel by the name in its address.
    pub fn channel(&self, name: &str) -> String {
        let team = self.team();
        text(&self.get(&format!("/teams/{team}/channels/name/{name}"))["id"])
    }

    /// Writes a post; gives its id.
    pub fn write(&self, channel: &str, message: &str, files: &[String]) -> String {
        let post = json!({"channel_id": channel, "message": message, "file_ids": files});
        text(&self.post("/posts", &post)["id"])
    }

    /// Uploads a small file with this name, of a kind that must never be shown; gives its id.
    pub fn upload(&self, channel: &str, name: &str) -> String {
        self.upload_bytes(channel, name, "text/html", b"<script>hit(0)</script>")
    }

    /// Uploads a file; gives its id. What a header cannot carry is left out of the name.
    pub fn upload_bytes(&self, channel: &str, name: &str, kind: &str, bytes: &[u8]) -> String {
        let name = name.replace('"', "%22").replace(char::is_control, " ");
        let edge = "----edge-of-a-part";
        let head = format!(
            "--{edge}\r\nContent-Disposition: form-data; name=\"channel_id\"\r\n\r\n{channel}\r\n\
             --{edge}\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{name}\"\r\n\
             Content-Type: {kind}\r\n\r\n"
        );
        let end = format!("\r\n--{edge}--\r\n");
        let body = [head.as_bytes(), bytes, end.as_bytes()].concat();
        let kind = format!("multipart/form-data; boundary={edge}");
        let answer = self.send("POST", "/files", &kind, &body).1;
        text(&answer["file_infos"][0]["id"])
    }

    /// One request that must not be refused.
    fn send(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> (String, Value) {
        let (head, answer) = self.try_send(method, path, kind, body);
        assert!(
            head.starts_with("HTTP/1.1 2"),
            "{method} {path}: {head}{answer}"
        );
        (head, answer)
    }

    /// One HTTP/1.1 request on a connection of its own: head and body of the answer.
    fn try_send(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> (String, Value) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let mut head = format!(
            "{method} /api/v4{path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\nContent-Length: {}\r\n",
            self.port,
            body.len()
        );
        if !kind.is_empty() {
            let _ = write!(head, "Content-Type: {kind}\r\n");
        }
        if !self.token.is_empty() {
            let _ = write!(head, "Authorization: Bearer {}\r\n", self.token);
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while reader.read_line(&mut head).unwrap() > 2 {}
        let mut text = Vec::new();
        reader.read_to_end(&mut text).unwrap();
        (head, serde_json::from_slice(&text).unwrap_or_default())
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value}"))
        .to_owned()
}
