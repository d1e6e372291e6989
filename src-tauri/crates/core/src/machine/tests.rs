//! Whole stories in virtual time. [`Story`] plays the conductor: it hands in inputs, drains effects, and after every
//! turn checks what must always be true.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::command::{Command, DeviceRole};
use crate::effect::{CallWish, ClientEvent, Effect, LinkWish, MediaWish, Remember};
use crate::id::{CallId, ChannelId, Millis, RequestId, TeamId, UserId};
use crate::input::{CallNumber, Input, Memory, Now, SavedSession};
use crate::model::{
    CallState, CallsChannel, CallsConfig, Channel, ChannelKind, Membership, NotifyProps,
    Participant, Post, PostKind, Presence, Team, User,
};
use crate::notice::Notice;
use crate::port::media::{DeviceProblem, MediaEvent};
use crate::port::{
    CallEvent, CallIntent, CallsLoad, DirectoryLoad, EndReason, LinkEvent, NameFormat, Page,
    Refusal, Reply, Request, RequestError, Secret, ServerEvent,
};
use crate::snapshot::{
    Account, Call, CallPhase, ChannelRow, Delivery, DeviceRow, Link, Microphone, Outside,
    OutsideService, PostRow, Quality, ServerInfo, Slice, Snapshot,
};

use super::Machine;

mod account;
mod busy;
mod call;
mod chat;
mod compose;
mod desktop;
mod devices;
mod directory;
mod incall;
mod link;
mod messages;
mod microphone;
mod network;
mod places;
mod preferences;
mod ringing;
mod share;
mod story;
mod timeline;
mod trust;
mod world;

use story::Story;
use world::*;
