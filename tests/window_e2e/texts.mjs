// Prints the texts of the interface's own tests as JSON lines, so that the real window can be given them too:
// `node texts.mjs vectors` (hostile strings) or `node texts.mjs heavy` (64 KB of whatever is hard to read).
// They are TypeScript, which Node reads by itself from 22.18 on only.

import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';

const ui = new URL('../../ui/', import.meta.url);
const typescript = createRequire(new URL('package.json', ui))('typescript');

async function load(name) {
    const source = readFileSync(new URL(`test/${name}.ts`, ui), 'utf8');
    const {outputText} = typescript.transpileModule(source, {compilerOptions: {module: 'esnext', target: 'es2022'}});
    return import(`data:text/javascript;base64,${Buffer.from(outputText).toString('base64')}`);
}

const what = process.argv[2];
if (what === 'vectors') {
    // Half characters cannot be sent to a server.
    for (const {family, text} of (await load('vectors')).vectors()) {
        process.stdout.write(`${JSON.stringify({family, text: text.toWellFormed()})}\n`);
    }
} else {
    for (const [name, text] of (await load('heavy')).texts) {
        process.stdout.write(`${JSON.stringify({name, text: text.toWellFormed()})}\n`);
    }
}
