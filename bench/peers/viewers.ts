import { type MediaStreamTrack, RTCPeerConnection, useOPUS, useVP8 } from 'werift';
import { z } from 'zod';

/*
 * A program: many students' ends of media connections, the same for every sender. They decrypt, count and
 * report, and look at nothing. Orders come over IPC; what is received is counted, per second, over all.
 */

const Order = z.discriminatedUnion('type', [
  z.object({ type: z.literal('offer'), id: z.string() }),
  z.object({ type: z.literal('answer'), id: z.string(), sdp: z.string() }),
  z.object({ type: z.literal('count') }),
  z.object({ type: z.literal('leave') }),
]);

const viewers = new Map<string, RTCPeerConnection>();
let frames = 0;
let bytes = 0;
let voicePackets = 0;

function tell(message: Readonly<Record<string, unknown>>): void {
  process.send?.(message);
}

async function offer(id: string): Promise<void> {
  const viewer = new RTCPeerConnection({
    bundlePolicy: 'max-bundle',
    iceServers: [],
    iceUseIpv6: false,
    iceAdditionalHostAddresses: ['127.0.0.1'],
    codecs: { audio: [useOPUS()], video: [useVP8()] },
  });
  viewers.set(id, viewer);
  viewer.addTransceiver('audio', { direction: 'recvonly' });
  viewer.addTransceiver('video', { direction: 'recvonly' });
  viewer.onTrack.subscribe((track: MediaStreamTrack) => {
    track.onReceiveRtp.subscribe(({ header, payload }) => {
      bytes += payload.length;
      if (track.kind === 'audio') voicePackets += 1;
      else if (header.marker) frames += 1;
    });
  });
  viewer.connectionStateChange.subscribe((state) => state === 'connected' && tell({ type: 'connected', id }));
  await viewer.setLocalDescription(await viewer.createOffer());
  if (viewer.iceGatheringState !== 'complete') {
    await new Promise<void>((resolve) => viewer.iceGatheringStateChange.subscribe((state) => state === 'complete' && resolve()));
  }
  // The engine takes relayed candidates only, from where it was told that its relay is: for this bench, here.
  const lines = (viewer.localDescription?.sdp ?? '').split('\r\n');
  const own = lines.filter((line) => !line.startsWith('a=candidate:') || line.includes(' 127.0.0.1 '));
  tell({ type: 'offered', id, sdp: own.join('\r\n').replaceAll(/ typ host.*/g, ' typ relay raddr 127.0.0.1 rport 9') });
}

process.on('message', async (message) => {
  const order = Order.parse(message);
  switch (order.type) {
    case 'offer':
      await offer(order.id);
      break;
    case 'answer':
      await viewers.get(order.id)?.setRemoteDescription({ type: 'answer', sdp: order.sdp });
      break;
    case 'count':
      tell({ type: 'counted', frames, bytes, voicePackets });
      break;
    case 'leave':
      await Promise.all([...viewers.values()].map((viewer) => viewer.close()));
      viewers.clear();
      tell({ type: 'left' });
      break;
  }
});

process.on('disconnect', () => process.exit(0));
