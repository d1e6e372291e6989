// The voice bench: our client and Chromium on one server, in turns, over the same sound bus and the same bad network.
//
//   node run.mjs voice [--quick] [--rounds N] [--only mouth,pesq,echo,muted,cpu,memory,join] [--seed N]

import {mkdirSync} from 'node:fs';
import path from 'node:path';

import {Browser} from '../lib/chromium.mjs';
import {halloo, Relay, Server} from '../lib/programs.mjs';
import {pause} from '../lib/run.mjs';
import {oursOnce, theirsOnce} from '../tests/timing.mjs';
import {keepSpeaking, loudness, record, room, score, setUp, speak} from './bus.mjs';
import {Background, Sheet} from './sheet.mjs';
import {tray} from './tray.mjs';
import {commandLine, cpu, family, pss} from './tree.mjs';
import {Window} from './window.mjs';

const GROUPS = ['mouth', 'pesq', 'echo', 'muted', 'cpu', 'memory', 'join'];

/** A network condition, by the end of the row's name. */
const JITTER = [['mouth_to_ear_ms', {}], ['mouth_to_ear_jitter30_ms', {jitter_ms: 30}], ['mouth_to_ear_jitter100_ms', {jitter_ms: 100}]];
const LOSSES = [0, 5, 10, 20];

const TARGETS = {
    mouth_to_ear_ms: {most: 60, ratio: 0.45},
    mouth_to_ear_jitter30_ms: {ratio: 0.6},
    mouth_to_ear_jitter100_ms: {most: 180},
    pesq_loss5: {least: 4.0},
    pesq_loss10: {least: 3.6},
    pesq_loss20: {least: 3.0},
    pesq_loss20_from_chromium: {lead: 0.3},
    echo_erle_db: {least: 35},
    double_talk_pesq_loss: {most: 0.5},
    cpu_listening: {ratio: 0.5},
    cpu_talking: {most: 5, ratio: 0.5},
    memory_pss_mb: {ratio: 0.7},
    memory_tray_pss_mb: {ratio: 0.12},
    join_to_audio_ms: {ratio: 0.6},
    muted_upstream_bps: {most: 1000},
};

/** Our client in the call, on the real devices. */
class Ours {
    static async join(stage, user, {raw = false} = {}) {
        const ours = new Ours();
        ours.program = halloo(stage.server, user, raw ? ['--raw-microphone', '--unmuted'] : ['--unmuted']);
        await ours.program.line('connected', (line) => line.event === 'connected');
        return ours;
    }

    static async listen(stage, user) {
        const ours = new Ours();
        ours.program = halloo(stage.server, user);
        await ours.program.line('connected', (line) => line.event === 'connected');
        return ours;
    }

    leave() {
        return this.program.stop();
    }
}

/** The page in the call. */
class Theirs {
    static async join(stage, user, {raw = false} = {}) {
        const theirs = await Theirs.listen(stage, user, raw);
        await theirs.page.unmute();
        return theirs;
    }

    static async listen(stage, user, raw = false) {
        const theirs = new Theirs();
        theirs.page = await stage.browser.participant(stage.server, user, {source: raw ? 'mic-raw' : 'mic', lean: true});
        await theirs.page.join();
        return theirs;
    }

    leave() {
        return this.page.leave();
    }
}

/** Everything that is there for the whole bench. */
class Stage {
    static async start({seed, quick, rounds}) {
        const stage = new Stage();
        Object.assign(stage, {seed, quick, rounds});
        stage.sheet = new Sheet(quick ? 'voice-quick' : 'voice', {seed, quick});
        stage.out = path.join(stage.sheet.folder, 'voice');
        mkdirSync(stage.out, {recursive: true});
        setUp();
        stage.relay = await Relay.start();
        stage.server = await Server.start('small', ['--media-announce', `127.0.0.1:${stage.relay.port}`]);
        await stage.relay.order({to: `127.0.0.1:${stage.server.told.media_port}`});
        await stage.server.configure({dc_signaling: true, rest_limit: false});
        stage.browser = await Browser.start({sound: true});
        stage.speech = path.join(stage.out, 'speech.wav');
        score('speech', stage.speech, 0.9, quick ? 1 : 3);
        return stage;
    }

    file(name) {
        return path.join(this.out, name);
    }

    /** From now on the network towards the server is like this. */
    weather(weather, round) {
        return this.relay.order({...weather, seed: this.seed * 1000 + round});
    }

    /** Pids of Chromium: it was started by this program, through its driver. */
    chromium = () => family(process.pid).filter((pid) => /chrom/i.test(commandLine(pid)) && !/node/.test(commandLine(pid).split(' ')[0]));

    async close() {
        await this.browser?.close();
        await this.server?.stop();
        await this.relay?.stop();
    }
}

/** Who talks with whom, with everything that is needed for that in the call. */
async function call(stage, Talker, Listener, raw, work) {
    const listener = await Listener.listen(stage, 'bob', raw);
    let talker;
    try {
        talker = await Talker.join(stage, 'alice', {raw});
        // Devices settle, and processing learns what silence is.
        await pause(1500);
        return await work();
    } finally {
        await talker?.leave();
        await listener.leave();
    }
}

async function recorded(stage, name, sound) {
    const file = stage.file(`${name}.raw`);
    const stop = await record(file);
    await speak(sound);
    await pause(700);
    await stop();
    return file;
}

/** Both kinds of client by turns, and the other way round in every second round. */
const turns = (round) => (round % 2 ? [['chromium', Theirs], ['ours', Ours]] : [['ours', Ours], ['chromium', Theirs]]);

async function mouth(stage) {
    const bursts = stage.file('bursts.wav');
    const samples = Object.fromEntries(JITTER.map(([id]) => [id, {ours: [], chromium: [], missed: {ours: 0, chromium: 0}}]));
    const background = [];
    for (let round = 0; round < stage.rounds; round++) {
        score('bursts', bursts, stage.seed * 100 + round, stage.quick ? 6 : 20);
        for (const [who, Client] of turns(round)) {
            await call(stage, Client, Client, false, async () => {
                const busy = new Background();
                for (const [id, weather] of JITTER) {
                    await stage.weather(weather, round);
                    // The jitter buffer learns: what is measured is how it is, not how it becomes.
                    if (weather.jitter_ms && !stage.quick) {
                        await speak(stage.speech);
                    }
                    const found = score('delay', await recorded(stage, `${id}-${who}`, bursts));
                    samples[id][who].push(...found.delays);
                    samples[id].missed[who] += found.missed;
                }
                background.push({who, round, cpu: busy.since()});
            });
            await stage.weather({}, round);
        }
    }
    for (const [id] of JITTER) {
        const {ours, chromium, missed} = samples[id];
        stage.sheet.row(id, 'ms', {ours, chromium, target: TARGETS[id], note: `bursts not found: ours ${missed.ours}, Chromium ${missed.chromium}`, extra: {background}});
    }
}

async function quality(stage) {
    const samples = Object.fromEntries(LOSSES.map((loss) => [loss, {ours: [], chromium: []}]));
    const lags = Object.fromEntries(LOSSES.map((loss) => [loss, {ours: [], chromium: []}]));
    const crossed = [];
    const losses = stage.quick ? [0, 20] : LOSSES;
    for (let round = 0; round < stage.rounds; round++) {
        for (const [who, Client] of turns(round)) {
            await call(stage, Client, Client, true, async () => {
                for (const loss of losses) {
                    await stage.weather({loss: loss / 100, delay_ms: loss ? 20 : 0}, round);
                    // Reports of loss come by and by, and encoders act on them.
                    if (loss) {
                        await speak(stage.speech);
                    }
                    const file = await recorded(stage, `pesq${loss}-${who}`, stage.speech);
                    const {scores, lags: late} = score('pesq', file);
                    if (!scores.length) {
                        throw new Error(`${who}: nothing to score; loudness of both channels ${loudness(file)} dBFS`);
                    }
                    samples[loss][who].push(...scores);
                    lags[loss][who].push(...late);
                }
            });
            await stage.weather({}, round);
        }
        await call(stage, Theirs, Ours, true, async () => {
            await stage.weather({loss: 0.2, delay_ms: 20}, round);
            await speak(stage.speech);
            crossed.push(...score('pesq', await recorded(stage, 'pesq20-crossed', stage.speech)).scores);
        });
        await stage.weather({}, round);
    }
    for (const loss of losses) {
        stage.sheet.row(`pesq_loss${loss}`, 'PESQ', {...samples[loss], target: TARGETS[`pesq_loss${loss}`] ?? {}, extra: {lag_ms: lags[loss]}});
    }
    stage.sheet.row('pesq_loss20_from_chromium', 'PESQ', {ours: crossed, chromium: samples[20].chromium, target: TARGETS.pesq_loss20_from_chromium,
        note: 'Chromium talks in both cases; left our client listens, right Chromium'});
}

/** The far end talks, and its voice comes back into the microphone through a room; then both talk at once. All
 * processing is on. The far end is our client on files in every case, so that what it records is the only difference. */
async function echo(stage) {
    const erle = {ours: [], chromium: []};
    const loss = {ours: [], chromium: []};
    // Both halves of the difference, so that nobody gains by being bad at the first.
    const talk = {alone: {ours: [], chromium: []}, both: {ours: [], chromium: []}};
    const far = stage.file('far.wav');
    score('speech', far, 0.4, 3, 3);
    for (let round = 0; round < Math.min(stage.rounds, 3); round++) {
        for (const [who, Client] of turns(round)) {
            const heard = stage.file(`echo-${who}.wav`);
            const microphone = stage.file(`echo-${who}.raw`);
            /** Bob in the call beside the one under test while `work` is done; what he heard is in `heard` afterwards. */
            const withBob = async (play, work) => {
                const bob = halloo(stage.server, 'bob', ['--unmuted', '--play', play, '--record', heard]);
                try {
                    await bob.line('connected', (line) => line.event === 'connected');
                    await work();
                } finally {
                    await bob.stop();
                }
            };
            const alice = await Client.join(stage, 'alice');
            try {
                // Near speech alone: what processing takes by itself.
                await withBob('silence', async () => {
                    await pause(1500);
                    await speak(stage.speech);
                    await pause(1000);
                });
                const alone = score('near', stage.speech, heard).scores;
                const leave = await room(-10, 20);
                try {
                    let from;
                    let to;
                    await withBob(`loop:${far}`, async () => {
                        await pause(stage.quick ? 3000 : 6000);
                        // Single talk, well after the canceller has found its way.
                        from = performance.now();
                        const stop = await record(microphone);
                        await pause(stage.quick ? 3000 : 8000);
                        await stop();
                        to = performance.now();
                    });
                    const length = (to - from) / 1000;
                    const echoed = score('level', microphone, 0, 1e6).level;
                    // What bob heard lasts from his joining to his leaving; its last seconds are what counts.
                    const left = score('level', heard, stage.quick ? 3 : 6, (stage.quick ? 3 : 6) + length).level;
                    erle[who].push(echoed - left);
                    await withBob(`loop:${far}`, async () => {
                        await pause(4000);
                        await speak(stage.speech);
                        await pause(1000);
                    });
                    const both = score('near', stage.speech, heard).scores;
                    talk.alone[who].push(...alone);
                    talk.both[who].push(...both);
                    loss[who].push(...both.map((value, n) => alone[n] - value).filter(Number.isFinite));
                } finally {
                    await leave();
                }
            } finally {
                await alice.leave();
            }
        }
    }
    stage.sheet.row('echo_erle_db', 'dB', {...erle, target: TARGETS.echo_erle_db, note: 'from the microphone to what the far end hears, with gain control; room of 50 ms, -10 dB'});
    stage.sheet.row('double_talk_pesq_loss', 'PESQ', {...loss, target: TARGETS.double_talk_pesq_loss, extra: talk,
        note: 'near speech alone minus near speech while the far end talks'});
}

/** What leaves while one is muted, alone in the call: everything, down to the IP header. */
async function muted(stage) {
    const seconds = stage.quick ? 4 : 20;
    const samples = {ours: [], chromium: []};
    for (let round = 0; round < Math.min(stage.rounds, 3); round++) {
        for (const [who, Client] of turns(round)) {
            const client = await Client.listen(stage, 'alice');
            try {
                await pause(4000);
                await stage.relay.order({count: true});
                await pause(seconds * 1000);
                samples[who].push((await stage.relay.order({count: true})).up_bytes * 8 / seconds);
            } finally {
                await client.leave();
            }
        }
    }
    stage.sheet.row('muted_upstream_bps', 'bit/s', {...samples, target: TARGETS.muted_upstream_bps});
}

/** CPU and memory of one client in a call with one who talks all the time. */
async function cost(stage, groups) {
    const seconds = stage.quick ? 3 : 12;
    const rows = {cpu_listening: {ours: [], chromium: []}, cpu_talking: {ours: [], chromium: []}, memory_pss_mb: {ours: [], chromium: []}};
    const core = {cpu_listening: [], cpu_talking: [], memory: [], tray: []};
    const background = [];
    const other = halloo(stage.server, 'bob', ['--unmuted', '--play', `loop:${stage.speech}`]);
    const watch = async (pids, listening, talking) => {
        const busy = new Background();
        listening.push(await cpu(pids, () => pause(seconds * 1000)));
        const outside = busy.since(listening.at(-1));
        return async (unmute) => {
            await unmute();
            const stop = keepSpeaking(stage.speech);
            await pause(1500);
            const again = new Background();
            talking.push(await cpu(pids, () => pause(seconds * 1000)));
            background.push([outside, again.since(talking.at(-1))]);
            await stop();
        };
    };
    try {
        await other.line('connected', (line) => line.event === 'connected');
        for (let round = 0; round < Math.min(stage.rounds, stage.quick ? 1 : 5); round++) {
            // The window, as a person has it.
            const window = await Window.open(stage.server, 'alice');
            try {
                await window.join();
                await pause(stage.quick ? 1000 : 5000);
                const talk = await watch(window.pids, rows.cpu_listening.ours, rows.cpu_talking.ours);
                await talk(() => window.unmute());
                rows.memory_pss_mb.ours.push(pss(window.pids()));
            } finally {
                await window.close();
            }
            // The same client without a window.
            const bare = halloo(stage.server, 'alice');
            try {
                await bare.line('connected', (line) => line.event === 'connected');
                await pause(3000);
                const pids = () => family(bare.child.pid);
                core.cpu_listening.push(await cpu(pids, () => pause(seconds * 1000)));
                core.memory.push(pss(pids()));
            } finally {
                await bare.stop();
            }
            const speaking = halloo(stage.server, 'alice', ['--unmuted']);
            try {
                await speaking.line('connected', (line) => line.event === 'connected');
                const stop = keepSpeaking(stage.speech);
                await pause(3000);
                core.cpu_talking.push(await cpu(() => family(speaking.child.pid), () => pause(seconds * 1000)));
                await stop();
            } finally {
                await speaking.stop();
            }
            core.tray.push(await tray(stage.server, 'carol'));
            // A browser of its own, because the bench's own has had other pages.
            await stage.browser.close();
            stage.browser = await Browser.start({sound: true});
            const page = await Theirs.listen(stage, 'alice');
            try {
                await pause(stage.quick ? 1000 : 5000);
                const talk = await watch(stage.chromium, rows.cpu_listening.chromium, rows.cpu_talking.chromium);
                await talk(() => page.page.unmute());
                rows.memory_pss_mb.chromium.push(pss(stage.chromium()));
            } finally {
                await page.leave();
            }
        }
    } finally {
        await other.stop();
    }
    if (groups.includes('cpu')) {
        for (const id of ['cpu_listening', 'cpu_talking']) {
            stage.sheet.row(id, '% core', {...rows[id], target: TARGETS[id], note: 'the app with its window beside a page without any interface', extra: {background}});
            stage.sheet.row(`${id}_headless`, '% core', {ours: core[id], chromium: rows[id].chromium, note: 'halloo call, without a window'});
        }
    }
    if (groups.includes('memory')) {
        stage.sheet.row('memory_pss_mb', 'MiB', {...rows.memory_pss_mb, target: TARGETS.memory_pss_mb, note: 'PSS of all processes, in a call, with the window'});
        stage.sheet.row('memory_tray_pss_mb', 'MiB', {ours: core.tray, chromium: rows.memory_pss_mb.chromium, target: TARGETS.memory_tray_pss_mb,
            note: 'signed in, in the tray, no window; beside Chromium in the call'});
        stage.sheet.row('memory_headless_pss_mb', 'MiB', {ours: core.memory, chromium: rows.memory_pss_mb.chromium, note: 'halloo call, without a window'});
    }
}

async function join(stage) {
    const speaker = halloo(stage.server, 'bob', ['--unmuted', '--play', 'tone:440']);
    const found = {ours: [], chromium: []};
    let failed = 0;
    try {
        await speaker.line('connected', (line) => line.event === 'connected');
        await pause(500);
        const count = stage.quick ? 2 : Math.max(10, stage.rounds * 2);
        for (let n = 0; n < count; n++) {
            found.ours.push(await oursOnce(stage.server));
            // One page that fails to connect does not cost the others' figures; the note counts it.
            try {
                found.chromium.push(await theirsOnce(stage.server, stage.browser));
            } catch (error) {
                failed++;
                console.error(`join: ${error.message.split('\n')[0]}`);
            }
        }
    } finally {
        await speaker.stop();
    }
    for (const [id, key] of [['join_to_connected_ms', 'connected'], ['join_to_audio_ms', 'audio']]) {
        const values = (who) => found[who].map((each) => each[key]);
        stage.sheet.row(id, 'ms', {ours: values('ours'), chromium: values('chromium'), target: TARGETS[id] ?? {}, note: `joins that Chromium failed: ${failed}`});
    }
}

/** Runs the bench, or the groups of rows that are asked for. */
export async function voice({quick = false, rounds, only, seed = 1}) {
    const groups = only ? only.split(',') : GROUPS;
    const unknown = groups.find((group) => !GROUPS.includes(group));
    if (unknown) {
        throw new Error(`no such group: ${unknown}; there are ${GROUPS.join(' ')}`);
    }
    const stage = await Stage.start({quick, rounds: rounds ?? (quick ? 1 : 5), seed});
    const failed = [];
    const from = performance.now();
    try {
        const work = [['mouth', mouth], ['pesq', quality], ['echo', echo], ['muted', muted], ['join', join]].filter(([group]) => groups.includes(group));
        if (groups.includes('cpu') || groups.includes('memory')) {
            work.push(['cost', (where) => cost(where, groups)]);
        }
        for (const [group, chore] of work) {
            try {
                await chore(stage);
            } catch (error) {
                // What else can be measured is measured.
                failed.push(group);
                console.error(`${group}: ${error.stack ?? error}`);
            }
        }
    } finally {
        await stage.close();
    }
    console.log(`${stage.sheet.file} after ${Math.round((performance.now() - from) / 1000)} s`);
    if (failed.length) {
        throw new Error(`not measured: ${failed.join(' ')}`);
    }
}
