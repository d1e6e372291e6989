use super::*;
use crate::snapshot::{Network, Reach, Way, WayKind};

fn is_test(request: &Request) -> bool {
    matches!(request, Request::TestWays { .. })
}

#[test]
fn the_ways_are_tried_once_at_a_time_with_the_servers_that_calls_would_use() {
    let mut story = Story::signed_in();
    story.does(Command::TestNetwork);
    story.does(Command::TestNetwork);
    assert!(story.see().network.running);
    let (id, request) = story.request(is_test).unwrap();
    let Request::TestWays {
        servers,
        credentials,
    } = request
    else {
        panic!("another request");
    };
    assert_eq!(servers, config().ice_servers);
    assert_eq!(credentials, config().needs_turn_credentials);
    assert!(story.request(is_test).is_none(), "one at a time");
    let way = Way {
        kind: WayKind::Stun,
        place: "stun.example:3478".to_owned(),
        reach: Reach::Yes,
        ms: Some(12),
        detail: None,
    };
    story.reply(id, Reply::Ways(vec![way.clone()]));
    let network = story.see().network.clone();
    assert!(!network.running && network.at.is_some());
    assert_eq!(network.ways, [way]);
    // A test that fails keeps what was known; another account knows nothing.
    story.does(Command::TestNetwork);
    story.fail(is_test, offline());
    assert_eq!(story.see().network, network);
    story.does(Command::TestNetwork);
    story.does(Command::SignOut);
    assert_eq!(story.see().network, Network::default());
    story.does(Command::TestNetwork);
    assert!(!story.see().network.running, "there is nothing to test");
}
