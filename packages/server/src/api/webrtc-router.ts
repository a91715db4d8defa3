import { api } from '@virtual-tutor/schemas';
import { failWith, orFail } from './failure.ts';
import { asStudent, router } from './trpc.ts';

/** The student's media connection, which passes through the relay alone. */
export const webrtcRouter = router({
  config: asStudent
    .input(api.webrtc.config.input)
    .output(api.webrtc.config.output)
    .query(async ({ ctx, input }) => orFail(await ctx.app.media.config(ctx.caller.tenantId, input.sessionId))),
  negotiate: asStudent
    .input(api.webrtc.negotiate.input)
    .output(api.webrtc.negotiate.output)
    .mutation(async ({ ctx, input }) => orFail(await ctx.app.media.negotiate(ctx.caller.tenantId, input))),
  addCandidate: asStudent
    .input(api.webrtc.addCandidate.input)
    .output(api.webrtc.addCandidate.output)
    .mutation(async ({ ctx, input }) => orFail(await ctx.app.media.addCandidate(input))),
  signals: asStudent.input(api.webrtc.signals.input).subscription(async function* ({ ctx, input, signal }) {
    const place = ctx.connection?.subscribe();
    if (place === null) throw failWith('rate_limited', 'this socket has too many subscriptions: close some first');
    using _place = place;
    const aborted = signal ?? new AbortController().signal;
    for await (const item of ctx.app.media.signals(input.sessionId, aborted)) {
      await ctx.connection?.drained(aborted);
      yield item;
    }
  }),
});
