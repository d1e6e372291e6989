//! `calls-devserver`: the development server as a program.
//!
//! It prints one line when it is ready, and stops on SIGTERM, SIGINT or when told to.
#![forbid(unsafe_code)]

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;

use calls_devserver::{Config, DevServer, Seed};
use clap::{Parser, ValueEnum};

/// A Mattermost-compatible development server with the Calls plugin and an SFU, all in memory.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Where HTTP and the WebSocket listen; port 0 takes any free one.
    #[arg(long, default_value = "127.0.0.1:8065")]
    listen: SocketAddr,
    /// UDP and ICE-TCP port of the SFU; 0 takes any free one.
    #[arg(long, default_value_t = 8443)]
    media_port: u16,
    /// Tell clients this media address instead of the real one: that of a relay, which all media then passes.
    #[arg(long, value_name = "ADDR")]
    media_announce: Option<SocketAddr>,
    /// The world to start with.
    #[arg(long, value_enum, default_value = "small")]
    seed: World,
    /// Print the line as JSON.
    #[arg(long)]
    json: bool,
    /// Switches to change, as JSON: `{"dc_signaling":true}`. See `Switches` in the crate's pages.
    #[arg(long, value_name = "JSON")]
    switches: Option<String>,
    /// Use an SFU in another process, at this TCP address, instead of the built-in one.
    #[arg(long, value_name = "ADDR")]
    foreign_sfu: Option<SocketAddr>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum World {
    Small,
    Large,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    runtime.block_on(run(args))
}

fn fail(error: &dyn std::error::Error) -> ExitCode {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    eprintln!("calls-devserver: {text}");
    ExitCode::FAILURE
}

async fn run(args: Args) -> ExitCode {
    let switches = match args.switches.as_deref().map(serde_json::from_str) {
        None => Default::default(),
        Some(Ok(switches)) => switches,
        Some(Err(error)) => return fail(&error),
    };
    let config = Config {
        listen: args.listen,
        media_port: args.media_port,
        seed: match args.seed {
            World::Small => Seed::Small,
            World::Large => Seed::Large,
        },
        switches,
        media_announce: args.media_announce,
        foreign_sfu: args.foreign_sfu,
        ..Config::default()
    };
    let server = match DevServer::start(config).await {
        Ok(server) => server,
        Err(error) => return fail(&error),
    };
    let line = if args.json {
        server.announcement().to_string()
    } else {
        let names: Vec<&str> = server
            .accounts()
            .iter()
            .map(|a| a.username.as_str())
            .collect();
        let password = server.accounts().first().map_or("", |a| &a.password);
        format!(
            "{} (media port {}): team {}, channel {}; {} with password {password}",
            server.url(),
            server.media_port(),
            server.team(),
            server.channel(),
            names.join(", "),
        )
    };
    // Whoever started us may have closed the pipe; that is no reason to stop.
    let mut out = std::io::stdout();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    stop_signal().await;
    server.stop().await;
    ExitCode::SUCCESS
}

#[cfg(unix)]
async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let term = async {
        match signal(SignalKind::terminate()) {
            Ok(mut term) => {
                term.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = term => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

#[cfg(not(unix))]
async fn stop_signal() {
    // Without a console there is no Ctrl-C; the process is ended from outside then.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
