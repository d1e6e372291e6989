// Chromium in both forms of the official client, with itself and with our client, in both signaling modes.

import {mkdirSync} from 'node:fs';
import path from 'node:path';

import {check, figure, pause, test, until} from '../lib/run.mjs';
import {halloo, OUT} from '../lib/programs.mjs';
import {beeps, levels, pitch, readWav, tones} from '../lib/sound.mjs';

/** Quiet for the meter of the page, dBFS. */
const LOUD = -45;

/** Share of samples that Chromium may make up, at most. */
const CONCEALED = 0.01;

/** What is measured of a stream that is being heard: the best of up to four stretches of four seconds. A machine that is
 * busy with something else makes holes in any stretch; a client that is wrong makes them in all. */
async function listenTo(participant, what) {
    await until(`${what} to be heard`, async () => (await participant.level()).loudSince !== null, 15);
    let best;
    for (let n = 0; n < 4; n++) {
        const before = await participant.stats();
        await pause(4000);
        const after = await participant.stats();
        const samples = after.samples - before.samples;
        const heard = {
            energy: after.energy - before.energy,
            concealed: samples > 0 ? (after.concealed - before.concealed) / samples : 1,
            samples,
        };
        best = best && best.concealed < heard.concealed ? best : heard;
        if (best.concealed < CONCEALED) {
            break;
        }
    }
    return best;
}

function checkHeard(heard, what) {
    check(heard.energy > 1e-4, `${what}: totalAudioEnergy grew by ${heard.energy} only`);
    check(heard.samples > 3 * 48000, `${what}: only ${heard.samples} samples in 4 s`);
    check(heard.concealed < CONCEALED, `${what}: ${(heard.concealed * 100).toFixed(2)} % of the samples are concealed`);
}

/** Our client in the call, ready. */
async function ours(server, name, words) {
    mkdirSync(OUT, {recursive: true});
    const recording = path.join(OUT, `${name}.wav`);
    const program = halloo(server, 'alice', ['--record', recording, ...words]);
    await program.line('connected', (line) => line.event === 'connected');
    return {program, recording};
}

export function browsers(server, browser) {
    const signaling = [['WebSocket', false], ['data channel', true]];

    for (const [way, dcSignaling] of signaling) {
        test(`two Chromium pages hear each other, SDP over the ${way}`, async () => {
            await server.configure({dc_signaling: dcSignaling});
            const bob = await browser().participant(server, 'bob', {form: 'older', source: 440});
            const carol = await browser().participant(server, 'carol', {form: 'current', source: 660});
            try {
                const first = await bob.join();
                await bob.unmute();
                const second = await carol.join();
                await carol.unmute();
                const [atBob, atCarol] = await Promise.all([listenTo(bob, 'carol'), listenTo(carol, 'bob')]);
                checkHeard(atBob, 'bob hears carol');
                checkHeard(atCarol, 'carol hears bob');
                const [older, current] = [await bob.state(), await carol.state()];
                // The description names the sender, not the receiver's track: a voice may come on the mid of one's own.
                const names = (state, id) => state.msids.some((msid) => msid.startsWith(`a=msid:${id} voice_${id}_`));
                check(names(current, first.session), `carol was told ${current.msids}`);
                check(names(older, second.session), `bob was told ${older.msids}`);
                // The older client never says dcSignaling, so its offers come over the WebSocket in both modes.
                check(older.offers.ws > 0 && older.offers.dc === 0, `bob got ${JSON.stringify(older.offers)}`);
                check(dcSignaling ? current.offers.dc > 0 && current.offers.ws === 0 : current.offers.ws > 0 && current.offers.dc === 0,
                    `carol got ${JSON.stringify(current.offers)}`);
                check(Object.values(current.map).some((entry) => entry.type === 'voice'), `media map ${JSON.stringify(current.map)}`);
                check(current.rtt > 0 && current.rtt < 1, `data channel round trip ${current.rtt} s`);
            } finally {
                await carol.leave();
                await bob.leave();
            }
        }, {seconds: 90});

        for (const form of ['older', 'current']) {
            test(`our client and Chromium (${form} form), SDP over the ${way}, Chromium first`, async () => {
                await server.configure({dc_signaling: dcSignaling});
                const bob = await browser().participant(server, 'bob', {form, source: 'beep'});
                let alice;
                try {
                    await bob.join();
                    await bob.unmute();
                    alice = await ours(server, `chromium-first-${form}-${dcSignaling}`, ['--unmuted', '--play', 'tone:440']);
                    await alice.program.line('first_audio', (line) => line.event === 'first_audio');
                    const heard = await listenTo(bob, 'alice');
                    checkHeard(heard, 'Chromium hears our tone');
                    await alice.program.stop();
                    const recording = readWav(alice.recording);
                    // Two beeps a second in at least four seconds.
                    check(beeps(recording) >= 6, `our recording holds ${beeps(recording)} beeps`);
                    figure('chromium first', {form, way, concealed: heard.concealed, beeps: beeps(recording)});
                } finally {
                    await alice?.program.stop();
                    await bob.leave();
                }
            }, {seconds: 90});

            test(`our client and Chromium (${form} form), SDP over the ${way}, Chromium second`, async () => {
                await server.configure({dc_signaling: dcSignaling});
                const bob = await browser().participant(server, 'bob', {form, source: 660});
                let alice;
                try {
                    alice = await ours(server, `chromium-second-${form}-${dcSignaling}`, ['--unmuted', '--play', 'tone:440']);
                    await bob.join();
                    await bob.unmute();
                    await alice.program.line('first_audio', (line) => line.event === 'first_audio');
                    const heard = await listenTo(bob, 'alice');
                    checkHeard(heard, 'Chromium hears our tone');
                    await alice.program.stop();
                    const found = pitch(readWav(alice.recording));
                    check(Math.abs(found - 660) <= 2, `we heard ${found} Hz from Chromium`);
                    figure('chromium second', {form, way, concealed: heard.concealed, hertz: found});
                } finally {
                    await alice?.program.stop();
                    await bob.leave();
                }
            }, {seconds: 90});
        }
    }

    for (const form of ['older', 'current']) {
        test(`our mute silences Chromium (${form} form) within 200 ms`, async () => {
            await server.configure({dc_signaling: form === 'current'});
            const bob = await browser().participant(server, 'bob', {form, source: 660});
            let alice;
            try {
                // Bob is first and so the host: his request mutes alice through her own client.
                await bob.join();
                alice = await ours(server, `mute-ours-${form}`, ['--unmuted', '--play', 'tone:440']);
                const session = (await alice.program.line('joined', (line) => line.event === 'joined')).session_id;
                await until('alice to be heard', async () => (await bob.level()).loudSince !== null, 15);
                await pause(1000);
                await bob.call('host', bob.options.token, 'mute', {session_id: session});
                await until('silence', async () => {
                    const {quietSince, now} = await bob.level();
                    return quietSince !== null && now - quietSince > 500;
                });
                const level = await bob.level();
                const muted = (await bob.state()).events.findLast((event) => event.name === 'user_muted' && event.data.session_id === session);
                check(muted, 'the server never said that alice is muted');
                const delay = level.quietSince - muted.at;
                figure('our mute to silence in Chromium', {form, ms: Math.round(delay)});
                check(delay < 200, `silence came ${delay.toFixed(0)} ms after the mute`);
            } finally {
                await alice?.program.stop();
                await bob.leave();
            }
        }, {seconds: 60});

        test(`Chromium's mute (${form} form) silences us within 200 ms`, async () => {
            await server.configure({dc_signaling: form === 'current'});
            const bob = await browser().participant(server, 'bob', {form, source: 660});
            let alice;
            try {
                await bob.join();
                await bob.unmute();
                alice = await ours(server, `mute-chromium-${form}`, []);
                await alice.program.line('first_audio', (line) => line.event === 'first_audio');
                await pause(1000);
                // The tone changes 600 ms before the mute: the recording itself then tells when that was.
                await bob.mute({announce: 600, hertz: 1320});
                await pause(1500);
                await alice.program.stop();
                const recording = readWav(alice.recording);
                const heard = tones(recording, [660, 1320]);
                const first = heard.filter((each) => each.hertz === 660).at(-1);
                const second = heard.filter((each) => each.hertz === 1320).at(-1);
                check(first && second, `the recording holds ${JSON.stringify(heard)}`);
                const delay = second.to - first.to - 600;
                figure('Chromium mute to silence in our recording', {form, ms: Math.round(delay)});
                check(delay < 200, `sound went on for ${delay.toFixed(0)} ms after the mute`);
                const tail = levels(recording, 100).slice(-5);
                check(Math.max(...tail) < LOUD, `after the mute we still hear ${tail.map((level) => level.toFixed(0))} dBFS`);
            } finally {
                await alice?.program.stop();
                await bob.leave();
            }
        }, {seconds: 60});
    }
}
