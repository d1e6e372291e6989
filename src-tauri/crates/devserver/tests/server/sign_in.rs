use serde_json::{Value, json};

use crate::support::{Client, request, server};

const LOGIN: &str = "/api/v4/users/login";

async fn refused(url: &str, body: Value) -> (u16, String) {
    let answer = request(url, "POST", LOGIN, &[], body.to_string().as_bytes()).await;
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    assert!(!answer.headers.contains_key("token"));
    (answer.status, id)
}

#[tokio::test]
async fn wrong_credentials_are_masked_and_ten_of_them_lock_the_account() {
    let server = server().await;
    let masked = "api.user.login.invalid_credentials_email_username";
    for body in [
        json!({"login_id": "alice", "password": "wrong"}),
        json!({"login_id": "nobody", "password": "wrong"}),
    ] {
        assert_eq!(refused(server.url(), body).await, (401, masked.to_owned()));
    }
    let blank = refused(server.url(), json!({"login_id": "alice", "password": ""})).await;
    assert_eq!(blank.1, "api.user.login.blank_pwd.app_error");
    for _ in 0..9 {
        refused(
            server.url(),
            json!({"login_id": "alice", "password": "wrong"}),
        )
        .await;
    }
    let right = server.accounts()[0].password.clone();
    let locked = refused(
        server.url(),
        json!({"login_id": "alice", "password": right}),
    )
    .await;
    assert_eq!(
        locked.1,
        "api.user.check_user_login_attempts.too_many.app_error"
    );
    server.stop().await;
}

#[tokio::test]
async fn the_second_factor_is_asked_for_and_checked() {
    let server = server().await;
    let password = server.accounts()[0].password.clone();
    let with = |code: &str| json!({"login_id": "mfa", "password": password, "token": code});
    let none = refused(
        server.url(),
        json!({"login_id": "mfa", "password": password}),
    )
    .await;
    assert_eq!(none.1, "mfa.validate_token.authenticate.app_error");
    let bad = refused(server.url(), with("000000")).await;
    assert_eq!(bad.1, "api.user.check_user_mfa.bad_code.app_error");
    let body = with(server.mfa_code()).to_string();
    let good = request(server.url(), "POST", LOGIN, &[], body.as_bytes()).await;
    assert_eq!(good.status, 200);
    assert_eq!(good.headers["token"].len(), 26);
    server.stop().await;
}

#[tokio::test]
async fn a_token_works_until_it_is_logged_out() {
    let server = server().await;
    let alice = Client::sign_in(&server, "alice").await;
    let me = alice.get("/api/v4/users/me").await;
    assert_eq!(me["username"], "alice");
    assert_eq!(me["notify_props"]["desktop"], "mention");
    let others = alice.post("/api/v4/users/ids", json!([me["id"]])).await;
    assert_eq!(others.as_array().unwrap().len(), 1);
    let path = format!("/api/v4/users/{}/tokens", alice.id);
    let pat = alice.post(&path, json!({"description": "bot"})).await;
    alice.post("/api/v4/users/logout", Value::Null).await;
    let after = alice.send("GET", "/api/v4/users/me", Value::Null).await;
    assert_eq!(after.status, 401);
    assert_eq!(after.json()["id"], "api.context.session_expired.app_error");
    let bot = Client {
        token: pat["token"].as_str().unwrap().to_owned(),
        ..alice
    };
    assert_eq!(bot.get("/api/v4/users/me").await["username"], "alice");
    server.stop().await;
}

#[tokio::test]
async fn a_cookie_beats_the_header_and_needs_the_csrf_value() {
    let server = server().await;
    let alice = Client::sign_in(&server, "alice").await;
    let bearer = format!("Bearer {}", alice.token);
    let get = |headers: Vec<(&'static str, String)>, method: &'static str| {
        let url = alice.url.clone();
        async move {
            let headers: Vec<_> = headers.iter().map(|(k, v)| (*k, v.as_str())).collect();
            let path = "/api/v4/users/status/ids";
            let path = if method == "GET" {
                "/api/v4/users/me"
            } else {
                path
            };
            request(&url, method, path, &headers, b"[]").await.status
        }
    };
    let cookie = |t: &str| ("Cookie", format!("a=b; MMAUTHTOKEN={t}"));
    let header = ("Authorization", bearer.clone());
    assert_eq!(get(vec![header.clone(), cookie("bad")], "GET").await, 401);
    assert_eq!(get(vec![cookie(&alice.token)], "GET").await, 200);
    assert_eq!(get(vec![cookie(&alice.token)], "POST").await, 401);
    let ajax = ("X-Requested-With", "XMLHttpRequest".to_owned());
    assert_eq!(get(vec![cookie(&alice.token), ajax], "POST").await, 200);
    assert_eq!(
        get(
            vec![("Authorization", format!("bEARER {}", alice.token))],
            "GET"
        )
        .await,
        200
    );
    server.stop().await;
}

#[tokio::test]
async fn discovery_needs_no_login() {
    let server = server().await;
    let get = |path: &'static str| request(server.url(), "GET", path, &[], b"");
    assert_eq!(get("/api/v4/system/ping").await.json()["status"], "OK");
    let config = get("/api/v4/config/client?format=old").await.json();
    assert_eq!(config["PluginsEnabled"], "true");
    assert!(config.get("MaxPostSize").is_none());
    assert!(config.as_object().unwrap().values().all(Value::is_string));
    assert_eq!(get("/api/v4/license/client").await.status, 400);
    let license = get("/api/v4/license/client?format=old").await.json();
    assert_eq!(license, json!({"IsLicensed": "false"}));
    let plugins = get("/api/v4/plugins/webapp").await.json();
    assert_eq!(plugins[0]["id"], "com.mattermost.calls");
    assert_eq!(get("/api/v4/nonsense").await.status, 404);
    assert_eq!(get("/api/v4/users/me").await.status, 401);
    let alice = Client::sign_in(&server, "alice").await;
    let full = alice.get("/api/v4/config/client?format=old").await;
    assert_eq!(full["MaxPostSize"], "16383");
    server.stop().await;
}

#[tokio::test]
async fn single_sign_on_ends_with_a_token_that_works_once() {
    let server = server().await;
    let path = "/oauth/gitlab/login?desktop_token=abc123&user=carol";
    let page = request(server.url(), "GET", path, &[], b"").await.text();
    let link = page.split("href=\"").nth(1).unwrap();
    let link = link.split('"').next().unwrap();
    let host = server.url().strip_prefix("http://").unwrap();
    let expected = format!("mattermost://{host}/login/desktop?client_token=abc123&server_token=");
    let token = link.strip_prefix(&expected).unwrap();
    let body = json!({"token": token, "device_id": ""}).to_string();
    let path = "/api/v4/users/login/desktop_token";
    let first = request(server.url(), "POST", path, &[], body.as_bytes()).await;
    assert_eq!(first.status, 200);
    assert_eq!(first.json()["username"], "carol");
    assert_eq!(first.headers["token"].len(), 26);
    let second = request(server.url(), "POST", path, &[], body.as_bytes()).await;
    assert_eq!(second.status, 401);
    assert_eq!(second.json()["id"], "app.desktop_token.validate.invalid");
    server.stop().await;
}

#[tokio::test]
async fn an_enforced_second_factor_locks_out_who_has_none() {
    let server = server().await;
    let alice = Client::sign_in(&server, "alice").await;
    server.switch(|s| s.enforce_mfa = true);
    assert_eq!(alice.get("/api/v4/users/me").await["username"], "alice");
    let refused = alice
        .send("GET", "/api/v4/users/me/teams", Value::Null)
        .await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.json()["id"], "api.context.mfa_required.app_error");
    server.stop().await;
}
