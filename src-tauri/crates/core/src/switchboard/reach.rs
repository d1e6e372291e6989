//! Whom a wish concerns when there are several servers.

use crate::command::Command;

/// Who gets a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// The server that it was made at.
    One,
    /// That server too, which is shown with it.
    Place,
    /// As [`Reach::Place`], once our call at another server is over.
    Switch,
    /// Whoever has the call, or would have the sound.
    Sound,
    /// All: a setting of the person's.
    Person,
    /// All.
    All,
}

/// One table, so that no wish is forgotten: what is not in it is about the server that it was made at.
pub(super) fn of(command: &Command) -> Reach {
    match command {
        Command::JoinCall { switch: true, .. } | Command::AnswerCall { switch: true, .. } => {
            Reach::Switch
        }
        Command::JoinCall { .. }
        | Command::JoinCallAs { .. }
        | Command::AnswerCall { .. }
        | Command::CallPerson { .. }
        | Command::OpenChannel { .. }
        | Command::OpenDirect { .. }
        | Command::OpenGroup { .. }
        | Command::OpenTeam { .. }
        | Command::OpenThread { .. }
        | Command::OpenAddress { .. }
        | Command::JoinChannel { .. } => Reach::Place,
        Command::SetAppearance { .. }
        | Command::SetCalls { .. }
        | Command::ForgoMicrophone
        | Command::SetAlerts { .. }
        | Command::SetTone { .. }
        | Command::SetSound { .. }
        | Command::ChooseDevice { .. } => Reach::Person,
        Command::SetLocked { .. }
        | Command::TrustServer { .. }
        | Command::SilenceRing
        | Command::ForgetMissed
        | Command::DismissCallProblem
        | Command::Stay
        | Command::WatchLevel { on: false } => Reach::All,
        Command::LeaveCall
        | Command::SetMuted { .. }
        | Command::RaiseHand { .. }
        | Command::ShowEmoji { .. }
        | Command::Moderate { .. }
        | Command::EndCall
        | Command::UndoEndCall
        | Command::Record { .. }
        | Command::DismissRecordingPrompt
        | Command::ShowCaptions { .. }
        | Command::ShowChat { .. }
        | Command::ShowSaid { .. }
        | Command::SetVolume { .. }
        | Command::SetShareVolume { .. }
        | Command::WatchLevel { on: true }
        | Command::HoldToTalk { .. }
        | Command::HoldToMute { .. }
        | Command::ToggleMute
        | Command::KeepCalling
        | Command::Quit { .. }
        | Command::SetDeafened { .. }
        | Command::PlayTestTone
        | Command::HearMyself { .. }
        | Command::DumpSound { .. }
        | Command::OpenSharePicker
        | Command::CloseSharePicker
        | Command::StartShare { .. }
        | Command::StopShare
        | Command::SetShareMotion { .. }
        | Command::PauseShare { .. } => Reach::Sound,
        _ => Reach::One,
    }
}
