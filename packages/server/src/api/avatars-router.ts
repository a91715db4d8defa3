import { octetInputParser } from '@trpc/server/http';
import { api, maxChunkBytes } from '@virtual-tutor/schemas';
import { z } from 'zod';
import { repeatable } from './command-context.ts';
import { failWith, orFail } from './failure.ts';
import { asRole, router } from './trpc.ts';

const asTeacher = asRole('operator', 'teacher');
const { avatars } = api;

/** What a chunk is of: the body is its bytes alone. */
const ChunkHeaders = z.object({ uploadId: z.uuidv7(), offset: z.coerce.number().int().nonnegative() });

const mimes: Readonly<Record<string, string>> = { jpg: 'image/jpeg', webm: 'video/webm', json: 'application/json' };

/** What arrived, as it arrives. A connection that is cut ends it with an error at once: the stream itself would wait for ever. */
async function* piecesOf(body: ReadableStream<Uint8Array>, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void, undefined> {
  const cut = Promise.withResolvers<never>();
  cut.promise.catch(() => undefined);
  const onCut = () => cut.reject(new Error('the connection was cut'));
  if (signal?.aborted === true) onCut();
  signal?.addEventListener('abort', onCut, { once: true });
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), cut.promise]);
      if (done) return;
      yield value;
    }
  } finally {
    signal?.removeEventListener('abort', onCut);
  }
}

export const avatarsRouter = router({
  beginUpload: asTeacher
    .input(avatars.beginUpload.input)
    .output(avatars.beginUpload.output)
    .mutation(async ({ ctx, input }) => {
      const { offset } = orFail(await ctx.app.avatars.beginUpload(ctx.caller.tenantId, input));
      return { uploadId: input.uploadId, offset, maxChunkBytes };
    }),
  upload: asTeacher
    .input(octetInputParser)
    .output(avatars.upload.output)
    .mutation(async ({ ctx, input, signal }) => {
      const headers = ChunkHeaders.safeParse({ uploadId: ctx.header('x-vt-upload-id'), offset: ctx.header('x-vt-upload-offset') });
      if (!headers.success) throw failWith('invalid_input', 'say which upload these bytes are of: x-vt-upload-id and x-vt-upload-offset');
      return orFail(await ctx.app.avatars.append(ctx.caller.tenantId, { ...headers.data, bytes: piecesOf(input, signal) }));
    }),
  abandonUpload: asTeacher
    .input(avatars.abandonUpload.input)
    .output(avatars.abandonUpload.output)
    .mutation(async ({ ctx, input }) => {
      await ctx.app.avatars.abandonUpload(ctx.caller.tenantId, input.uploadId);
      return {};
    }),
  create: asTeacher
    .input(avatars.create.input)
    .output(avatars.create.output)
    .mutation(async ({ ctx, input }) =>
      orFail(await ctx.app.avatars.create(input, repeatable(ctx.command, 'avatars.create', input.idempotencyKey))),
    ),
  get: asTeacher
    .input(avatars.get.input)
    .output(avatars.get.output)
    .query(async ({ ctx, input }) => orFail(await ctx.app.avatars.find(ctx.caller.tenantId, input.avatarId))),
  list: asTeacher
    .input(avatars.list.input)
    .output(avatars.list.output)
    .query(({ ctx, input }) => ctx.app.avatars.page(ctx.caller.tenantId, input)),
  watch: asTeacher.input(avatars.watch.input).subscription(async function* ({ ctx, input, signal }) {
    const { tenantId } = ctx.caller;
    const place = ctx.connection?.subscribe();
    if (place === null) throw failWith('rate_limited', 'this socket has too many subscriptions: close some first');
    using _place = place;
    const aborted = signal ?? new AbortController().signal;
    orFail(await ctx.app.avatars.find(tenantId, input.avatarId));
    for await (const avatar of ctx.app.avatars.watch(tenantId, input.avatarId, aborted)) {
      await ctx.connection?.drained(aborted);
      yield avatar;
    }
  }),
  file: asTeacher
    .input(avatars.file.input)
    .output(avatars.file.output)
    .query(async ({ ctx, input }) => {
      const { bytes } = orFail(await ctx.app.avatars.file(ctx.caller.tenantId, input));
      const mime = mimes[input.name.slice(input.name.lastIndexOf('.') + 1)] ?? 'application/octet-stream';
      return { mime, base64: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64') };
    }),
  revoke: asTeacher
    .input(avatars.revoke.input)
    .output(avatars.revoke.output)
    .mutation(async ({ ctx, input }) => {
      const context = repeatable(ctx.command, 'avatars.revoke', input.idempotencyKey);
      return orFail(await ctx.app.avatars.revoke(input.avatarId, input.reason, context));
    }),
  remove: asTeacher
    .input(avatars.remove.input)
    .output(avatars.remove.output)
    .mutation(async ({ ctx, input }) =>
      orFail(await ctx.app.avatars.remove(input.avatarId, repeatable(ctx.command, 'avatars.remove', input.idempotencyKey))),
    ),
});
