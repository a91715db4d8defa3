import { z } from 'zod';
import { openEchoPeer } from './echo-peer.ts';
import { relayKinds, startRelay } from './relays.ts';
import { TurnClient } from './turn-client.ts';

/*
 * Either end of a cable: `engine ORDER` starts a relay and a peer for every session, prints what browsers are told, and
 * stays; `browser TASK` is as many TURN clients as there are tickets, and prints what became of each.
 */

const EngineOrder = z.object({
  kind: z.enum(relayKinds),
  layout: z.enum(['single-port', 'port-range']),
  address: z.string(),
  sessions: z.number(),
});
export type EngineOrder = z.infer<typeof EngineOrder>;

const Ticket = z.object({ username: z.string(), credential: z.string(), peer: z.object({ address: z.string(), port: z.number() }) });
export const Invitation = z.object({ udp: z.string(), tcp: z.string(), tickets: z.array(Ticket) });
export type Invitation = z.infer<typeof Invitation>;

const BrowserTask = z.object({ url: z.string(), tickets: z.array(Ticket), packets: z.number() });
export type BrowserTask = z.infer<typeof BrowserTask>;

/** `code`: of the Allocate. `echoed`: packets that came back. */
export const Outcomes = z.array(z.object({ code: z.number().nullable(), relay: z.string().nullable(), echoed: z.number() }));
export type Outcomes = z.infer<typeof Outcomes>;

async function engine({ kind, layout, address, sessions }: EngineOrder): Promise<void> {
  const relay = await startRelay(kind, { layout, portMin: 10_110, portMax: 10_115, publicHost: address, loopbackOnly: false });
  const tickets = [];
  for (let at = 0; at < sessions; at += 1) {
    const peer = await openEchoPeer(relay.plan.mediaAddress, relay.plan.mediaPorts[0] + at);
    tickets.push({ ...relay.credential(`session-${at}`), peer: peer.at });
  }
  const base = `turn:${address}:10110`;
  console.log(JSON.stringify({ udp: `${base}?transport=udp`, tcp: `${base}?transport=tcp`, tickets }));
}

async function browser({ url, tickets, packets }: BrowserTask): Promise<Outcomes> {
  const clients = tickets.map((ticket) => ({ ticket, client: new TurnClient(url, ticket) }));
  const outcomes = [];
  // All are connected before the first one goes: they are there at once.
  for (const { client, ticket } of clients) {
    const code = await client.allocate();
    if (code === 0) await client.bindChannel(0x4000, ticket.peer);
    outcomes.push({ client, code, relay: client.relay === null ? null : `${client.relay.address}:${client.relay.port}` });
  }
  const there = outcomes.filter(({ code }) => code === 0);
  for (let sent = 0; sent < packets; sent += 1) {
    await Promise.all(
      there.map(async ({ client }) => {
        const back = client.next();
        client.sendOnChannel(0x4000, Buffer.alloc(900, sent));
        await back;
      }),
    );
  }
  return outcomes.map(({ client, code, relay }) => ({ code, relay, echoed: client.received }));
}

if (process.argv[1] === import.meta.filename) {
  const [role, order = '{}'] = process.argv.slice(2);
  if (role === 'engine') await engine(EngineOrder.parse(JSON.parse(order)));
  else {
    console.log(JSON.stringify(await browser(BrowserTask.parse(JSON.parse(order)))));
    process.exit(0);
  }
}
