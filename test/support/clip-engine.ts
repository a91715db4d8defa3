import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { z } from 'zod';

/** What becomes of the next piece: the connection is cut after so many bytes of it were kept, or when all were and before the answer. */
export type PieceFault = { readonly keepBytes: number } | 'cutBeforeAnswer' | { readonly refuse: object };

interface Call {
  readonly path: string;
  /** Parsed JSON; null for bytes. */
  readonly input: Readonly<Record<string, unknown>> | null;
  readonly headers: IncomingMessage['headers'];
  readonly url: string;
}

const Begin = z.object({ uploadId: z.string(), bytes: z.number() });

/** As much of an engine as an upload needs to see: it keeps bytes, and fails as told. Speaks the wire by hand. */
export async function startClipEngine({ maxChunkBytes }: { readonly maxChunkBytes: number }) {
  const uploads = new Map<string, Buffer>();
  const calls: Call[] = [];
  const pieceBytes: number[] = [];
  const faults: PieceFault[] = [];
  /** Answers of other procedures, in their place. */
  const refusals = new Map<string, object>();

  async function takePiece(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const id = String(request.headers['x-vt-upload-id']);
    const offset = Number(request.headers['x-vt-upload-offset']);
    const fault = faults.shift();
    const had = uploads.get(id) ?? Buffer.alloc(0);
    if (typeof fault === 'object' && 'refuse' in fault) return refuse(response, fault.refuse);
    if (offset !== had.length) return refuse(response, { code: 'conflict', message: `go on at byte ${had.length}`, retryable: true });
    const piece = await bodyOf(request);
    pieceBytes.push(piece.length);
    const kept = typeof fault === 'object' ? piece.subarray(0, fault.keepBytes) : piece;
    uploads.set(id, Buffer.concat([had, kept]));
    if (fault === undefined) answer(response, { offset: had.length + piece.length });
    else request.socket.destroy();
  }

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://engine');
    const path = pathname.replace('/trpc/avatars.', '');
    const isPiece = request.headers['content-type'] === 'application/octet-stream';
    const input = isPiece ? null : z.record(z.string(), z.unknown()).parse(JSON.parse((await bodyOf(request)).toString() || '{}'));
    calls.push({ path, input, headers: request.headers, url: request.url ?? '' });
    const refusal = refusals.get(path);
    if (refusal !== undefined) return refuse(response, refusal);
    switch (path) {
      case 'beginUpload': {
        const { uploadId } = Begin.parse(input);
        if (!uploads.has(uploadId)) uploads.set(uploadId, Buffer.alloc(0));
        return answer(response, { uploadId, offset: uploads.get(uploadId)?.length, maxChunkBytes });
      }
      case 'upload':
        return takePiece(request, response);
      case 'abandonUpload':
        uploads.delete(String(input?.['uploadId']));
        return answer(response, {});
      default:
        return answer(response, { id: 'avatar-1', status: 'queued' });
    }
  }

  const server = createServer((request, response) => void respond(request, response).catch(() => response.destroy()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    uploads,
    calls,
    pieceBytes,
    faults,
    refusals,
    inputOf: (path: string) => calls.findLast((call) => call.path === path)?.input,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

function answer(response: ServerResponse, data: object): void {
  response.setHeader('content-type', 'application/json').end(JSON.stringify({ result: { data } }));
}

function refuse(response: ServerResponse, tutor: object): void {
  const data = { code: 'X', httpStatus: 400, tutor: { requestId: 'r', ...tutor } };
  response
    .writeHead(400, { 'content-type': 'application/json' })
    .end(JSON.stringify({ error: { code: -32000, message: 'refused', data } }));
}
