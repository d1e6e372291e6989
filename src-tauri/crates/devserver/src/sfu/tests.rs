//! What a client meets, told as stories; the numbers are chapters of the protocol document.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use super::testing::World;

mod faults;
mod rounds;
mod screens;
mod voices;

const ALICE: &str = "connalicexxxxxxxxxxxxxxxxx";
const BOB: &str = "connbobxxxxxxxxxxxxxxxxxxx";
const CAROL: &str = "conncarolxxxxxxxxxxxxxxxxx";
const DAVE: &str = "conndavexxxxxxxxxxxxxxxxxx";

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn two(dc_signaling: bool) -> World {
    let mut world = World::new();
    world.join(ALICE, dc_signaling);
    world.join(BOB, dc_signaling);
    world
}
