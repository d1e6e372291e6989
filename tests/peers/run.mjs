// Peers that we did not write, against the development server and `halloo call`.
//
//   node run.mjs test [PART OF A NAME]     all tests, or some
//   node run.mjs join [--joins N]          time to join, ours beside Chromium's
//   node run.mjs crowd [--clients N] [--seconds S]
//   node run.mjs soak [--minutes N]
//   node run.mjs voice [--quick] [--rounds N] [--only GROUP,…] [--seed N]
//   node run.mjs screen [--quick] [--rounds N] [--seed N]

import {voice} from './bench/voice.mjs';
import {screen} from './bench/screen.mjs';
import {soak} from './bench/soak.mjs';
import {Browser} from './lib/chromium.mjs';
import {Server, stopAll} from './lib/programs.mjs';
import {runAll} from './lib/run.mjs';
import {third} from './tests/aiortc.mjs';
import {browsers} from './tests/chromium.mjs';
import {command} from './tests/command.mjs';
import {company} from './tests/company.mjs';
import {crowd, many} from './tests/crowd.mjs';
import {growth} from './tests/growth.mjs';
import {mattermost} from './tests/mattermost.mjs';
import {secrecy} from './tests/private.mjs';
import {painting} from './tests/painting.mjs';
import {redundancy} from './tests/redundancy.mjs';
import {screens} from './tests/screen.mjs';
import {shares} from './tests/shares.mjs';
import {joins, timing} from './tests/timing.mjs';

const [chore = 'test', ...words] = process.argv.slice(2);
const option = (name, standard) => {
    const at = words.indexOf(`--${name}`);
    return at < 0 ? standard : Number(words[at + 1]);
};

let browser;
let server;
let failed = 0;
try {
    if (chore === 'crowd') {
        await crowd(option('clients', 50), option('seconds', 60));
    } else if (chore === 'soak') {
        await soak(option('minutes', 60));
    } else if (chore === 'voice') {
        const text = (name) => (words.includes(`--${name}`) ? words[words.indexOf(`--${name}`) + 1] : undefined);
        await voice({quick: words.includes('--quick'), rounds: option('rounds', undefined), only: text('only'), seed: option('seed', 1)});
    } else if (chore === 'screen') {
        await screen({quick: words.includes('--quick'), rounds: option('rounds', undefined), seed: option('seed', 1)});
    } else {
        server = await Server.start();
        browser = await Browser.start();
        if (chore === 'join') {
            await joins(server, browser, option('joins', 20));
        } else {
            mattermost(server);
            browsers(server, () => browser);
            third(server, () => browser);
            screens(server, () => browser);
            shares(server, () => browser);
            painting(() => browser);
            redundancy(server, () => browser);
            timing(server, () => browser);
            command(server);
            company(server);
            secrecy();
            many();
            growth();
            const count = await runAll(words[0]);
            failed = count.failed;
            console.log(`\n${count.passed} passed, ${count.failed} failed`);
        }
    }
} catch (error) {
    failed = 1;
    console.error(error);
} finally {
    await browser?.close();
    await stopAll();
}
process.exit(failed ? 1 : 0);
