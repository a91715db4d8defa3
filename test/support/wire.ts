import { WireError } from '@virtual-tutor/schemas';
import { z } from 'zod';

const Answer = z.union([
  z.object({ result: z.object({ data: z.unknown() }) }),
  z.object({ error: z.object({ data: z.object({ tutor: WireError }) }) }),
]);

export type Outcome = { readonly ok: true; readonly data: unknown } | { readonly ok: false; readonly error: WireError };

function outcomeOf(body: unknown): Outcome {
  const answer = Answer.parse(body);
  return 'result' in answer ? { ok: true, data: answer.result.data } : { ok: false, error: answer.error.data.tutor };
}

/** Calls over plain HTTP, the way any program could: nothing of the SDK stands in between. */
export function wire(url: string, credential: string | null) {
  const headers = credential === null ? {} : { authorization: `Bearer ${credential}` };
  return {
    async mutate(path: string, input?: unknown, more: Readonly<Record<string, string>> = {}): Promise<Outcome> {
      const body = typeof input === 'string' ? input : JSON.stringify(input);
      const response = await fetch(`${url}/trpc/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers, ...more },
        ...(body === undefined ? {} : { body }),
      });
      return outcomeOf(await response.json());
    },
    async query(path: string, input?: unknown): Promise<Outcome> {
      const search = input === undefined ? '' : `?input=${encodeURIComponent(JSON.stringify(input))}`;
      const response = await fetch(`${url}/trpc/${path}${search}`, { headers });
      return outcomeOf(await response.json());
    },
  };
}

const Frame = z.object({
  id: z.number().nullable().optional(),
  result: z.object({ type: z.string(), data: z.unknown().optional() }).optional(),
  error: z.object({ data: z.object({ tutor: WireError }) }).optional(),
});
export type Frame = z.infer<typeof Frame>;

/** A raw tRPC socket. */
export async function openWire(url: string, token: string | null, protocolVersion = '1') {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/trpc?connectionParams=1`);
  const frames: Frame[] = [];
  const waiting: { readonly match: (frame: Frame) => boolean; readonly resolve: (frame: Frame) => void }[] = [];
  const closed = new Promise<{ readonly code: number; readonly reason: string }>((resolve) => {
    socket.addEventListener('close', ({ code, reason }) => resolve({ code, reason }));
  });
  socket.addEventListener('message', ({ data }) => {
    if (data === 'PING') socket.send('PONG');
    if (typeof data !== 'string' || !data.startsWith('{')) return;
    const frame = Frame.parse(JSON.parse(data));
    frames.push(frame);
    for (const one of waiting) if (one.match(frame)) one.resolve(frame);
  });
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve());
    socket.addEventListener('error', () => reject(new Error('the socket did not open')));
  });
  socket.send(JSON.stringify({ method: 'connectionParams', data: token === null ? { protocolVersion } : { token, protocolVersion } }));
  let nextId = 1;
  const until = (match: (frame: Frame) => boolean): Promise<Frame> => {
    const known = frames.find(match);
    return known === undefined ? new Promise((resolve) => waiting.push({ match, resolve })) : Promise.resolve(known);
  };
  return {
    socket,
    frames,
    closed,
    until,
    /** Sends a call; its answer comes as a frame of that id. */
    call(method: 'query' | 'mutation' | 'subscription', path: string, input: unknown): number {
      const id = nextId++;
      socket.send(JSON.stringify({ id, method, params: { path, input } }));
      return id;
    },
    async answer(id: number): Promise<Outcome> {
      const frame = await until((one) => one.id === id && (one.error !== undefined || one.result?.type !== 'started'));
      if (frame.error !== undefined) return { ok: false, error: frame.error.data.tutor };
      return { ok: true, data: frame.result?.data };
    },
  };
}
