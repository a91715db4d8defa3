import { expect, test } from 'vitest';
import { HostileStage } from '../support/hostile-media.ts';

const seed = 20_261_123;
/** Growth of the worker that has nothing to do with what it was sent, MiB. */
const breathingMiB = 120;

test.each([
  { layout: 'on ports of its own', throughRelay: false, mediaPorts: [20_400, 20_439] },
  { layout: 'behind the relay', throughRelay: true, mediaPorts: [20_440, 20_479] },
] as const)(
  '68000 malformed datagrams to an engine $layout crash nothing and silence nobody',
  async ({ throughRelay, mediaPorts }) => {
    await using stage = await HostileStage.open({ seed, throughRelay, mediaPorts, victims: 3 });
    const beforeMiB = stage.workerMiB;
    for (const victim of stage.victims) victim.watch();
    await stage.sprayPorts(40_000);
    expect(stage.harm()).toEqual([]);
    await stage.sprayThroughRelay(20_000);
    expect(stage.harm()).toEqual([]);
    await stage.attackOwnConnection(8_000);
    expect(stage.harm()).toEqual([]);
    expect(stage.sent).toBe(68_000);
    expect(stage.workerMiB - beforeMiB).toBeLessThan(breathingMiB);
  },
  180_000,
);
