//! The interface's types are generated from ours and committed; this test fails when they are stale.
//!
//! To write them anew: `HALLOO_WRITE_BINDINGS=1 cargo test -p calls-core --test bindings_are_fresh`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fmt::Write as _;
use std::path::Path;

use calls_core::port::media;
use calls_core::{alert, command, id, model, notice, preferences, snapshot, trust};
use ts_rs::{Config, TS};

macro_rules! declarations {
    ($config:expr, $($type:ty),+ $(,)?) => {{
        let mut text = String::from(
            "// Generated from calls-core by tests/bindings_are_fresh.rs. Never edited by hand.\n",
        );
        $(
            text.push('\n');
            if let Some(docs) = <$type as TS>::docs() {
                text.push_str(&docs);
            }
            writeln!(text, "export {}", <$type as TS>::decl($config)).unwrap();
        )+
        text
    }};
}

fn bindings() -> String {
    // JSON numbers are doubles: every integer of ours stays far below 2^53.
    let config = Config::new().with_large_int("number");
    declarations!(
        &config,
        id::UserId,
        id::TeamId,
        id::ChannelId,
        id::PostId,
        id::SessionId,
        id::PendingId,
        id::DeviceId,
        id::SourceId,
        id::FileId,
        id::CategoryId,
        id::UploadId,
        id::ServerNumber,
        model::Team,
        model::ChannelKind,
        model::User,
        model::Presence,
        model::CallPost,
        model::Subtitles,
        model::PostKind,
        model::File,
        model::CategoryKind,
        model::CustomEmoji,
        model::FoundChannel,
        model::CommandHint,
        preferences::Theme,
        preferences::Density,
        preferences::Motion,
        preferences::Clock,
        preferences::Appearance,
        preferences::AccountLook,
        preferences::AtJoin,
        preferences::CaptionSize,
        preferences::CaptionPlace,
        preferences::WindowLevel,
        preferences::CallPreferences,
        command::DeviceRole,
        command::HostAction,
        alert::Tone,
        alert::RingDevice,
        alert::RingFor,
        alert::QuietHours,
        alert::GlobalKeys,
        trust::Trust,
        trust::Grant,
        alert::AlertSettings,
        alert::MessageLevel,
        alert::KeysReach,
        snapshot::OutsideService,
        snapshot::Outside,
        command::Command,
        notice::Severity,
        notice::Notice,
        snapshot::IncomingCall,
        snapshot::MissedCall,
        snapshot::Incoming,
        snapshot::Alerts,
        snapshot::ServerInfo,
        snapshot::Account,
        snapshot::Link,
        snapshot::ActiveCallRow,
        snapshot::ChannelRow,
        snapshot::Person,
        snapshot::Directory,
        snapshot::Delivery,
        snapshot::CategoryRow,
        snapshot::ReactionRow,
        snapshot::PostRow,
        snapshot::Timeline,
        snapshot::Thread,
        snapshot::UploadState,
        snapshot::UploadRow,
        snapshot::Compose,
        snapshot::Finder,
        snapshot::CallPhase,
        snapshot::Microphone,
        snapshot::ParticipantRow,
        snapshot::ShareQuality,
        snapshot::WatchQuality,
        snapshot::StreamQuality,
        snapshot::MediaPath,
        snapshot::TriedWay,
        snapshot::WayState,
        snapshot::WayKind,
        snapshot::Reach,
        snapshot::Way,
        snapshot::Network,
        snapshot::Quality,
        snapshot::CallReaction,
        snapshot::Recording,
        snapshot::RecordingPrompt,
        snapshot::Caption,
        snapshot::Said,
        snapshot::CallChat,
        snapshot::Calling,
        snapshot::Call,
        snapshot::Noise,
        snapshot::Sound,
        snapshot::DeviceRow,
        snapshot::Trial,
        snapshot::Devices,
        media::SourceKind,
        media::ShareSource,
        snapshot::SharePicker,
        snapshot::OurShare,
        snapshot::Share,
        snapshot::Levels,
        snapshot::ServerTag,
        snapshot::ServerStanding,
        snapshot::ServerRow,
        snapshot::Snapshot,
        snapshot::Slice,
        snapshot::Patch,
        snapshot::TimelineChange,
    )
}

fn file() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../ui/src/bindings/index.ts")
}

#[test]
fn the_committed_bindings_are_the_generated_ones() {
    let fresh = bindings();
    if std::env::var_os("HALLOO_WRITE_BINDINGS").is_some() {
        std::fs::write(file(), &fresh).unwrap();
    }
    let committed = std::fs::read_to_string(file()).unwrap();
    assert!(
        committed.replace("\r\n", "\n") == fresh,
        "ui/src/bindings/index.ts is stale: run HALLOO_WRITE_BINDINGS=1 cargo test -p calls-core --test bindings_are_fresh"
    );
}

#[test]
fn every_name_that_is_used_is_declared() {
    let text = bindings();
    let without_comments: String = text
        .lines()
        .filter(|line| {
            let line = line.trim_start();
            !line.starts_with('*') && !line.starts_with("/*") && !line.starts_with("//")
        })
        .collect::<Vec<_>>()
        .join("\n");
    for word in without_comments.split(|c: char| !c.is_ascii_alphanumeric()) {
        if word.starts_with(|c: char| c.is_ascii_uppercase())
            && word != "Array"
            && word != "Partial"
        {
            assert!(
                text.contains(&format!("export type {word} ")),
                "{word} is used but not declared"
            );
        }
    }
}

#[test]
fn numbers_are_numbers() {
    assert!(!bindings().contains("bigint"));
}
