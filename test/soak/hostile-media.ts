import { parseArgs } from 'node:util';
import { HostileStage } from '../support/hostile-media.ts';

/*
 * A million malformed datagrams to an engine with three live sessions, in both layouts: to every media port, through the
 * relay with a good credential, and by a connected student. Nobody else may miss voice or face for a second, nothing may
 * crash, and the worker's memory must stay where it was.
 */

const { values } = parseArgs({
  options: {
    datagrams: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const inEach = Math.ceil(Number(values.datagrams) / 2);
const mostGrowthMiB = 150;
/** Of the datagrams: a connection lets through a thousand a second, and a relay's allocation some thousands. */
const shares = { ports: 0.6, relay: 0.37, own: 0.03 };
const rounds = 10;

async function bombard(throughRelay: boolean): Promise<readonly string[]> {
  const mediaPorts = throughRelay ? ([20_540, 20_579] as const) : ([20_500, 20_539] as const);
  await using stage = await HostileStage.open({ seed: Number(values.seed), throughRelay, mediaPorts, victims: 3 });
  const beforeMiB = stage.workerMiB;
  for (const victim of stage.victims) victim.watch();
  for (let round = 1; round <= rounds && stage.harm().length === 0; round += 1) {
    await stage.sprayPorts(Math.ceil((inEach / rounds) * shares.ports));
    await stage.sprayThroughRelay(Math.ceil((inEach / rounds) * shares.relay));
    await stage.attackOwnConnection(Math.ceil((inEach / rounds) * shares.own));
    const worst = Math.max(...stage.victims.flatMap(({ quiet }) => [quiet.audioMs, quiet.videoMs]));
    console.log(
      `${throughRelay ? 'behind the relay' : 'own ports'}: ${stage.sent} sent, worker at ${stage.workerMiB} MiB, longest silence ${worst} ms`,
    );
  }
  const grownMiB = stage.workerMiB - beforeMiB;
  return [...stage.harm(), ...(grownMiB > mostGrowthMiB ? [`the worker grew by ${grownMiB} MiB`] : [])];
}

const harm = [...(await bombard(false)), ...(await bombard(true))];
for (const line of harm) console.log(line);
console.log(harm.length === 0 ? 'it held' : 'IT DID NOT HOLD');
if (values.json) console.log(JSON.stringify({ held: harm.length === 0, datagrams: inEach * 2, harm }));
process.exit(harm.length === 0 ? 0 : 1);
