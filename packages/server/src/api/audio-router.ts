import { api, maxAudioBytes } from '@virtual-tutor/schemas';
import { failWith, orFail } from './failure.ts';
import { asStudent, router } from './trpc.ts';

/** The microphone of a client without a media connection. */
export const audioRouter = router({
  append: asStudent
    .input(api.audio.append.input)
    .output(api.audio.append.output)
    .mutation(async ({ ctx, input }) => {
      const pcm = Buffer.from(input.pcm, 'base64');
      if (pcm.length === 0 || pcm.length % 2 !== 0) throw failWith('invalid_input', 'pcm: send whole 16-bit samples, in base64');
      if (pcm.length > maxAudioBytes) throw failWith('invalid_input', `pcm: at most ${maxAudioBytes} bytes in one call`);
      return orFail(await ctx.app.media.appendAudio(ctx.caller.tenantId, input.sessionId, new Uint8Array(pcm)));
    }),
  commit: asStudent
    .input(api.audio.commit.input)
    .output(api.audio.commit.output)
    .mutation(({ ctx, input }) => {
      ctx.app.media.commitAudio(input.sessionId);
      return {};
    }),
});
