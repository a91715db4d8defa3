import { createServer } from 'node:http';
import { z } from 'zod';
import { createPeerFactory } from '../../packages/engine/src/adapters/werift-peers.ts';
import { OfferRefused } from '../../packages/engine/src/media/ports.ts';
import { engineUser } from '../../packages/server/src/turn/credentials.ts';
import { openEchoPeer } from './echo-peer.ts';
import { relayKinds, startRelay } from './relays.ts';

/*
 * The engine's end of a cable without its lessons: a relay, peers of the product that send 50 packets of audio a
 * second, and a page that browsers connect from. `node relay-stage-child.ts ORDER`.
 */

const StageOrder = z.object({
  kind: z.enum(relayKinds),
  layout: z.enum(['single-port', 'port-range']),
  engineRelay: z.boolean(),
  transport: z.enum(['udp', 'tcp']),
  address: z.string(),
  port: z.number(),
});
export type StageOrder = z.infer<typeof StageOrder>;

const Offer = z.object({ peerId: z.string(), sdp: z.string() });
/** 20 ms of silence: RFC 6716, a CELT packet without content. */
const silence = new Uint8Array([0xfc, 0xff, 0xfe]);

async function stage({ kind, layout, engineRelay, transport, address, port }: StageOrder): Promise<void> {
  const relay = await startRelay(kind, { layout, engineRelay, portMin: 10_110, portMax: 10_115, publicHost: address, loopbackOnly: false });
  const { mediaAddress, mediaPorts, relayAddress, relayPorts, localUrl, urls } = relay.plan;
  const factory = await createPeerFactory({
    mediaAddress,
    mediaPorts,
    relayPorts,
    relayAddresses: [relayAddress],
    engineRelay: engineRelay ? { url: localUrl, ...relay.credential(engineUser) } : null,
  });
  const answer = async (body: string): Promise<object> => {
    const { peerId, sdp } = Offer.parse(JSON.parse(body));
    try {
      const events = { onState: () => {}, onMicrophone: () => {}, onKeyFrameWanted: () => {}, onBandwidth: () => {} };
      const { peer, answerSdp } = await factory.accept({ peerId, offerSdp: sdp, events });
      let timestamp = 0;
      setInterval(() => {
        peer.sendAudio(silence, timestamp);
        timestamp += 960;
      }, 20);
      return { answer: answerSdp };
    } catch (error) {
      if (error instanceof OfferRefused) return { refused: error.code };
      return { refused: error instanceof Error ? error.message : 'unknown' };
    }
  };
  // Where no peer is: what it hears was meant for whoever might be.
  const bystander = await openEchoPeer(engineRelay ? relayAddress : mediaAddress, engineRelay ? relayPorts[1] : mediaPorts[1]);
  let visitors = 0;
  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(String(part));
    if (request.url === '/offer') response.end(JSON.stringify(await answer(parts.join(''))));
    else if (request.url === '/heard') response.end(String(bystander.datagrams));
    else if (request.url === '/config') {
      visitors += 1;
      response.end(JSON.stringify([{ urls: urls.filter((url) => url.endsWith(transport)), ...relay.credential(`session-${visitors}`) }]));
    } else response.setHeader('content-type', 'text/html').end('<!doctype html>');
  });
  server.listen(port, address, () => console.log('ready'));
}

if (process.argv[1] === import.meta.filename) await stage(StageOrder.parse(JSON.parse(process.argv[2] ?? '{}')));
