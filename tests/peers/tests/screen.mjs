// Shared screens between `halloo call` and Chromium: the pixels tell when they were painted.

import {mkdtempSync, readdirSync, rmSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import {check, figure, spread, test, until} from '../lib/run.mjs';
import {halloo} from '../lib/programs.mjs';

const age = ({code, at}) => (((at - code) % 2 ** 31) + 2 ** 31) % 2 ** 31;

/** The forwarding unit takes the switch for layers only when it starts. */
async function prepare(server, simulcast) {
    await server.configure({dc_signaling: true, simulcast, rest_limit: false});
    await server.fault({fault: 'restart_sfu'});
}

export function screens(server, browser) {
    for (const simulcast of [false, true]) {
        const how = simulcast ? 'in two layers' : 'in one layer';
        test(`Chromium sees what we share ${how}`, async () => {
            await prepare(server, simulcast);
            const ours = halloo(server, 'alice', ['--play', 'silence', '--share', 'pattern']);
            const page = await browser().participant(server, 'carol', {source: 880});
            try {
                await ours.line('share_started', (line) => line.event === 'share_started');
                await page.join();
                const seen = [];
                const watched = await until('20 readable pictures', async () => {
                    const taken = await page.call('watched');
                    seen.push(...taken.seen);
                    // Its statistics come a moment after its pictures.
                    return seen.length >= 20 && taken.framesDecoded >= 20 && taken;
                }, 40);
                figure(`share_to_chromium_${simulcast ? 'simulcast' : 'single'}`, {decoded: watched.framesDecoded, keys: watched.keyFrames, age_ms: spread(seen.map(age))});
                check(watched.size.width === 1280 && watched.size.height === 720, JSON.stringify(watched.size));
                check(spread(seen.map(age)).median < 2000, 'the pictures are old');
            } finally {
                await page.leave();
                await ours.stop();
            }
        }, {seconds: 90});

        test(`we see what Chromium shares ${how}`, async () => {
            await prepare(server, simulcast);
            const folder = mkdtempSync(path.join(os.tmpdir(), 'halloo-screen-'));
            const page = await browser().participant(server, 'carol', {source: 880});
            let ours;
            try {
                await page.join();
                ours = halloo(server, 'alice', ['--play', 'silence', '--save-screen', folder]);
                await ours.line('connected', (line) => line.event === 'connected');
                await page.call('share', {simulcast});
                const frames = () => ours.lines.filter((line) => line.event === 'screen_frame' && line.code);
                await until('20 readable pictures', () => frames().length >= 20, 40);
                // Our own line has the clock of the decoder beside the code.
                const ages = ours.lines.filter(({event, code}) => event === 'screen_frame' && code);
                figure(`share_from_chromium_${simulcast ? 'simulcast' : 'single'}`, {frames: ages.length, width: ages.at(-1).width});
                const stored = readdirSync(folder);
                check(stored.some((name) => name.endsWith('.png')) && stored.some((name) => name.endsWith('.ivf')), stored.join(' '));
                check(ages.at(-1).width === 1280 && ages.at(-1).height === 720, JSON.stringify(ages.at(-1)));
            } finally {
                await page.leave();
                await ours?.stop();
                rmSync(folder, {recursive: true, force: true});
            }
        }, {seconds: 90});
    }
}
