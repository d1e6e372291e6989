// The page's painter in a browser: with a graphics card (Chromium's stand-in for one), and without.

import path from 'node:path';

import {build} from 'esbuild';

import {check, test} from '../lib/run.mjs';

/** In the page: paints a picture and then what has changed, and the second picture whole; gives back how they differ. */
function compare(card) {
    const [width, height] = [45, 71];
    const half = Math.ceil(width / 2);
    let seed = 7;
    const dice = () => {
        seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
        return seed >>> 24;
    };
    const sizes = [width * height, half * Math.ceil(height / 2), half * Math.ceil(height / 2)];
    const before = sizes.map((size) => Uint8Array.from({length: size}, dice));
    const after = before.map((plane) => plane.slice());
    /** Where the rows of a band lie in a plane. */
    const part = (plane, [top, bottom]) =>
        plane === 0 ? [top * width, bottom * width] : [(top / 2) * half, Math.ceil(bottom / 2) * half];
    const rows = [[0, 4], [20, 22], [64, height]]; // prettier-ignore
    for (const band of rows) {
        after.forEach((plane, at) => {
            const [from, to] = part(at, band);
            for (let byte = from; byte < to; byte++) plane[byte] = dice();
        });
    }
    const bands = (planes, list) =>
        list.map((band) => ({
            top: band[0],
            bottom: band[1],
            planes: planes.map((plane, at) => plane.slice(...part(at, band))),
        }));
    const whole = (planes) => ({number: 1, width, height, whole: true, bands: bands(planes, [[0, height]])});
    const painted = (...pictures) => {
        const canvas = document.createElement('canvas');
        if (!card) canvas.getContext('2d', {alpha: false});
        const painter = globalThis.paint.painterOn(canvas);
        const shown = pictures.map((picture) => painter.draw(picture));
        const kind = canvas.getContext('webgl2') ? 'card' : 'plain';
        const copy = new OffscreenCanvas(width, height).getContext('2d');
        copy.drawImage(canvas, 0, 0);
        return {shown, kind, data: copy.getImageData(0, 0, width, height).data};
    };
    const changed = {number: 2, width, height, whole: false, bands: bands(after, rows)};
    const step = painted(whole(before), changed);
    const once = painted(whole(after));
    const old = painted(whole(before));
    const far = (one, other) => one.data.reduce((most, value, at) => Math.max(most, Math.abs(value - other.data[at])), 0);
    return {kind: step.kind, shown: step.shown, alone: painted(changed).shown, wrong: far(step, once), moved: far(old, once)};
}

/** Adds the tests. */
export function painting(browser) {
    test('a picture of which only the changed rows are painted looks as if painted whole', async () => {
        const built = await build({
            entryPoints: [path.resolve(import.meta.dirname, '../../../ui/src/lib/paint.ts')],
            bundle: true,
            format: 'iife',
            globalName: 'paint',
            write: false,
            logLevel: 'error',
        });
        const context = await browser().chromium.newContext();
        try {
            const page = await context.newPage();
            await page.addScriptTag({content: built.outputFiles[0].text});
            for (const card of [true, false]) {
                const {kind, shown, alone, wrong, moved} = await page.evaluate(compare, card);
                check(kind === (card ? 'card' : 'plain'), `painted by ${kind}`);
                check(shown.every(Boolean) && alone[0] === false, 'what changes an unknown picture cannot be painted');
                check(moved > 100, `the pictures differ by ${moved}`);
                check(wrong <= 1, `${kind}: a pixel is off by ${wrong}`);
            }
        } finally {
            await context.close();
        }
    });
}
