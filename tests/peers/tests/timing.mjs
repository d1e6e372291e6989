// How long a person waits: from the click on Join to connected, and to the first sound. Ours beside Chromium's,
// on the same server, in turns, so that both see the same machine.

import {check, figure, pause, spread, test, until} from '../lib/run.mjs';
import {halloo} from '../lib/programs.mjs';

/** One join of our client: {connected, audio}, ms. */
export async function oursOnce(server) {
    const program = halloo(server, 'alice', ['--play', 'silence']);
    try {
        // Counted by the client itself, from the join command to the connection.
        const connected = await program.line('connected', (line) => line.event === 'connected');
        const audio = await program.line('first_audio', (line) => line.event === 'first_audio');
        return {connected: connected.ms, audio: audio.ms};
    } finally {
        await program.stop();
    }
}

/** The same in Chromium. */
export async function theirsOnce(server, browser) {
    const page = await browser.participant(server, 'carol', {form: 'current', source: 880});
    try {
        const {connectedMs} = await page.join();
        const level = await until('sound', async () => {
            const found = await page.level();
            return found.firstLoud !== null && found;
        });
        return {connected: connectedMs, audio: level.firstLoud - level.joinedAt};
    } finally {
        await page.leave();
    }
}

/** Joins in turns beside somebody who talks all the time. */
export async function joins(server, browser, count) {
    // More joins than a real server's rate limit of REST requests would allow one person.
    await server.configure({dc_signaling: true, rest_limit: false});
    const speaker = halloo(server, 'bob', ['--unmuted', '--play', 'tone:440']);
    const results = {ours: [], chromium: []};
    try {
        await speaker.line('connected', (line) => line.event === 'connected');
        await pause(500);
        for (let n = 0; n < count; n++) {
            results.ours.push(await oursOnce(server));
            results.chromium.push(await theirsOnce(server, browser));
        }
    } finally {
        await speaker.stop();
    }
    const summary = {};
    for (const [who, list] of Object.entries(results)) {
        summary[who] = {
            connected_ms: spread(list.map((each) => each.connected)),
            first_audio_ms: spread(list.map((each) => each.audio)),
        };
    }
    figure('join', summary);
    return summary;
}

export function timing(server, browser) {
    test('joining is measured beside Chromium', async () => {
        const summary = await joins(server, browser(), 5);
        check(summary.ours.connected_ms.n === 5 && summary.chromium.connected_ms.n === 5, 'not all joined');
        // Generous: the machine may be busy. The bench tells the real figures.
        check(summary.ours.connected_ms.median < 3000, `our median join takes ${summary.ours.connected_ms.median} ms`);
    }, {seconds: 180});
}
