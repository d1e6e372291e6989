import { groups } from "./emoji-data";

/** The short codes people type most, as Mattermost names them; the others are read when one is first met. */
const table = new Map<string, string>();

// One line a mood; each entry is the character and its names.
const list = `
😀 grinning|😃 smiley|😄 smile|😁 grin|😆 laughing satisfied|😅 sweat_smile|🤣 rofl rolling_on_the_floor_laughing|😂 joy
🙂 slightly_smiling_face|🙃 upside_down_face|😉 wink|😊 blush|😇 innocent|🥰 smiling_face_with_3_hearts|😍 heart_eyes
😘 kissing_heart|😋 yum|😛 stuck_out_tongue|😜 stuck_out_tongue_winking_eye|🤪 zany_face|🤗 hugs hugging_face
🤔 thinking thinking_face|🤐 zipper_mouth_face|🤨 raised_eyebrow|😐 neutral_face|😑 expressionless|😶 no_mouth|😏 smirk
😒 unamused|🙄 roll_eyes face_with_rolling_eyes|😬 grimacing|😌 relieved|😔 pensive|😪 sleepy|😴 sleeping|😷 mask
🤒 face_with_thermometer|🤕 face_with_head_bandage|🤢 nauseated_face|🤯 exploding_head|🥳 partying_face|😎 sunglasses
🤓 nerd_face|🧐 monocle_face|😕 confused|😟 worried|🙁 slightly_frowning_face|😮 open_mouth|😲 astonished|😳 flushed
🥺 pleading_face|😦 frowning|😨 fearful|😰 cold_sweat|😢 cry|😭 sob|😱 scream|😞 disappointed|😓 sweat|😩 weary
😫 tired_face|🥱 yawning_face|😤 triumph|😡 rage pout|😠 angry|🤬 cursing_face|😈 smiling_imp|💀 skull|💩 hankey poop
🤡 clown_face|👻 ghost|👽 alien|🤖 robot|👋 wave|🤚 raised_back_of_hand|✋ hand raised_hand|🖖 vulcan_salute
👌 ok_hand|✌️ v|🤞 crossed_fingers|🤟 love_you_gesture|🤘 metal|🤙 call_me_hand|👈 point_left|👉 point_right
👆 point_up_2|👇 point_down|☝️ point_up|👍 +1 thumbsup|👎 -1 thumbsdown|✊ fist fist_raised|👊 facepunch punch
👏 clap|🙌 raised_hands|👐 open_hands|🤝 handshake|🙏 pray|✍️ writing_hand|💪 muscle|🧠 brain|👀 eyes|👁️ eye
🤦 facepalm face_palm|🤷 shrug|🙋 raising_hand|🙇 bow|🏃 runner running|💃 dancer|👥 busts_in_silhouette
❤️ heart|🧡 orange_heart|💛 yellow_heart|💚 green_heart|💙 blue_heart|💜 purple_heart|🖤 black_heart|💔 broken_heart
💯 100|💢 anger|💥 boom collision|💫 dizzy|💦 sweat_drops|💨 dash|💬 speech_balloon|💭 thought_balloon|💤 zzz
🔥 fire|✨ sparkles|⭐ star|🌟 star2|⚡ zap|☀️ sunny|🌈 rainbow|☁️ cloud|❄️ snowflake|☔ umbrella|🌍 earth_africa
🌱 seedling|🌲 evergreen_tree|🌸 cherry_blossom|🌹 rose|🍀 four_leaf_clover|🐛 bug|🐢 turtle|🐍 snake|🦀 crab|🐙 octopus
🐱 cat|🐶 dog|🦄 unicorn|🐧 penguin|🦊 fox_face|🐝 bee honeybee|🍎 apple|🍌 banana|🍕 pizza|🍔 hamburger|🍰 cake
🎂 birthday|🍪 cookie|🍺 beer|🍻 beers|🥂 clinking_glasses|🍷 wine_glass|☕ coffee|🍵 tea|🍿 popcorn
🎉 tada|🎊 confetti_ball|🎈 balloon|🎁 gift|🏆 trophy|🥇 1st_place_medal|🎯 dart|🎮 video_game|🎵 musical_note
🎶 notes|🎧 headphones|🎤 microphone|🚀 rocket|✈️ airplane|🚗 car|🚲 bike|🚂 steam_locomotive|🚢 ship|⚓ anchor
🚧 construction|🚨 rotating_light|🏠 house|🏢 office|⌚ watch|📱 iphone|💻 computer|⌨️ keyboard|💾 floppy_disk
📷 camera|📹 video_camera|📞 telephone_receiver|☎️ phone telephone|🔋 battery|🔌 electric_plug|💡 bulb|🔦 flashlight
📖 book open_book|📚 books|📝 memo pencil|✏️ pencil2|📌 pushpin|📎 paperclip|🔒 lock|🔓 unlock|🔑 key|🔨 hammer
🔧 wrench|⚙️ gear|🔗 link|🧪 test_tube|📈 chart_with_upwards_trend|📉 chart_with_downwards_trend|📊 bar_chart
📅 date|📆 calendar|📦 package|📫 mailbox|📬 mailbox_with_mail|✉️ email envelope|🔔 bell|🔕 no_bell|📣 mega
📢 loudspeaker|🔊 loud_sound|🔇 mute|🔍 mag|⏰ alarm_clock|⏳ hourglass_flowing_sand|⌛ hourglass|✅ white_check_mark
☑️ ballot_box_with_check|✔️ heavy_check_mark|❌ x|❎ negative_squared_cross_mark|➕ heavy_plus_sign|➖ heavy_minus_sign
❓ question|❔ grey_question|❗ exclamation|‼️ bangbang|⁉️ interrobang|⚠️ warning|🛑 stop_sign octagonal_sign
⛔ no_entry|🚫 no_entry_sign|♻️ recycle|🆗 ok|🆕 new|🔴 red_circle|🟠 orange_circle|🟡 yellow_circle
🟢 green_circle large_green_circle|🔵 large_blue_circle|⚪ white_circle|⚫ black_circle|➡️ arrow_right|⬅️ arrow_left
⬆️ arrow_up|⬇️ arrow_down|🔄 arrows_counterclockwise|🔁 repeat|▶️ arrow_forward|⏸️ pause_button|⏹️ stop_button
0️⃣ zero|1️⃣ one|2️⃣ two|3️⃣ three|4️⃣ four|5️⃣ five|6️⃣ six|7️⃣ seven|8️⃣ eight|9️⃣ nine|🔟 keycap_ten
`;

for (const entry of list.trim().split(/[|\n]/)) {
  const [character = "", ...names] = entry.split(" ");
  for (const name of names) table.set(name, character);
}

/** The character of a short code without its colons, if it is known. */
export function emoji(name: string): string | undefined {
  const code = name.toLowerCase();
  if (!table.has(code) && !complete) readAll();
  return table.get(code) ?? skinned(code);
}

/** Codes that begin with what is typed, those that people use most first. */
export function codes(start: string, most: number): { name: string; text: string }[] {
  if (!complete) readAll();
  const found: { name: string; text: string }[] = [];
  for (const [name, text] of table) {
    if (!name.startsWith(start)) continue;
    found.push({ name, text });
    if (found.length >= most) break;
  }
  return found;
}

let complete = false;

function readAll(): void {
  complete = true;
  for (const line of Object.values(groups).flatMap((lines) => lines.split("\n"))) {
    const [head = "", names = ""] = line.split(" ");
    const character = head.endsWith("*") ? head.slice(0, -1) : head;
    for (const name of names.split("/")) if (!table.has(name)) table.set(name, character);
  }
}

/** `wave_medium_skin_tone`, as Mattermost names the tones. */
function skinned(code: string): string | undefined {
  const found = /^(.+)_(light|medium_light|medium|medium_dark|dark)_skin_tone$/.exec(code);
  const base = found && table.get(found[1] ?? "");
  if (!base) return undefined;
  const tone = { light: 0x1f3fb, medium_light: 0x1f3fc, medium: 0x1f3fd, medium_dark: 0x1f3fe, dark: 0x1f3ff }[found[2] ?? ""];
  const [first = "", ...rest] = [...base];
  return [first, String.fromCodePoint(tone ?? 0x1f3fd), ...(rest[0] === "\u{fe0f}" ? rest.slice(1) : rest)].join("");
}
