//! The real window with more in it than people write: a channel of ten thousand posts, hostile strings in every place
//! where others may write, and 64 KB of markdown at once. Figures are printed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::driver::Window;
use crate::processes::process_tree;
use crate::stage::{Server, alone, folder};

/// Milliseconds, largest first removed: the value that a share of all stays below.
fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (sorted.len() as f64 * share).ceil() as usize;
    sorted[at.clamp(1, sorted.len()) - 1]
}

fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().into_iter().flatten();
    list.filter_map(Value::as_f64).collect()
}

/// KiB that the page's process alone has: anonymous memory without what the kernel may take at any time (proc(5)). Other
/// programs that use the same libraries change nothing about it.
fn page_memory(window: &Window) -> u64 {
    let page = process_tree(window.program_id())
        .into_iter()
        .find(|(_, name, _)| name.starts_with("WebKitWebProc"));
    let (process, ..) = page.expect("the page's process");
    let told = std::fs::read_to_string(format!("/proc/{process}/smaps_rollup")).unwrap();
    let kib = |name: &str| -> u64 {
        let line = told.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.split_whitespace().next());
        number.and_then(|number| number.parse().ok()).unwrap_or(0)
    };
    kib("Anonymous:") - kib("LazyFree:") + kib("Swap:")
}

/// What the page's JavaScript has in its heap, KiB: what WebKit says after each collection when it is told `JSC_logGC`.
#[derive(Debug, Default)]
struct Heap(Vec<u64>);

impl Heap {
    /// Reads a log: lines of several heaps, of which the page's is the one that is collected most.
    fn read(log: &Path) -> Self {
        let log = std::fs::read_to_string(log).unwrap();
        let mut heaps: BTreeMap<&str, Self> = BTreeMap::new();
        for line in log.lines() {
            let line = line.strip_prefix("[GC<");
            let Some((heap, said)) = line.and_then(|line| line.split_once('>')) else {
                continue;
            };
            // A collection ends with what is left: "=> 21504kb, p=…". Its kind comes before: "=> FullCollection".
            let left = said
                .rsplit_once("=> ")
                .and_then(|(_, left)| left.split_once("kb"));
            if let Some(left) = left.and_then(|(number, _)| number.parse().ok()) {
                heaps.entry(heap).or_default().0.push(left);
            }
        }
        let most = heaps.into_values().max_by_key(|heap| heap.0.len());
        most.unwrap_or_default()
    }

    /// The least of the last collections: not all of them look at what is old.
    fn used(&self) -> u64 {
        self.0.iter().rev().take(4).min().copied().unwrap_or(0)
    }
}

/// Whether rows of posts stand in the open channel.
fn open_channel(window: &Window, name: &str) {
    window
        .find(&format!(
            "[data-testid=channel-row][data-channel-name=\"{name}\"]"
        ))
        .click();
    window.find("[role=log][aria-busy=false] [data-testid=post-row]");
}

/// Listens to what the core tells the page, as the page does: when the newest posts came stands in `window.came`.
const LISTEN: &str = "
    const tauri = window.__TAURI_INTERNALS__;
    window.came = {};
    const heard = tauri.transformCallback(({message}) => {
        const slice = message?.patch?.slice;
        if (slice?.slice === 'timeline' && slice.value.posts.length) came[slice.value.channel] = performance.now();
    });
    tauri.invoke('hear', {channel: '__CHANNEL__:' + heard, anew: false});
    return 0";

/// From the click on a channel to its rows on screen, and from the arrival of its posts: milliseconds.
fn opened_in(window: &Window, name: &str) -> (f64, f64) {
    let script = format!(
        "return new Promise((done) => {{
            const row = document.querySelector('[data-testid=channel-row][data-channel-name={name:?}]');
            const before = document.querySelector('[data-testid=post-row]')?.dataset.post;
            const began = performance.now();
            window.came = {{}};
            row.click();
            const look = () => {{
                const log = document.querySelector('[role=log][aria-busy=false]');
                const post = log?.querySelector('[data-testid=post-row]');
                if (post && post.dataset.post !== before)
                    requestAnimationFrame(() => setTimeout(() => {{
                        const now = performance.now();
                        done([now - began, now - Object.values(came)[0]]);
                    }}));
                else setTimeout(look, 1);
            }};
            look();
        }})"
    );
    let told = window.script(&script);
    (
        told[0].as_f64().unwrap(),
        told[1].as_f64().unwrap_or(f64::NAN),
    )
}

#[test]
fn ten_thousand_posts_are_opened_and_scrolled() {
    if std::env::var_os("HALLOO_STRESS").is_none() {
        println!("a minute of figures, only with HALLOO_STRESS=1");
        return;
    }
    let _stage = alone();
    let folder = folder("ten-thousand");
    let server = Server::with_world("large", &folder);
    let window = server.window_told("alice", &folder, &[("JSC_logGC", "1")]);
    let log = folder.join("window.log");
    open_channel(&window, "Standup");
    let fresh = page_memory(&window);
    // What somebody has done who has worked with it for a while.
    for _ in 0..20 {
        opened_in(&window, "Off-Topic");
        opened_in(&window, "Standup");
    }
    let warm = Heap::read(&log);
    let before = page_memory(&window);
    // Once over the network, then with the posts in the core.
    window.script(LISTEN);
    let first = opened_in(&window, "Archive");
    let (mut clicked, mut came) = (vec![], vec![first.1]);
    for _ in 0..5 {
        opened_in(&window, "Standup");
        let (all, since) = opened_in(&window, "Archive");
        clicked.push(all);
        came.push(since);
    }
    window.screenshot(&folder.join("1-newest.png"));

    // All the way up: every page is asked for when the one before has been read.
    let began = Instant::now();
    let newest = window.script(
        "window.feed = document.querySelector('[role=log]');
         window.loads = 0;
         window.up = setInterval(() => { if (feed.scrollTop > 0) { feed.scrollTop = 0; loads += 1; } else feed.dispatchEvent(new Event('scroll')); }, 30);
         return feed.scrollHeight",
    );
    println!("newest posts: {newest} px");
    loop {
        if window
            .look("[role=log] [data-testid=channel-start]")
            .is_some()
        {
            break;
        }
        assert!(
            began.elapsed() < Duration::from_secs(240),
            "the beginning does not come: {}",
            window.script("return [feed.scrollHeight, feed.scrollTop, loads]")
        );
        std::thread::sleep(Duration::from_millis(200));
    }
    let loaded = began.elapsed();
    window.script("clearInterval(window.up); feed.scrollTop = 0; return 0");
    window.screenshot(&folder.join("2-oldest.png"));

    println!(
        "10,000 posts: rows on screen {:.0} ms after the click and {:.0} ms after the posts came (medians; first {:.0} and {:.0}), \
         all loaded in {:.1} s, {} px",
        quantile(&clicked, 0.5),
        quantile(&came, 0.5),
        first.0,
        first.1,
        loaded.as_secs_f64(),
        window.script("return feed.scrollHeight")
    );

    // And down again, as a wheel does: as fast as a person turns it, then as fast as nobody can. (The driver's own wheel
    // moves nothing where pages are drawn without a compositor.)
    window.script(
        "window.frames = []; window.most = 0;
         let last = performance.now();
         const frame = (now) => {
            frames.push(now - last); last = now;
            window.most = Math.max(most, document.querySelectorAll('[data-testid=post-row]').length);
            requestAnimationFrame(frame);
         };
         requestAnimationFrame((now) => { last = now; requestAnimationFrame(frame); });
         return 0",
    );
    let turned = |pixels: u32, steps: u32| {
        let script = format!(
            "return new Promise((done) => {{
                let n = 0;
                frames.length = 0;
                const turn = () => {{
                    feed.scrollTop += {pixels};
                    n += 1;
                    const over = feed.scrollHeight - feed.clientHeight - feed.scrollTop < 3;
                    if (over || n === {steps}) done([over, frames.slice(1)]); else requestAnimationFrame(turn);
                }};
                requestAnimationFrame(turn);
            }})"
        );
        let began = Instant::now();
        let told = window.script(&script);
        let frames = numbers(&told[1]);
        println!(
            "{pixels} px a frame: at {} px after {:.1} s, {}",
            window.script("return Math.round(feed.scrollTop)"),
            began.elapsed().as_secs_f64(),
            spread(&frames)
        );
        (told[0] == true, frames)
    };
    let (_, frames) = turned(120, 300);
    let (end, quick) = turned(6_000, 400);
    assert!(end, "the end does not come");
    let most = window.script("return most");
    let after = page_memory(&window);
    window.screenshot(&folder.join("3-down-again.png"));
    let heap = Heap::read(&log);
    let mib = |kib: u64| kib as f64 / 1024.0;
    println!(
        "at most {most} of them drawn at a time; the page's own memory: {:.1} MiB at first, {:.1} after 40 short channels, {:.1} now; \
         its JavaScript's heap: {:.1} MiB in use before, {:.1} now",
        mib(fresh),
        mib(before),
        mib(after),
        mib(warm.used()),
        mib(heap.used()),
    );
    let grown = mib(heap.used().saturating_sub(warm.used()));
    assert!(
        warm.used() > 0 && grown < 40.0,
        "the heap grew by {grown:.1} MiB"
    );
    assert!(
        quantile(&frames, 0.99) < 100.0,
        "it does not scroll smoothly"
    );
    assert!(quantile(&quick, 0.5) < 500.0, "the page hangs");
}

fn spread(frames: &[f64]) -> String {
    format!(
        "{} frames, median {:.1} ms, p95 {:.1} ms, p99 {:.1} ms, worst {:.1} ms",
        frames.len(),
        quantile(frames, 0.5),
        quantile(frames, 0.95),
        quantile(frames, 0.99),
        quantile(frames, 1.0),
    )
}

/// The texts of the interface's own tests, one JSON object a line.
fn texts(which: &str) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/window_e2e/texts.mjs");
    let output = Command::new("node")
        .arg(script)
        .arg(which)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let lines = String::from_utf8(output.stdout).unwrap();
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Far ends of the sockets of the program and its webview that are not this machine's.
fn strangers(program: u32, seen: &mut BTreeSet<String>) {
    let mut ours = BTreeSet::new();
    for (process, _, _) in process_tree(program) {
        let files = std::fs::read_dir(format!("/proc/{process}/fd"));
        for file in files.into_iter().flatten().flatten() {
            if let Ok(link) = std::fs::read_link(file.path())
                && let Some(inode) = link
                    .to_str()
                    .and_then(|link| link.strip_prefix("socket:[")?.strip_suffix(']'))
            {
                ours.insert(inode.to_owned());
            }
        }
    }
    for kind in ["tcp", "tcp6", "udp", "udp6"] {
        let table = std::fs::read_to_string(format!("/proc/net/{kind}")).unwrap_or_default();
        for line in table.lines().skip(1) {
            let cells: Vec<&str> = line.split_whitespace().collect();
            let (far, inode) = (cells[2], cells[9]);
            // Little-endian words: 0100007F is 127.0.0.1, and zeros are nobody.
            let address = far.split(':').next().unwrap_or_default();
            let here = address.ends_with("7F") && address.len() == 8
                || address.chars().all(|c| c == '0')
                || address == "00000000000000000000000001000000"
                || address.starts_with("0000000000000000FFFF0000") && address.ends_with("7F");
            if !here && ours.contains(inode) {
                seen.insert(format!("{kind} {far}"));
            }
        }
    }
}

/// What a page must notice of what a hostile string did: it ran, it asked for something, it led away, it opened.
const WATCH: &str = "
    window.told = [];
    const tell = (what) => window.told.push(String(what).slice(0, 300));
    window.hit = (n) => tell('ran ' + n);
    for (const name of ['alert', 'confirm', 'prompt', 'print', 'open']) window[name] = (...words) => { tell(name + ' ' + words); return null; };
    document.addEventListener('securitypolicyviolation', (event) => tell('policy ' + event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sample));
    window.addEventListener('beforeunload', () => tell('leaves'));
    document.addEventListener('submit', () => tell('submits'), true);
    window.start = location.href;
    window.children = () => [...document.querySelectorAll('script,iframe,frame,object,embed,form,base,meta[http-equiv=refresh],link[rel=import],applet,portal')].length;
    window.ours = children();
    return ours";

/// Opens a channel and scrolls to its beginning, until everything in it was drawn; gives how many rows were.
fn read_all(window: &Window, name: &str, expected: usize) {
    open_channel(window, name);
    let script = format!(
        "window.rows = new Set();
         // It opens where the unread ones begin: to the end first, then all the way up, and again.
         let down = true;
         window.read = setInterval(() => {{
            const feed = document.querySelector('[role=log][aria-busy=false]');
            if (!feed || !document.querySelector('[data-testid=channel-menu]')?.textContent.includes({name:?})) return;
            for (const row of feed.querySelectorAll('[data-testid=post-row]')) {{
                if (rows.has(row.dataset.post)) continue;
                rows.add(row.dataset.post);
                for (const one of [row, ...row.querySelectorAll('*')])
                    for (const kind of ['pointerenter', 'mouseover', 'focus', 'load', 'error', 'toggle']) one.dispatchEvent(new Event(kind));
            }}
            // What was passed before it was drawn is passed again.
            if (down && feed.scrollHeight - feed.clientHeight - feed.scrollTop < 3) down = false;
            else if (!down && feed.scrollTop < 3) down = true;
            feed.scrollTop = Math.max(0, feed.scrollTop + (down ? 600 : -600));
            feed.dispatchEvent(new Event('scroll'));
         }}, 40);
         return 0"
    );
    window.script(&script);
    let began = Instant::now();
    loop {
        let seen = window.script("return rows.size").as_u64().unwrap() as usize;
        if seen >= expected {
            break;
        }
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "{seen} of {expected} rows of {name} were drawn"
        );
        std::thread::sleep(Duration::from_millis(100));
    }
    window.script("clearInterval(window.read); return 0");
}

#[test]
fn hostile_strings_do_nothing_in_the_real_webview() {
    let _stage = alone();
    let folder = folder("hostile");
    let server = Server::start(&folder);
    let vectors: Vec<String> = texts("vectors")
        .iter()
        .map(|one| one["text"].as_str().unwrap().to_owned())
        .collect();
    assert!(vectors.len() >= 500);
    let bob = server.api("bob");
    let square = bob.channel("town-square");
    let names = bob.channel("off-topic");
    let written = Instant::now();
    let mut posted = 0;
    for text in &vectors {
        // A post of blanks is none.
        if text.trim().is_empty() {
            continue;
        }
        bob.write(&square, text, &[]);
        posted += 1;
    }
    // Names of files: five to a post.
    let mut uploaded = 0;
    for five in vectors.chunks(5) {
        let files: Vec<String> = five
            .iter()
            .map(|text| {
                let cut: String = text.chars().take(200).collect();
                bob.upload(&names, &format!("{cut}.txt"))
            })
            .collect();
        uploaded += files.len();
        bob.write(&names, "files", &files);
    }
    println!(
        "{posted} posts and {uploaded} files put there in {:.1} s",
        written.elapsed().as_secs_f64()
    );

    let window = server.window_as("alice", &folder);
    open_channel(&window, "Standup");
    let own = window.script(WATCH);
    println!("elements that could run, ours: {own}");
    let handles = window.handles();
    let mut seen = BTreeSet::new();
    read_all(&window, "Town Square", posted);
    strangers(window.program_id(), &mut seen);
    window.screenshot(&folder.join("1-posts.png"));
    read_all(&window, "Off-Topic", uploaded.div_ceil(5));
    strangers(window.program_id(), &mut seen);
    window.screenshot(&folder.join("2-files.png"));

    // Names and headers: what many see at once, changed again and again while they look.
    let standup = bob.channel("standup");
    open_channel(&window, "Standup");
    bob.write(&standup, "by somebody with a strange name", &[]);
    for (n, text) in vectors.iter().enumerate().take(500) {
        let name: String = text.chars().take(64).collect();
        bob.put(
            &format!("/channels/{standup}/patch"),
            &json!({"header": text}),
        );
        bob.put(
            "/users/me/patch",
            &json!({"first_name": name, "last_name": "", "nickname": name}),
        );
        if n % 10 == 0 {
            bob.put(
                &format!("/channels/{names}/patch"),
                &json!({"display_name": name, "purpose": text}),
            );
            strangers(window.program_id(), &mut seen);
        }
        if n % 100 == 50 {
            window.screenshot(&folder.join(format!("3-names-{n}.png")));
        }
    }
    // The last of them is on screen: everything before was, or was skipped for it.
    let last: String = vectors[499].chars().take(64).collect();
    println!("last name: {last:?}");
    std::thread::sleep(Duration::from_millis(500));
    strangers(window.program_id(), &mut seen);

    let told = window.script(
        "const asked = performance.getEntriesByType('resource').map((one) => one.name);
         const away = asked.filter((url) => !/^(tauri|ipc|asset|avatar|data|blob):/.test(url) && !/^https?:\\/\\/(127\\.0\\.0\\.1|localhost|\\[::1\\]|[a-z]+\\.localhost)[:\\/]/.test(url));
         return {told: window.told, here: location.href === window.start, added: children() - ours, asked: asked.length, away}",
    );
    println!("{told}");
    println!(
        "windows: {} before, {} after; sockets to elsewhere: {seen:?}",
        handles,
        window.handles()
    );
    let log = std::fs::read_to_string(folder.join("profile/halloo.log")).unwrap();
    assert_eq!(log.matches("page loaded").count(), 1, "loaded again");
    assert_eq!(told["told"], json!([]));
    assert_eq!(told["here"], true);
    assert_eq!(told["added"], 0);
    assert_eq!(told["away"], json!([]));
    assert_eq!(handles, window.handles(), "another window");
    assert!(seen.is_empty(), "{seen:?}");
}

#[test]
fn sixty_four_kilobytes_of_markdown_are_drawn_at_once() {
    let _stage = alone();
    let folder = folder("heavy");
    let server = Server::start(&folder);
    let window = server.window_as("alice", &folder);
    let bob = server.api("bob");
    let (channel, author) = (bob.channel("off-topic"), bob.get("/users/me")["id"].clone());
    open_channel(&window, "Off-Topic");
    window.script(
        "window.worst = 0; window.shown = null;
         let last = performance.now();
         const frame = (now) => { worst = Math.max(worst, now - last); last = now; requestAnimationFrame(frame); };
         requestAnimationFrame(frame);
         return 0",
    );
    let word = json!({"name": "one word", "text": "word"});
    let heavy = texts("heavy");
    // What no server takes, and the longest that one does.
    for (size, longest) in [("64 KB", usize::MAX), ("16 KB", 16_380)] {
        let mut figures = Vec::new();
        for (n, one) in std::iter::once(&word).chain(&heavy).enumerate() {
            let text: String = one["text"]
                .as_str()
                .unwrap()
                .chars()
                .take(longest)
                .collect();
            let id = format!("heavy{}{n:018}", longest % 1000);
            let at = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap()
                .as_millis() as u64;
            let post = json!({
                "id": id, "create_at": at, "update_at": at, "user_id": author, "channel_id": channel,
                "message": text, "type": "", "props": {}, "root_id": "",
            });
            window.script("worst = 0; return 0");
            server.fault(&json!({
                "fault": "send_event", "user": "alice", "event": "posted", "channel": channel,
                "data": {"channel_type": "O", "sender_name": "bob", "post": post.to_string()},
            }));
            let row = format!("[data-post={id}]");
            window.find(&row);
            let told = window.script(&format!(
                "return new Promise((done) => {{
                    // A long one is drawn in several frames; the last of them counts too.
                    let still = 0;
                    const look = () => {{
                        still = document.querySelector('{row} [aria-busy=true]') ? 0 : still + 1;
                        if (still < 4) requestAnimationFrame(look);
                        else setTimeout(() => done([
                            worst,
                            document.querySelectorAll('{row} *').length,
                            document.querySelector('{row} .plain') !== null,
                        ]));
                    }};
                    requestAnimationFrame(look);
                }})"
            ));
            figures.push((
                one["name"].as_str().unwrap().to_owned(),
                told[0].as_f64().unwrap(),
                told[1].as_u64().unwrap(),
                told[2].as_bool().unwrap(),
            ));
        }
        window.screenshot(&folder.join(format!("last of {size}.png")));
        println!("a frame with one word in it: {:.0} ms", figures[0].1);
        figures.remove(0);
        figures.sort_by(|a, b| b.1.total_cmp(&a.1));
        for (name, ms, elements, plain) in figures.iter().take(8) {
            println!(
                "{size}, {name}: longest frame {ms:.0} ms, {elements} elements, plain text: {plain}"
            );
        }
        let slow = figures.iter().filter(|one| one.1 > 50.0).count();
        let all: Vec<f64> = figures.iter().map(|one| one.1).collect();
        let plain = figures.iter().filter(|one| one.3).count();
        println!(
            "{size} of {} kinds: median {:.0} ms, {plain} end as plain text, {slow} above 50 ms",
            all.len(),
            quantile(&all, 0.5),
        );
        let elements = figures.iter().map(|one| one.2).max().unwrap();
        assert!(elements < 3_000, "{elements} elements of one message");
        if longest == usize::MAX {
            // Blanks alone are a message without a text.
            assert!(plain + 6 >= all.len(), "{plain} of {}", all.len());
        }
    }
}
