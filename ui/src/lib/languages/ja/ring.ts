/** Japanese words and sentences of being called, of calling, and of coming and going. */
import type { Catalogue } from "../../language.svelte";

export const ringWords = {
  "who.outside": "{name}でサインイン",
  "who.outside.sso": "シングルサインオン",
  "who.outside.or": "または",
  "who.outside.title": "ブラウザーで続けてください",
  "who.outside.text": "そこでサインインすると、ここに戻ります。",
  "who.outside.paste": "戻らないときは、「開く」ボタンのアドレスをコピーしてここに貼り付けてください。",
  "who.outside.link": "ブラウザーのアドレス",
  "quit.title": "Hallooを終了しますか？",
  "quit.text": "{place}で通話中です。終了すると退出します。",
  "quit.stay": "通話を続ける",
  "quit.go": "退出して終了",
  "calling": "呼び出し中…",
  "calling.none": "まだ応答がありません。",
  "calling.wait": "待つ",
  "calling.hang": "切る",
  "missed.title": "不在着信",
  "missed.label": "{name}さんにかけ直す",
  "missed.clear": "リストを消去",
  "ring.system": "このコンピューターのおやすみモードに従う",
  "ring.system.text": "デスクトップが知らせる場合、着信音も通知もありません",
  "ring.system.on": "現在オン",
  "ring.try": "試す",
  "ring.try.call": "着信",
  "ring.try.text": "デモのキャロルから電話がかかります",
  "notes.hand": "誰かが手を挙げたときの音",
  "notes.record": "録音が始まったときの音",
  "notes.cues": "通話中の効果音の音量",
  "keys.here": "これらのキーはHallooにフォーカスがある間だけ使えます。",
  "keys.ask": "デスクトップに求める",
} satisfies Catalogue["words"];

export const ringSentences = {
  "sso.stale": { lead: "このサインインは無効になりました。", rest: "ここからもう一度始めてください。" },
  "sso.refused": { lead: "サーバーがブラウザーでのサインインを受け付けませんでした。", rest: "管理者に問い合わせてください。" },
  "call.declined": { lead: "{name}さんが着信を拒否しました。" },
  "call.no_answer": { lead: "{name}さんは応答しませんでした。" },
} satisfies Catalogue["sentences"];
