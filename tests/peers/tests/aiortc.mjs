// aiortc on the development server: a third WebRTC stack beside webrtc-rs and Chromium's.

import {mkdirSync} from 'node:fs';
import path from 'node:path';

import {check, figure, test, until} from '../lib/run.mjs';
import {aiortc, halloo, OUT} from '../lib/programs.mjs';
import {pitch, readWav} from '../lib/sound.mjs';

export function third(server, browser) {
    test('aiortc and Chromium hear each other', async () => {
        const carol = await browser().participant(server, 'carol', {form: 'current', source: 660});
        let theirs;
        try {
            await carol.join();
            await carol.unmute();
            theirs = aiortc(server, 'bob', ['--tone', '880', '--duration', '5']);
            await until('aiortc at Chromium', async () => (await carol.level()).loudSince !== null, 20);
            const heard = await theirs.line('what it heard', (line) => line.event === 'heard', 30);
            check(Math.abs(heard.hertz - 660) <= 2, `aiortc heard ${heard.hertz} Hz`);
        } finally {
            await theirs?.stop();
            await carol.leave();
        }
    }, {seconds: 60});

    test('aiortc connects and exchanges audio with our client', async () => {
        mkdirSync(OUT, {recursive: true});
        const recording = path.join(OUT, 'halloo-hears-aiortc.wav');
        const ours = halloo(server, 'alice', ['--unmuted', '--play', 'tone:440', '--record', recording]);
        try {
            await ours.line('connected', (line) => line.event === 'connected');
            const theirs = aiortc(server, 'bob', ['--tone', '880', '--duration', '6']);
            try {
                const connected = await theirs.line('connected', (line) => line.event === 'connected');
                await ours.line('first_audio', (line) => line.event === 'first_audio');
                const heard = await theirs.line('what it heard', (line) => line.event === 'heard', 30);
                await theirs.line('its end', (line) => line.event === 'ended', 20);
                check(heard.seconds > 3, `aiortc heard ${heard.seconds} s\n${theirs.tail()}`);
                check(Math.abs(heard.hertz - 440) <= 2, `aiortc heard ${heard.hertz} Hz`);
                check(heard.level > -30, `aiortc heard ${heard.level} dBFS`);
                await ours.stop();
                const found = pitch(readWav(recording));
                check(Math.abs(found - 880) <= 2, `we heard ${found} Hz from aiortc`);
                figure('aiortc', {connected_ms: Math.round(connected.ms), it_heard_hz: heard.hertz, we_heard_hz: found});
            } finally {
                await theirs.stop();
            }
        } finally {
            await ours.stop();
        }
    }, {seconds: 90});
}
