// What makes up for lost packets, at a peer that does not know it.

import {Relay, Server, halloo} from '../lib/programs.mjs';
import {check, figure, pause, test, until} from '../lib/run.mjs';

/** From now on the page counts the voices' packets as the server forwards them, before they are decoded. */
const counting = (page) => page.evaluate(() => {
    globalThis.seen = {packets: 0, deep: 0, bytes: 0};
    const Plain = globalThis.RTCPeerConnection;
    globalThis.RTCPeerConnection = class extends Plain {
        constructor(config) {
            super({...config, encodedInsertableStreams: true});
            this.addEventListener('track', ({receiver}) => {
                const {readable, writable} = receiver.createEncodedStreams();
                const count = new TransformStream({
                    transform(frame, out) {
                        const [toc, frames, padding] = new Uint8Array(frame.data);
                        globalThis.seen.packets++;
                        globalThis.seen.bytes += frame.data.byteLength;
                        // One frame with padding, in which libopus sends deep redundancy (RFC 6716 §3.2.5).
                        if ((toc & 3) === 3 && (frames & 0x7f) === 0x41 && padding > 8) {
                            globalThis.seen.deep++;
                        }
                        out.enqueue(frame);
                    },
                });
                readable.pipeThrough(count).pipeTo(writable);
            });
        }
    };
});

export function redundancy(server, browser) {
    test('deep redundancy reaches Chromium, which goes on as if it were not there', async () => {
        const relay = await Relay.start();
        const own = await Server.start('small', ['--media-announce', `127.0.0.1:${relay.port}`]);
        let ours;
        let page;
        try {
            await relay.order({to: `127.0.0.1:${own.told.media_port}`});
            await own.configure({dc_signaling: true, rest_limit: false});
            page = await browser().participant(own, 'carol', {form: 'current', source: 880});
            await counting(page.page);
            await page.join();
            ours = halloo(own, 'alice', ['--unmuted', '--play', 'tone:440']);
            const seen = () => page.page.evaluate(() => ({...globalThis.seen}));
            await until('a voice', async () => (await seen()).packets > 100);
            const before = await seen();
            check(before.deep === 0, `without loss nothing is deep: ${before.deep}`);
            await relay.order({seed: 11, loss: 0.1});
            await until('deep redundancy', async () => (await seen()).deep > 25, 40);
            // The loss is over, and the sender does not know yet: all that comes is sound with redundancy in it.
            await relay.order({seed: 11, loss: 0});
            await pause(1500);
            const [from, stats] = [await seen(), await page.stats()];
            await pause(3000);
            const [to, later] = [await seen(), await page.stats()];
            const packets = to.packets - from.packets;
            const concealed = later.concealed - stats.concealed;
            const level = await page.level();
            figure('deep_in_chromium', {packets, deep: to.deep - from.deep, bytes: Math.round((to.bytes - from.bytes) / packets), concealed,
                samples: later.samples - stats.samples, level});
            check(to.deep - from.deep > packets / 2, `${to.deep - from.deep} of ${packets} packets`);
            check(concealed < (later.samples - stats.samples) / 100, `${concealed} samples were made up`);
        } finally {
            await ours?.stop();
            await page?.leave();
            await own.stop();
            await relay.stop();
        }
    }, {seconds: 90});
}
