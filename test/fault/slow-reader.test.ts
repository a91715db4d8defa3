import net from 'node:net';
import { createTutorClient } from '@virtual-tutor/sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningEngine, startEngine } from '../support/engine.ts';
import { joinLesson } from '../support/lesson.ts';
import { openWire, wire } from '../support/wire.ts';

/** A client that shakes hands, subscribes many times over, and then reads nothing any more. */
async function stalledReader(engine: RunningEngine, token: string, sessionId: string): Promise<net.Socket> {
  const socket = net.connect({ host: '127.0.0.1', port: engine.port });
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.write(
    [
      'GET /trpc?connectionParams=1 HTTP/1.1',
      `Host: 127.0.0.1:${engine.port}`,
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Version: 13',
      '\r\n',
    ].join('\r\n'),
  );
  await new Promise((resolve) => socket.once('data', resolve));
  socket.write(textFrame(JSON.stringify({ method: 'connectionParams', data: { token, protocolVersion: '1' } })));
  socket.pause();
  for (let id = 1; id <= 20; id += 1) {
    socket.write(textFrame(JSON.stringify({ id, method: 'subscription', params: { path: 'session.events', input: { sessionId } } })));
  }
  return socket;
}

/** RFC 6455 section 5.2: a final text frame, masked with zeros. */
function textFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const length =
    payload.length < 126
      ? Buffer.from([0x81, 0x80 | payload.length])
      : Buffer.from([0x81, 0xfe, payload.length >> 8, payload.length & 0xff]);
  return Buffer.concat([length, Buffer.alloc(4), payload]);
}

async function metric(engine: RunningEngine, name: string): Promise<number> {
  const text = await (await fetch(`${engine.url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1]);
}

const residentBytes = (engine: RunningEngine): Promise<number> => metric(engine, 'process_resident_memory_bytes');

describe('a client that stops reading', () => {
  let engine: RunningEngine;
  beforeAll(async () => {
    engine = await startEngine({ RATE_MESSAGES: '100000', RATE_PER_TOKEN: '100000' });
  });
  afterAll(async () => {
    await engine[Symbol.asyncDispose]();
  });

  test('costs bounded memory, disturbs nobody, is cut, and finds everything when it comes back (invariant 18)', async () => {
    const client = createTutorClient({ url: engine.url, apiKey: engine.apiKey });
    const { session, grant } = await client.sessions.create({ tutorId: 'ada', studentId: 'stalled' });
    const student = wire(engine.url, grant.token);
    // A long history, so that there is more to send than any buffer between the two takes.
    const filler = 'tell me about light and water and the sky '.repeat(90);
    await using reader = await joinLesson(client, { studentId: 'lively' });
    const watched = await openWire(engine.url, grant.token);
    watched.call('subscription', 'session.events', { sessionId: session.id });
    for (let turn = 0; turn < 30; turn += 1) {
      const sent = await student.mutate('chat.send', {
        sessionId: session.id,
        clientMessageId: crypto.randomUUID(),
        text: `${turn} ${filler}`.slice(0, 3_900),
      });
      expect(sent.ok).toBe(true);
    }
    const before = await residentBytes(engine);
    const stalled: net.Socket[] = [];
    for (let i = 0; i < 10; i += 1) stalled.push(await stalledReader(engine, grant.token, session.id));
    const text = await reader.session.chat.send('Why is the sky blue?').text();
    expect(text).toContain('blue');
    expect((await residentBytes(engine)) - before).toBeLessThan(150e6);
    // The engine hangs up on those that read nothing for 15 s; the two that read stay.
    const deadline = Date.now() + 45_000;
    while ((await metric(engine, 'tutor_sockets_open')) > 2 && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await metric(engine, 'tutor_sockets_open')).toBe(2);
    for (const socket of stalled) socket.on('error', () => undefined).destroy();
    const back = await openWire(engine.url, grant.token);
    const id = back.call('subscription', 'session.events', { sessionId: session.id });
    const isCaughtUp = (data: unknown) => JSON.stringify(data ?? '').includes('"caughtUp"');
    await back.until((frame) => frame.id === id && isCaughtUp(frame.result?.data));
    const messages = back.frames.filter((frame) => JSON.stringify(frame.result?.data ?? '').includes('"type":"message"'));
    expect(messages).toHaveLength(30);
    for (const open of [watched, back]) open.socket.close();
  }, 90_000);
});
