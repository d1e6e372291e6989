use serde_json::{Value, json};

use crate::support::{Client, Socket, names, request, server};

fn inner(event: &Value, key: &str) -> Value {
    serde_json::from_str(event["data"][key].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn the_seeded_world_looks_lived_in() {
    let server = server().await;
    let alice = Client::sign_in(&server, "alice").await;
    let teams = alice.get("/api/v4/users/me/teams").await;
    assert_eq!(teams[0]["name"], "halloo");
    let channels = alice.get("/api/v4/users/me/channels").await;
    let of = |letter: &str| {
        let list = channels.as_array().unwrap();
        list.iter().filter(|c| c["type"] == letter).count()
    };
    assert_eq!((of("P"), of("D"), of("G")), (1, 1, 1));
    assert!(of("O") >= 4);
    let list = channels.as_array().unwrap();
    let dm = list.iter().find(|c| c["type"] == "D").unwrap();
    let (low, high) = dm["name"].as_str().unwrap().split_once("__").unwrap();
    assert!(low < high && (low == alice.id || high == alice.id));
    let gm = list.iter().find(|c| c["type"] == "G").unwrap();
    assert_eq!(gm["name"].as_str().unwrap().len(), 40);
    assert_eq!(gm["display_name"], "alice, bob, carol");
    assert!(!list.iter().any(|c| c["name"] == "old-project"));
    let path = "/api/v4/users/me/channel_members?page=-1";
    let lines = alice.send("GET", path, Value::Null).await;
    assert_eq!(lines.headers["content-type"], "application/x-ndjson");
    let text = lines.text();
    let count = text
        .lines()
        .filter(|l| serde_json::from_str::<Value>(l).is_ok());
    assert_eq!(count.count(), list.len() + 1, "archived ones included");
    let pages = alice
        .get("/api/v4/users/me/channel_members?page=0&per_page=3")
        .await;
    assert_eq!(pages.as_array().unwrap().len(), 3);
    let team = teams[0]["id"].as_str().unwrap();
    let path = format!("/api/v4/users/me/teams/{team}/channels/categories");
    let sidebar = alice.get(&path).await;
    let ids: usize = sidebar["categories"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["channel_ids"].as_array().unwrap().len())
        .sum();
    assert_eq!(ids, list.len(), "every channel in exactly one category");
    let standup = alice.channel("standup").await;
    let posts = alice
        .get(&format!("/api/v4/channels/{standup}/posts"))
        .await;
    let posts = posts["posts"].as_object().unwrap();
    assert!(posts.values().any(|p| p["type"] == "custom_calls"));
    assert!(posts.values().any(|p| p["reply_count"] == 3));
    let picture = format!("/api/v4/users/{}/image?_=0", alice.id);
    let picture = alice.send("GET", &picture, Value::Null).await;
    assert_eq!(picture.headers["content-type"], "image/png");
    assert!(picture.body.starts_with(b"\x89PNG"));
    server.stop().await;
}

#[tokio::test]
async fn a_post_is_told_stored_edited_and_deleted() {
    let server = server().await;
    let alice = Client::sign_in(&server, "alice").await;
    let bob = Client::sign_in(&server, "bob").await;
    let channel = alice.channel("off-topic").await;
    let mut socket = Socket::open(&bob).await;
    socket.settle().await;
    let post = alice.write(&channel, "hello @bob").await;
    let id = post["id"].as_str().unwrap().to_owned();
    let (posted, _) = socket.until("posted").await;
    assert_eq!(inner(&posted, "post")["id"], id);
    assert_eq!(inner(&posted, "mentions"), json!([bob.id]));
    assert_eq!(posted["data"]["sender_name"], "@alice");
    assert_eq!(posted["data"]["channel_type"], "O");
    assert_eq!(posted["broadcast"]["channel_id"], channel);
    let path = format!("/api/v4/posts/{id}");
    let patch = json!({"message": "hello **bob**"});
    let edited = alice
        .send("PUT", &format!("{path}/patch"), patch.clone())
        .await;
    assert!(edited.json()["edit_at"].as_i64().unwrap() > 0);
    let refused = bob.send("PUT", &format!("{path}/patch"), patch).await;
    assert_eq!(refused.status, 403);
    let (event, _) = socket.until("post_edited").await;
    assert_eq!(inner(&event, "post")["message"], "hello **bob**");
    let since = post["update_at"].as_i64().unwrap();
    alice.send("DELETE", &path, Value::Null).await;
    socket.until("post_deleted").await;
    let list = format!("/api/v4/channels/{channel}/posts?since={since}");
    let list = bob.get(&list).await;
    assert!(list["posts"][&id]["delete_at"].as_i64().unwrap() > 0);
    assert_eq!(bob.send("GET", &path, Value::Null).await.status, 404);
    server.stop().await;
}

#[tokio::test]
async fn the_same_pending_id_gives_the_same_post_once() {
    let server = server().await;
    let alice = Client::sign_in(&server, "alice").await;
    let channel = alice.channel("off-topic").await;
    let mut socket = Socket::open(&alice).await;
    socket.settle().await;
    let pending = format!("{}:1790000000000", alice.id);
    let body = json!({"channel_id": channel, "message": "once", "pending_post_id": pending});
    let first = alice.post("/api/v4/posts", body.clone()).await;
    let second = alice.post("/api/v4/posts", body).await;
    assert_eq!(first["id"], second["id"]);
    assert_eq!(first["pending_post_id"], pending);
    let heard = names(&socket.settle().await);
    assert_eq!(heard.iter().filter(|n| *n == "posted").count(), 1);
    server.stop().await;
}

#[tokio::test]
async fn pages_go_back_and_forth_without_gaps() {
    let server = server().await;
    let alice = Client::sign_in(&server, "alice").await;
    let body = json!({
        "team_id": alice.get("/api/v4/users/me/teams").await[0]["id"], "name": "pages",
        "display_name": "Pages", "type": "O",
    });
    let channel = alice.post("/api/v4/channels", body).await["id"].clone();
    let channel = channel.as_str().unwrap();
    let mut ids = Vec::new();
    for n in 0..7 {
        let post = alice.write(channel, &format!("post {n}")).await;
        ids.push(post["id"].as_str().unwrap().to_owned());
    }
    let get = |query: String| {
        let alice = alice.clone();
        let path = format!("/api/v4/channels/{channel}/posts?{query}");
        async move { alice.get(&path).await }
    };
    let order = |list: &Value| -> Vec<String> {
        let list = list["order"].as_array().unwrap();
        list.iter()
            .map(|v| v.as_str().unwrap().to_owned())
            .collect()
    };
    let newest = get("page=0&per_page=3".to_owned()).await;
    assert_eq!(order(&newest), [&*ids[6], &*ids[5], &*ids[4]]);
    assert_eq!(newest["next_post_id"], "");
    assert_eq!(newest["prev_post_id"], ids[3]);
    let older = get(format!("before={}&per_page=3", ids[4])).await;
    assert_eq!(order(&older), [&*ids[3], &*ids[2], &*ids[1]]);
    assert_eq!(older["prev_post_id"], ids[0]);
    let oldest = get(format!("before={}&per_page=3", ids[1])).await;
    assert_eq!(order(&oldest), [&*ids[0]]);
    assert_eq!(oldest["prev_post_id"], "");
    let newer = get(format!("after={}&per_page=3", ids[1])).await;
    assert_eq!(order(&newer), [&*ids[4], &*ids[3], &*ids[2]]);
    assert_eq!(newer["next_post_id"], ids[5]);
    let page = get("page=2&per_page=3".to_owned()).await;
    assert_eq!(order(&page), [&*ids[0]]);
    server.stop().await;
}

#[tokio::test]
async fn threads_are_followed_counted_and_read() {
    let server = server().await;
    let alice = Client::sign_in(&server, "alice").await;
    let bob = Client::sign_in(&server, "bob").await;
    let channel = alice.channel("off-topic").await;
    let root = alice.write(&channel, "a thread").await["id"].clone();
    let root = root.as_str().unwrap();
    let mut socket = Socket::open(&alice).await;
    socket.settle().await;
    for text in ["first", "second @alice"] {
        let body = json!({"channel_id": channel, "message": text, "root_id": root});
        bob.post("/api/v4/posts", body).await;
    }
    let (updated, _) = socket.until("thread_updated").await;
    assert_eq!(inner(&updated, "thread")["reply_count"], 1);
    let (updated, _) = socket.until("thread_updated").await;
    let thread = inner(&updated, "thread");
    assert_eq!(thread["unread_replies"], 2);
    assert_eq!(thread["unread_mentions"], 1);
    assert_eq!(updated["data"]["previous_unread_replies"], 1);
    let team = alice.get("/api/v4/users/me/teams").await[0]["id"].clone();
    let base = format!("/api/v4/users/me/teams/{}/threads", team.as_str().unwrap());
    let list = alice.get(&format!("{base}?extended=true")).await;
    assert_eq!(list["total_unread_threads"], 1);
    let now = thread["last_reply_at"].as_i64().unwrap();
    let path = format!("{base}/{root}/read/{now}");
    let read = alice.send("PUT", &path, Value::Null).await.json();
    assert_eq!(read["unread_replies"], 0);
    let (changed, _) = socket.until("thread_read_changed").await;
    assert_eq!(changed["data"]["previous_unread_replies"], 2);
    let path = format!("{base}/{root}/following");
    alice.send("DELETE", &path, Value::Null).await;
    let (changed, _) = socket.until("thread_follow_changed").await;
    assert_eq!(changed["data"]["state"], false);
    let thread = alice.get(&format!("/api/v4/posts/{root}/thread")).await;
    assert_eq!(thread["order"].as_array().unwrap().len(), 3);
    let path = format!("/api/v4/posts/{root}/thread?perPage=1&direction=down");
    let page = alice.get(&path).await;
    assert_eq!(page["has_next"], true);
    let roots = format!("/api/v4/channels/{channel}/posts?collapsedThreads=true");
    let roots = alice.get(&roots).await;
    let order = roots["order"].as_array().unwrap();
    assert_eq!(order.iter().filter(|id| **id == root).count(), 1);
    assert!(
        roots["posts"]
            .as_object()
            .unwrap()
            .values()
            .all(|p| p["root_id"] == "")
    );
    server.stop().await;
}

#[tokio::test]
async fn reactions_files_and_read_marks_work() {
    let server = server().await;
    let alice = Client::sign_in(&server, "alice").await;
    let bob = Client::sign_in(&server, "bob").await;
    let channel = alice.direct(&bob).await;
    let mut socket = Socket::open(&bob).await;
    socket.settle().await;
    let path = format!("/api/v4/files?channel_id={channel}&filename=note.txt");
    let bearer = format!("Bearer {}", alice.token);
    let headers = [("Authorization", bearer.as_str())];
    let raw = request(&alice.url, "POST", &path, &headers, b"0123456789").await;
    assert_eq!(raw.status, 201, "{}", raw.text());
    let file = raw.json()["file_infos"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let form = format!(
        "--b\r\nContent-Disposition: form-data; name=\"channel_id\"\r\n\r\n{channel}\r\n\
         --b\r\nContent-Disposition: form-data; name=\"client_ids\"\r\n\r\nc1\r\n\
         --b\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a.bin\"\r\n\r\nxyz\r\n\
         --b--\r\n"
    );
    let multipart = [
        ("Authorization", bearer.as_str()),
        ("Content-Type", "multipart/form-data; boundary=b"),
    ];
    let form = request(
        &alice.url,
        "POST",
        "/api/v4/files",
        &multipart,
        form.as_bytes(),
    )
    .await;
    assert_eq!(form.status, 201, "{}", form.text());
    assert_eq!(form.json()["client_ids"], json!(["c1"]));
    let body = json!({"channel_id": channel, "message": "", "file_ids": [file]});
    let post = alice.post("/api/v4/posts", body).await;
    assert_eq!(post["metadata"]["files"][0]["size"], 10);
    let (posted, _) = socket.until("posted").await;
    assert_eq!(posted["data"]["otherFile"], "true");
    assert_eq!(posted["data"]["team_id"], "");
    assert_eq!(inner(&posted, "mentions"), json!([bob.id]));
    let bearer = format!("Bearer {}", bob.token);
    let headers = [("Authorization", bearer.as_str()), ("Range", "bytes=2-4")];
    let path = format!("/api/v4/files/{file}");
    let part = request(&bob.url, "GET", &path, &headers, b"").await;
    assert_eq!((part.status, part.text()), (206, "234".to_owned()));
    assert_eq!(part.headers["content-range"], "bytes 2-4/10");
    let dave = Client::sign_in(&server, "dave").await;
    assert_eq!(dave.send("GET", &path, Value::Null).await.status, 403);

    let id = post["id"].as_str().unwrap();
    let body = json!({"user_id": bob.id, "post_id": id, "emoji_name": "+1"});
    bob.post("/api/v4/reactions", body).await;
    let (added, _) = socket.until("reaction_added").await;
    assert_eq!(inner(&added, "reaction")["emoji_name"], "+1");
    let path = format!("/api/v4/users/me/posts/{id}/reactions/+1");
    bob.send("DELETE", &path, Value::Null).await;
    socket.until("reaction_removed").await;

    let unread = format!("/api/v4/users/me/channels/{channel}/unread");
    assert_eq!(bob.get(&unread).await["msg_count"], 1);
    assert_eq!(bob.get(&unread).await["mention_count"], 1);
    let body = json!({"channel_id": channel, "prev_channel_id": ""});
    bob.post("/api/v4/channels/members/me/view", body).await;
    let (viewed, _) = socket.until("multiple_channels_viewed").await;
    assert!(viewed["data"]["channel_times"][&channel].is_i64());
    assert_eq!(bob.get(&unread).await["msg_count"], 0);
    let path = format!("/api/v4/users/me/posts/{id}/set_unread");
    bob.post(&path, json!({"collapsed_threads_supported": true}))
        .await;
    socket.until("post_unread").await;
    assert_eq!(bob.get(&unread).await["msg_count"], 1);
    server.stop().await;
}

#[tokio::test]
async fn an_archived_channel_can_be_read_but_not_written() {
    let server = server().await;
    let alice = Client::sign_in(&server, "alice").await;
    let channel = alice.channel("old-project").await;
    let posts = alice
        .get(&format!("/api/v4/channels/{channel}/posts"))
        .await;
    assert_eq!(posts["order"].as_array().unwrap().len(), 1);
    let body = json!({"channel_id": channel, "message": "hello?"});
    let refused = alice.send("POST", "/api/v4/posts", body).await;
    assert_eq!(refused.status, 400);
    assert_eq!(
        refused.json()["id"],
        "api.post.create_post.can_not_post_to_deleted.error"
    );
    server.stop().await;
}

#[tokio::test]
async fn channel_ids_of_new_conversations_are_only_in_the_broadcast() {
    let server = server().await;
    let alice = Client::sign_in(&server, "alice").await;
    let dave = Client::sign_in(&server, "dave").await;
    let mut socket = Socket::open(&dave).await;
    let channel = alice.direct(&dave).await;
    let (added, _) = socket.until("direct_added").await;
    assert_eq!(added["broadcast"]["channel_id"], channel);
    assert_eq!(added["data"]["teammate_id"], dave.id);
    assert_eq!(alice.direct(&dave).await, channel, "the same again");
    let bob = Client::sign_in(&server, "bob").await;
    let body = json!([alice.id, bob.id, dave.id]);
    let group = alice.post("/api/v4/channels/group", body).await;
    let (added, _) = socket.until("group_added").await;
    assert_eq!(added["broadcast"]["channel_id"], group["id"]);
    assert_eq!(inner(&added, "teammate_ids").as_array().unwrap().len(), 3);
    server.stop().await;
}

#[tokio::test]
async fn a_status_is_told_to_its_owner_alone() {
    let server = server().await;
    let alice = Client::sign_in(&server, "alice").await;
    let bob = Client::sign_in(&server, "bob").await;
    let mut a = Socket::open(&alice).await;
    let mut b = Socket::open(&bob).await;
    a.settle().await;
    b.settle().await;
    let body = json!({"user_id": "me", "status": "dnd"});
    let refused = alice.send("PUT", "/api/v4/users/me/status", body).await;
    assert_eq!(refused.status, 400, "the real id is wanted");
    let body = json!({"user_id": alice.id, "status": "dnd", "dnd_end_time": 1_790_000_059});
    let set = alice
        .send("PUT", "/api/v4/users/me/status", body)
        .await
        .json();
    assert_eq!(set["dnd_end_time"], 1_790_000_040);
    assert_eq!(set["manual"], true);
    assert_eq!(a.until("status_change").await.0["data"]["status"], "dnd");
    assert!(names(&b.settle().await).is_empty());
    let list = bob
        .post("/api/v4/users/status/ids", json!([alice.id]))
        .await;
    assert_eq!(list[0]["status"], "dnd");
    let preference = json!([{
        "user_id": alice.id, "category": "display_settings", "name": "name_format",
        "value": "full_name",
    }]);
    let path = "/api/v4/users/me/preferences";
    assert_eq!(alice.send("PUT", path, preference).await.status, 200);
    a.until("preferences_changed").await;
    let one = format!("{path}/display_settings/name/name_format");
    assert_eq!(alice.get(&one).await["value"], "full_name");
    server.stop().await;
}

#[tokio::test]
async fn commands_answer_as_the_server_does() {
    let server = server().await;
    let alice = Client::sign_in(&server, "alice").await;
    let channel = alice.channel("standup").await;
    let mut socket = Socket::open(&alice).await;
    socket.settle().await;
    let run = |command: &str| {
        let (alice, body) = (
            alice.clone(),
            json!({"command": command, "channel_id": channel}),
        );
        async move { alice.send("POST", "/api/v4/commands/execute", body).await }
    };
    assert_eq!(run("/echo hi").await.json()["response_type"], "in_channel");
    let (posted, _) = socket.until("posted").await;
    assert_eq!(inner(&posted, "post")["message"], "hi");
    let unknown = run("/dance").await;
    assert_eq!(unknown.status, 404);
    assert_eq!(
        unknown.json()["id"],
        "api.command.execute_command.not_found.app_error"
    );
    assert_eq!(run("no slash").await.status, 400);
    let link = run("/call link").await.json();
    assert_eq!(link["response_type"], "ephemeral");
    let (told, _) = socket.until("ephemeral_message").await;
    let post = inner(&told, "post");
    let expected = format!("/halloo/channels/{channel}?join_call=true");
    assert!(post["message"].as_str().unwrap().contains(&expected));
    assert_eq!(post["type"], "system_ephemeral");
    let path = format!("/api/v4/posts/{}", post["id"].as_str().unwrap());
    assert_eq!(alice.send("GET", &path, Value::Null).await.status, 404);
    for (line, text) in [
        ("/call", "invalid number of arguments"),
        ("/call dance", "invalid subcommand"),
        ("/call host @bob", "Error: no call ongoing"),
        ("/call host @nobody", "Error: user not found"),
        ("/call stats e30=", "Error: Empty stats object"),
    ] {
        run(line).await;
        let (told, _) = socket.until("ephemeral_message").await;
        let message = inner(&told, "post")["message"].clone();
        assert!(
            message.as_str().unwrap().starts_with(text),
            "{line}: {message}"
        );
    }
    assert_eq!(run("/call start").await.json()["text"], "");
    assert!(names(&socket.settle().await).is_empty());
    let team = alice.get("/api/v4/users/me/teams").await[0]["id"].clone();
    let path = format!(
        "/api/v4/teams/{}/commands/autocomplete_suggestions?user_input=/call%20st",
        team.as_str().unwrap()
    );
    let list = alice.get(&path).await;
    assert_eq!(list[0]["Complete"], "call start");
    server.stop().await;
}
