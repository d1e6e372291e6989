// What the hour in a call is judged by: the computation, over made-up hours.

import {slope, warm} from '../bench/growth.mjs';
import {ownKib} from '../bench/tree.mjs';
import {check, test} from '../lib/run.mjs';

/** An hour of samples, one a minute: MiB by minute. */
const hour = (mib) => Array.from({length: 61}, (_, minute) => ({minute, mib: mib(minute)}));
const perHour = (samples) => slope(warm(samples, 60).map(({minute, mib}) => [minute / 60, mib]));
const near = (found, wanted, what) => check(Math.abs(found - wanted) < 1e-9, `${what}: ${found} instead of ${wanted}`);

export function growth() {
    test('memory that grows is found, whatever a few samples say', async () => {
        near(perHour(hour((minute) => 40 + minute / 60 * 3)), 3, 'a steady leak');
        near(perHour(hour(() => 40)), 0, 'nothing');
        near(perHour(hour((minute) => 40 - minute / 60)), -1, 'memory that is given back');
        near(perHour(hour((minute) => 40 + (minute % 10 === 9 ? 6 : 0))), 0, 'outages');
        near(perHour(hour((minute) => 40 + minute / 60 + (minute % 10 === 9 ? 6 : 0))), 1, 'a leak with outages');
        near(perHour(hour((minute) => 40 + Math.min(minute, 10))), 0, 'what the start takes');
        near(slope([[0, 1], [2, 5]]), 2, 'two points');
        check(Number.isNaN(slope([[0, 1]])) && Number.isNaN(slope([])), 'a line needs two points');
    });

    test('of the memory only what the program alone can give back is judged', async () => {
        const rollup = (more) => `5565134be000-7ffe5eb75000 ---p 00000000 00:00 0                          [rollup]
Rss:               60000 kB
Pss:               ${more} kB
Pss_Anon:          20000 kB
Shared_Clean:      30000 kB
Private_Clean:      ${more} kB
Private_Dirty:     22000 kB
Anonymous:         21000 kB
LazyFree:            500 kB
AnonHugePages:      2048 kB
Swap:               1500 kB
SwapPss:            1500 kB
`;
        check(ownKib(rollup(9000)) === 22000, `${ownKib(rollup(9000))} KiB`);
        check(ownKib(rollup(9000)) === ownKib(rollup(4000)), 'what is shared must not count');
        check(ownKib('') === 0, 'a process that has ended has nothing');
    });
}
