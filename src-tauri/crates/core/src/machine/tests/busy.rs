//! The status on the server while we are in a call.

use super::desktop::in_call_with;
use super::*;
use crate::alert::AlertSettings;

/// Alice, who wants it, in a call that has just begun.
fn busy() -> Story {
    let mut story = in_call_with(AlertSettings {
        busy_in_call: true,
        ..AlertSettings::default()
    });
    assert_eq!(wishes(&mut story), None, "not over another status");
    story.hears(ServerEvent::PresenceChanged(
        "alice".into(),
        Presence::Online,
    ));
    story
}

fn wishes(story: &mut Story) -> Option<(RequestId, Presence, Option<Millis>)> {
    let (id, request) = story.request(|request| matches!(request, Request::SetPresence { .. }))?;
    match request {
        Request::SetPresence {
            user,
            presence,
            until,
        } => {
            assert_eq!(user, "alice".into());
            Some((id, presence, until))
        }
        _ => None,
    }
}

/// It is set, and the server has told so.
fn set(story: &mut Story) {
    let (id, presence, until) = wishes(story).unwrap();
    assert_eq!(presence, Presence::Dnd);
    assert!(until.is_some(), "never for ever");
    story.hears(ServerEvent::PresenceChanged("alice".into(), Presence::Dnd));
    story.reply(id, Reply::Done);
    assert_eq!(wishes(story), None);
}

#[test]
fn whoever_wants_it_is_not_to_be_disturbed_during_a_call_and_as_before_afterwards() {
    let mut story = busy();
    set(&mut story);
    story.does(Command::LeaveCall);
    let (id, presence, until) = wishes(&mut story).unwrap();
    assert_eq!((presence, until), (Presence::Online, None));
    story.reply(id, Reply::Done);
    assert_eq!(wishes(&mut story), None, "once");
    let mut story = in_call_with(AlertSettings::default());
    story.hears(ServerEvent::PresenceChanged(
        "alice".into(),
        Presence::Online,
    ));
    assert_eq!(wishes(&mut story), None, "only where it is wanted");
}

#[test]
fn a_status_that_the_person_sets_meanwhile_stays() {
    for theirs in [Presence::Away, Presence::Online, Presence::Dnd] {
        let mut story = busy();
        set(&mut story);
        story.hears(ServerEvent::PresenceChanged("alice".into(), theirs));
        story.does(Command::LeaveCall);
        assert_eq!(wishes(&mut story), None, "{theirs:?}");
    }
}

#[test]
fn what_could_not_be_taken_back_is_tried_again() {
    let mut story = busy();
    set(&mut story);
    story.does(Command::LeaveCall);
    let (id, ..) = wishes(&mut story).unwrap();
    story.input(Input::Reply(id, Err(RequestError::TimedOut)));
    assert_eq!(wishes(&mut story), None, "not at once");
    story.down(1);
    assert_eq!(wishes(&mut story), None);
    story.up();
    assert_eq!(
        wishes(&mut story).map(|(_, presence, _)| presence),
        Some(Presence::Online)
    );
}
