//! What is said outside of the page: in notifications, in the tray, to the desktop. The page's own words are in
//! `ui/src/lib/i18n.ts`; these are few, and are needed while there is no page.

use std::sync::atomic::{AtomicUsize, Ordering};

use calls_core::alert::{CallNews, NoteButton, Words};

/// The words of one language; `{}` stands for a name or a number.
#[derive(Debug)]
pub(crate) struct Speech {
    tag: &'static str,
    #[cfg_attr(
        any(windows, target_os = "macos"),
        expect(dead_code, reason = "only on Linux a click on the whole has one")
    )]
    pub(crate) open: &'static str,
    pub(crate) join: &'static str,
    pub(crate) decline: &'static str,
    pub(crate) ignore: &'static str,
    pub(crate) reply: &'static str,
    pub(crate) call_back: &'static str,
    invites: &'static str,
    missed: &'static str,
    within: &'static str,
    new_one: &'static str,
    new: &'static str,
    arrives: &'static str,
    hand: &'static str,
    muted: &'static str,
    hand_lowered: &'static str,
    host: &'static str,
    share_stopped: &'static str,
    /// Who did it, where no name is known.
    the_host: &'static str,
    pub(crate) open_halloo: &'static str,
    pub(crate) join_call: &'static str,
    pub(crate) ignore_call: &'static str,
    pub(crate) mute: &'static str,
    pub(crate) unmute: &'static str,
    pub(crate) unshare: &'static str,
    pub(crate) leave: &'static str,
    pub(crate) quit: &'static str,
    pub(crate) calling: &'static str,
    pub(crate) in_call_heard: &'static str,
    pub(crate) in_call_muted: &'static str,
    pub(crate) screen_seen: &'static str,
    pub(crate) missed_calls: &'static str,
    pub(crate) mentions: &'static str,
    pub(crate) unread: &'static str,
    #[cfg_attr(
        any(windows, target_os = "macos"),
        expect(dead_code, reason = "only portals are told what a key does")
    )]
    pub(crate) key_talk: &'static str,
    #[cfg_attr(
        any(windows, target_os = "macos"),
        expect(dead_code, reason = "only portals are told what a key does")
    )]
    pub(crate) key_mute: &'static str,
    #[cfg_attr(
        any(windows, target_os = "macos"),
        expect(dead_code, reason = "only portals are told what a key does")
    )]
    pub(crate) key_hush: &'static str,
}

/// English first: what is unknown is English.
const SPEECHES: [Speech; 5] = [
    Speech {
        tag: "en",
        open: "Open",
        join: "Join",
        decline: "Decline",
        ignore: "Ignore",
        reply: "Reply",
        call_back: "Call back",
        invites: "{} is inviting you to a call",
        missed: "Missed call from {}",
        within: "{} in {}",
        new_one: "{} new message",
        new: "{} new messages",
        arrives: "Notifications arrive.",
        hand: "{} raised a hand.",
        muted: "{} muted you.",
        hand_lowered: "{} lowered your hand.",
        host: "You are now the host.",
        share_stopped: "{} stopped your sharing.",
        the_host: "The host",
        open_halloo: "Open Halloo",
        join_call: "Join the call",
        ignore_call: "Ignore the call",
        mute: "Mute",
        unmute: "Unmute",
        unshare: "Stop sharing",
        leave: "Leave the call",
        quit: "Quit",
        calling: "{} is calling",
        in_call_heard: "In a call: {}. Your microphone is on.",
        in_call_muted: "In a call: {}. You are muted.",
        screen_seen: "Others see your screen.",
        missed_calls: "Missed calls: {}",
        mentions: "Mentions: {}",
        unread: "Unread channels: {}",
        key_talk: "Push to talk",
        key_mute: "Mute or unmute",
        key_hush: "Mute while held",
    },
    Speech {
        tag: "de",
        open: "Öffnen",
        join: "Beitreten",
        decline: "Ablehnen",
        ignore: "Ignorieren",
        reply: "Antworten",
        call_back: "Zurückrufen",
        invites: "{} lädt dich zu einem Anruf ein",
        missed: "Verpasster Anruf von {}",
        within: "{} in {}",
        new_one: "{} neue Nachricht",
        new: "{} neue Nachrichten",
        arrives: "Benachrichtigungen kommen an.",
        hand: "Hand gehoben: {}.",
        muted: "{} hat dich stummgeschaltet.",
        hand_lowered: "{} hat deine Hand gesenkt.",
        host: "Du bist jetzt Host.",
        share_stopped: "{} hat dein Teilen beendet.",
        the_host: "Der Host",
        open_halloo: "Halloo öffnen",
        join_call: "Anruf annehmen",
        ignore_call: "Anruf ignorieren",
        mute: "Stummschalten",
        unmute: "Stummschaltung aufheben",
        unshare: "Freigabe beenden",
        leave: "Anruf verlassen",
        quit: "Beenden",
        calling: "{} ruft an",
        in_call_heard: "Im Anruf: {}. Dein Mikrofon ist an.",
        in_call_muted: "Im Anruf: {}. Du bist stumm.",
        screen_seen: "Andere sehen deinen Bildschirm.",
        missed_calls: "Verpasste Anrufe: {}",
        mentions: "Erwähnungen: {}",
        unread: "Ungelesene Kanäle: {}",
        key_talk: "Sprechen, solange gedrückt",
        key_mute: "Mikrofon an oder aus",
        key_hush: "Stumm, solange gedrückt",
    },
    Speech {
        tag: "fr",
        open: "Ouvrir",
        join: "Rejoindre",
        decline: "Refuser",
        ignore: "Ignorer",
        reply: "Répondre",
        call_back: "Rappeler",
        invites: "{} vous invite à un appel",
        missed: "Appel manqué de {}",
        within: "{} dans {}",
        new_one: "{} nouveau message",
        new: "{} nouveaux messages",
        arrives: "Les notifications arrivent.",
        hand: "Main levée : {}.",
        muted: "{} a coupé votre micro.",
        hand_lowered: "{} a baissé votre main.",
        host: "Vous êtes maintenant l’hôte.",
        share_stopped: "{} a arrêté votre partage.",
        the_host: "L’hôte",
        open_halloo: "Ouvrir Halloo",
        join_call: "Rejoindre l’appel",
        ignore_call: "Ignorer l’appel",
        mute: "Couper le micro",
        unmute: "Rétablir le micro",
        unshare: "Arrêter le partage",
        leave: "Quitter l’appel",
        quit: "Quitter Halloo",
        calling: "{} appelle",
        in_call_heard: "En appel : {}. Votre micro est ouvert.",
        in_call_muted: "En appel : {}. Votre micro est coupé.",
        screen_seen: "D’autres voient votre écran.",
        missed_calls: "Appels manqués : {}",
        mentions: "Mentions : {}",
        unread: "Canaux non lus : {}",
        key_talk: "Appuyer pour parler",
        key_mute: "Couper ou rétablir le micro",
        key_hush: "Couper le micro tant qu’elle est enfoncée",
    },
    Speech {
        tag: "es",
        open: "Abrir",
        join: "Unirse",
        decline: "Rechazar",
        ignore: "Ignorar",
        reply: "Responder",
        call_back: "Devolver la llamada",
        invites: "{} te invita a una llamada",
        missed: "Llamada perdida de {}",
        within: "{} en {}",
        new_one: "{} mensaje nuevo",
        new: "{} mensajes nuevos",
        arrives: "Las notificaciones llegan.",
        hand: "Mano levantada: {}.",
        muted: "{} te ha silenciado.",
        hand_lowered: "{} ha bajado tu mano.",
        host: "Ahora diriges tú la llamada.",
        share_stopped: "{} ha detenido tu pantalla compartida.",
        the_host: "El anfitrión",
        open_halloo: "Abrir Halloo",
        join_call: "Unirse a la llamada",
        ignore_call: "Ignorar la llamada",
        mute: "Silenciar",
        unmute: "Activar el micrófono",
        unshare: "Dejar de compartir",
        leave: "Salir de la llamada",
        quit: "Salir de Halloo",
        calling: "{} está llamando",
        in_call_heard: "En una llamada: {}. Tu micrófono está abierto.",
        in_call_muted: "En una llamada: {}. Estás en silencio.",
        screen_seen: "Otros ven tu pantalla.",
        missed_calls: "Llamadas perdidas: {}",
        mentions: "Menciones: {}",
        unread: "Canales sin leer: {}",
        key_talk: "Pulsar para hablar",
        key_mute: "Silenciar o activar el micrófono",
        key_hush: "Silenciar mientras se pulsa",
    },
    Speech {
        tag: "ja",
        open: "開く",
        join: "参加",
        decline: "拒否",
        ignore: "無視",
        reply: "返信",
        call_back: "かけ直す",
        invites: "{}さんが通話に招待しています",
        missed: "{}さんからの不在着信",
        within: "{}（{}）",
        new_one: "新着メッセージ{}件",
        new: "新着メッセージ{}件",
        arrives: "通知は届いています。",
        hand: "挙手: {}。",
        muted: "{}があなたをミュートしました。",
        hand_lowered: "{}があなたの手を下ろしました。",
        host: "あなたがホストになりました。",
        share_stopped: "{}があなたの共有を停止しました。",
        the_host: "ホスト",
        open_halloo: "Hallooを開く",
        join_call: "通話に参加",
        ignore_call: "通話を無視",
        mute: "ミュート",
        unmute: "ミュート解除",
        unshare: "共有を停止",
        leave: "通話から退出",
        quit: "終了",
        calling: "{}さんから着信中",
        in_call_heard: "通話中: {}。マイクはオンです。",
        in_call_muted: "通話中: {}。ミュート中です。",
        screen_seen: "あなたの画面が見られています。",
        missed_calls: "不在着信: {}",
        mentions: "メンション: {}",
        unread: "未読チャンネル: {}",
        key_talk: "押して話す",
        key_mute: "ミュートの切り替え",
        key_hush: "押している間ミュート",
    },
];

/// The one that is spoken, for those who speak from threads of their own.
static SPOKEN: AtomicUsize = AtomicUsize::new(0);

/// Speaks this language from now on; an empty tag follows the system.
pub(crate) fn speak(tag: &str) {
    let wanted = if tag.is_empty() {
        system().iter().find_map(|tag| index(tag))
    } else {
        index(tag)
    };
    SPOKEN.store(wanted.unwrap_or(0), Ordering::Relaxed);
}

/// The words of the language that is spoken.
pub(crate) fn spoken() -> &'static Speech {
    SPEECHES
        .get(SPOKEN.load(Ordering::Relaxed))
        .unwrap_or(&SPEECHES[0])
}

/// `de_AT.UTF-8` and `de-AT` are `de`.
fn index(tag: &str) -> Option<usize> {
    let base = tag.split(['-', '_', '.', '@']).next()?.to_ascii_lowercase();
    SPEECHES.iter().position(|speech| speech.tag == base)
}

/// The system's languages, best first.
fn system() -> Vec<String> {
    #[cfg(all(unix, not(target_os = "macos")))]
    {
        // POSIX's order; LANGUAGE is GNU's list and comes before all, unless the locale is plain C.
        let variable = |name| std::env::var(name).ok().filter(|text| !text.is_empty());
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .find_map(variable);
        let plain = |text: &String| text == "C" || text == "POSIX" || text.starts_with("C.");
        if locale.as_ref().is_none_or(plain) {
            return Vec::new();
        }
        let list = variable("LANGUAGE").unwrap_or_default();
        let mut all: Vec<String> = list.split(':').map(str::to_owned).collect();
        all.extend(locale);
        all
    }
    #[cfg(not(all(unix, not(target_os = "macos"))))]
    {
        sys_locale::get_locales().collect()
    }
}

impl Speech {
    /// What a notification says.
    pub(crate) fn say(&self, words: &Words) -> String {
        match words {
            Words::Plain(text) => text.clone(),
            Words::Invites { name } => fill(self.invites, &[name]),
            Words::Missed { name } => fill(self.missed, &[name]),
            Words::In { name, place } => fill(self.within, &[name, place]),
            Words::New { text, count } => {
                let form = if *count == 1 { self.new_one } else { self.new };
                let new = fill(form, &[&count.to_string()]);
                if text.is_empty() {
                    new
                } else {
                    format!("{text}\n{new}")
                }
            }
            Words::InCall { what, name } => {
                let pattern = match what {
                    CallNews::Hand => self.hand,
                    CallNews::Muted => self.muted,
                    CallNews::HandLowered => self.hand_lowered,
                    CallNews::Host => self.host,
                    CallNews::ShareStopped => self.share_stopped,
                };
                fill(pattern, &[name.as_deref().unwrap_or(self.the_host)])
            }
            Words::Arrives => self.arrives.to_owned(),
        }
    }

    /// What a button says.
    pub(crate) fn button(&self, button: NoteButton) -> &'static str {
        match button {
            NoteButton::Join => self.join,
            NoteButton::Decline => self.decline,
            NoteButton::Ignore => self.ignore,
            NoteButton::Reply => self.reply,
            NoteButton::CallBack => self.call_back,
        }
    }
}

/// Fills the blanks, each once: a name with a blank in it has none to be filled.
pub(crate) fn fill(pattern: &str, values: &[&str]) -> String {
    let mut out = String::new();
    let mut values = values.iter();
    for (n, piece) in pattern.split("{}").enumerate() {
        if n > 0 {
            out.push_str(values.next().copied().unwrap_or_default());
        }
        out.push_str(piece);
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn each_language_of_the_page_is_spoken_outside_of_it_too() {
        for tag in ["en", "de", "fr", "es", "ja"] {
            let speech = &SPEECHES[index(tag).unwrap()];
            assert_eq!(speech.tag, tag);
            let said = speech.say(&Words::Invites {
                name: "Bob {}".to_owned(),
            });
            assert!(said.contains("Bob {}") && said.len() > 10, "{said}");
            let new = speech.say(&Words::New {
                text: "hi".to_owned(),
                count: 3,
            });
            assert!(new.starts_with("hi\n") && new.contains('3'), "{new}");
            for what in [CallNews::Hand, CallNews::Muted, CallNews::HandLowered] {
                let name = Some("Bob {}".to_owned());
                let said = speech.say(&Words::InCall { what, name });
                assert!(said.contains("Bob {}") && said.len() > 10, "{said}");
            }
            let what = CallNews::ShareStopped;
            let said = speech.say(&Words::InCall { what, name: None });
            assert!(said.starts_with(speech.the_host), "{said}");
            assert!(
                [NoteButton::Join, NoteButton::Reply, NoteButton::CallBack]
                    .iter()
                    .all(|button| !speech.button(*button).is_empty())
            );
        }
        assert_eq!(index("de_AT.UTF-8"), index("de"));
        assert_eq!(index("tlh"), None);
    }

    #[test]
    fn a_person_and_a_place_stand_in_their_order() {
        let place = |tag: &str| {
            SPEECHES[index(tag).unwrap()].say(&Words::In {
                name: "Ann".to_owned(),
                place: "Design".to_owned(),
            })
        };
        assert_eq!(place("en"), "Ann in Design");
        assert_eq!(place("ja"), "Ann（Design）");
    }
}
