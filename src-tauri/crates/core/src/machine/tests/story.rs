//! [`Story`]: a machine, the time, and what it has said so far.

use super::*;

pub(super) struct Story {
    pub(super) machine: Machine,
    pub(super) now: Instant,
    pub(super) unix: Millis,
    pub(super) effects: Vec<Effect>,
    pub(super) requests: Vec<(RequestId, Request)>,
    pub(super) shadow: Snapshot,
    pub(super) gate: bool,
    pub(super) calls: u32,
}

impl Story {
    pub(super) fn new() -> Self {
        let machine = Machine::new();
        Self {
            shadow: machine.snapshot().clone(),
            machine,
            now: Instant::now(),
            unix: DAY,
            effects: Vec::new(),
            requests: Vec::new(),
            gate: false,
            calls: 0,
        }
    }

    pub(super) fn input(&mut self, input: Input) {
        let now = Now {
            instant: self.now,
            unix: self.unix,
        };
        self.machine.handle(now, input);
        let mut slices = Vec::new();
        while let Some(effect) = self.machine.poll_effect() {
            match &effect {
                Effect::Request(id, request) => self.requests.push((*id, request.clone())),
                Effect::Media(MediaWish::Gate(open)) => self.gate = *open,
                Effect::Call(CallNumber(number), CallWish::Join(_)) => self.calls = *number,
                Effect::Patch(patch) => {
                    assert!(patch.revision > self.shadow.revision, "revisions grow");
                    let slice = std::mem::discriminant(&patch.slice);
                    assert!(!slices.contains(&slice), "one patch for each slice");
                    slices.push(slice);
                    self.shadow.revision = patch.revision;
                    apply(&mut self.shadow, patch.slice.clone());
                }
                _ => {}
            }
            self.effects.push(effect);
        }
        assert_eq!(
            &self.shadow,
            self.machine.snapshot(),
            "patches tell everything"
        );
        let call = &self.machine.snapshot().call;
        let flows = matches!(
            call.phase,
            CallPhase::Live | CallPhase::Reconnecting { media_flows: true }
        );
        assert!(
            !self.gate || flows,
            "the gate is open only while sound flows"
        );
        assert!(
            call.microphone != Microphone::Open || self.gate,
            "a microphone is shown open only behind an open gate"
        );
        assert!(
            call.microphone != Microphone::Muted || !self.gate,
            "a microphone shown muted is muted"
        );
        if let Some(at) = self.machine.poll_timeout() {
            assert!(at > self.now, "a deadline that has passed was handled");
        }
    }

    pub(super) fn does(&mut self, command: Command) {
        self.input(Input::Command(command));
    }

    pub(super) fn hears(&mut self, event: ServerEvent) {
        self.input(Input::Server(event));
    }

    pub(super) fn link(&mut self, event: LinkEvent) {
        self.input(Input::Link(event));
    }

    pub(super) fn up(&mut self) {
        self.link(LinkEvent::Up { resumed: false });
    }

    pub(super) fn down(&mut self, attempt: u32) {
        let retry_in = Duration::from_secs(3);
        self.link(LinkEvent::Down { attempt, retry_in });
    }

    /// An event of the call that was joined last.
    pub(super) fn call(&mut self, event: CallEvent) {
        self.input(Input::Call(CallNumber(self.calls), event));
    }

    pub(super) fn media(&mut self, event: MediaEvent) {
        self.input(Input::Media(event));
    }

    /// Time passes; deadlines are kept.
    pub(super) fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        for _ in 0..10_000 {
            match self.machine.poll_timeout() {
                Some(at) if at <= end => {
                    self.advance(at);
                    self.input(Input::Tick);
                }
                _ => {
                    self.advance(end);
                    return;
                }
            }
        }
        panic!("the machine asks to be woken without end");
    }

    pub(super) fn advance(&mut self, to: Instant) {
        let passed = to.saturating_duration_since(self.now);
        self.unix += i64::try_from(passed.as_millis()).unwrap();
        self.now = to;
    }

    pub(super) fn seconds(&mut self, seconds: u64) {
        self.wait(Duration::from_secs(seconds));
    }

    /// The request that was made, which is thereby taken.
    pub(super) fn request(
        &mut self,
        which: impl Fn(&Request) -> bool,
    ) -> Option<(RequestId, Request)> {
        let at = self
            .requests
            .iter()
            .position(|(_, request)| which(request))?;
        Some(self.requests.remove(at))
    }

    pub(super) fn reply(&mut self, id: RequestId, reply: Reply) {
        self.input(Input::Reply(id, Ok(reply)));
    }

    /// Answers the first request of this kind.
    #[track_caller]
    pub(super) fn answer(&mut self, which: impl Fn(&Request) -> bool, reply: Reply) {
        let (id, _) = self.request(which).expect("nothing of this kind was asked");
        self.reply(id, reply);
    }

    #[track_caller]
    pub(super) fn fail(&mut self, which: impl Fn(&Request) -> bool, error: RequestError) {
        let (id, _) = self.request(which).expect("nothing of this kind was asked");
        self.input(Input::Reply(id, Err(error)));
    }

    /// Everything that was wanted since the last time.
    pub(super) fn effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// What scripts were told since the last time.
    pub(super) fn told(&mut self) -> Vec<ClientEvent> {
        self.effects()
            .into_iter()
            .filter_map(|effect| match effect {
                Effect::Tell(event) => Some(event),
                _ => None,
            })
            .collect()
    }

    pub(super) fn see(&self) -> &Snapshot {
        self.machine.snapshot()
    }

    pub(super) fn codes(&self) -> Vec<&str> {
        self.see()
            .notices
            .iter()
            .map(|notice| notice.code.as_str())
            .collect()
    }

    #[track_caller]
    pub(super) fn notice(&self, code: &str) -> &Notice {
        self.see()
            .notices
            .iter()
            .find(|notice| notice.code == code)
            .unwrap_or_else(|| panic!("{code} is not shown, but {:?}", self.codes()))
    }

    #[track_caller]
    pub(super) fn row(&self, channel: &str) -> &ChannelRow {
        self.see()
            .directory
            .channels
            .iter()
            .find(|row| row.id == id(channel))
            .unwrap_or_else(|| panic!("{channel} is not in the list"))
    }

    pub(super) fn see_call(&self) -> &Call {
        &self.see().call
    }

    pub(super) fn messages(&self) -> Vec<&str> {
        self.see()
            .timeline
            .posts
            .iter()
            .map(|post| post.message.as_str())
            .collect()
    }

    // ---- Beginnings of stories.

    /// A server was found, and asks who we are.
    pub(super) fn at_sign_in() -> Self {
        let mut story = Self::new();
        story.does(Command::FindServer {
            address: "chat.example.org".to_owned(),
        });
        story.answer(is_find, Reply::Found(server()));
        story
    }

    /// Signed in; the directory and calls are loaded, nothing is open.
    pub(super) fn signed_in_with(
        load: DirectoryLoad,
        calls: Option<CallsLoad>,
        memory: Memory,
    ) -> Self {
        let mut story = Self::new();
        story.input(Input::Start(Box::new(Memory {
            session: Some(session()),
            ..memory
        })));
        story.answer(is_find, Reply::Found(server()));
        story.answer(is_check, accepted());
        story.up();
        story.answer(is_directory, Reply::Directory(Box::new(load)));
        story.answer(is_calls, Reply::Calls(calls.map(Box::new)));
        story
    }

    /// Signed in as Alice, town square open and empty.
    pub(super) fn signed_in() -> Self {
        let mut story = Self::signed_in_with(directory(), Some(calls()), Memory::default());
        story.answer(
            is_posts,
            Reply::Posts {
                posts: Vec::new(),
                at_start: true,
            },
        );
        story.requests.clear();
        story.effects.clear();
        story
    }

    /// Joining the call of a channel.
    pub(super) fn joining(channel: &str) -> Self {
        let mut story = Self::signed_in();
        story.does(join(channel));
        story
    }

    /// In a call with Bob, whose session is `sb`; ours is `sa`. The microphone works.
    pub(super) fn in_call(channel: &str) -> Self {
        let mut story = Self::joining(channel);
        story.media(MediaEvent::Ready(DeviceRole::Input));
        story.call(CallEvent::Accepted("sa".into()));
        let state = call_state(channel, &[("sa", "alice"), ("sb", "bob")]);
        story.call(CallEvent::State(Box::new(state)));
        story.call(CallEvent::Connected);
        story.call(CallEvent::VoiceReady);
        story.seconds(6);
        story.effects.clear();
        story
    }
}

fn apply(snapshot: &mut Snapshot, slice: Slice) {
    match slice {
        Slice::Account(value) => snapshot.account = value,
        Slice::Link(value) => snapshot.link = value,
        Slice::Directory(value) => snapshot.directory = value,
        Slice::Timeline(value) => snapshot.timeline = value,
        Slice::Thread(value) => snapshot.thread = value,
        Slice::Compose(value) => snapshot.compose = value,
        Slice::Finder(value) => snapshot.finder = value,
        Slice::Network(new) => snapshot.network = new,
        Slice::Emoji(value) => snapshot.emoji = value,
        Slice::Call(value) => snapshot.call = *value,
        Slice::Share(new) => snapshot.share = new,
        Slice::Chat(value) => snapshot.chat = value,
        Slice::Devices(value) => snapshot.devices = value,
        Slice::Appearance(value) => snapshot.appearance = value,
        Slice::Calls(value) => snapshot.calls = value,
        Slice::Incoming(value) => snapshot.incoming = value,
        Slice::Alerts(value) => snapshot.alerts = *value,
        Slice::Notices(value) => snapshot.notices = value,
        Slice::Servers(value) => snapshot.servers = value,
    }
}
