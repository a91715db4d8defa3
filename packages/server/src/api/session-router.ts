import { tracked } from '@trpc/server';
import { api, closeCodes, type FeedItem, parseFeedId } from '@virtual-tutor/schemas';
import { ResumeExpired } from '../app/lesson-feed.ts';
import { MediaRefused } from '../app/media-refusals.ts';
import { failure, failWith, orFail } from './failure.ts';
import { asStudent, router } from './trpc.ts';

/** The data plane of one session: its feed, and fresh tokens. */
export const sessionRouter = router({
  events: asStudent.input(api.session.events.input).subscription(async function* ({ ctx, input, signal }) {
    const place = ctx.connection?.subscribe();
    if (place === null) throw failWith('rate_limited', 'this socket has too many subscriptions: close some first');
    using _place = place;
    const cursor = input.lastEventId == null ? { revision: 0, delta: 0 } : parseFeedId(input.lastEventId);
    if (cursor === null) throw failWith('invalid_input', 'lastEventId is not a feed id');
    using held = ctx.app.feeds.hold(input.sessionId);
    const aborted = signal ?? new AbortController().signal;
    let last: FeedItem['type'] | null = null;
    try {
      for await (const { id, item } of held.feed.read(cursor, aborted)) {
        await ctx.connection?.drained(aborted);
        last = item.type;
        yield tracked(id, item);
      }
    } catch (error) {
      throw error instanceof ResumeExpired ? failure(error.refusal) : error;
    }
    // A token of one session has nothing left to do here.
    if (last === 'sessionEnded' && ctx.caller.scope === 'session') ctx.connection?.close(closeCodes.sessionEnded, 'the session has ended');
  }),
  media: asStudent.input(api.session.media.input).subscription(async function* ({ ctx, input, signal }) {
    const place = ctx.connection?.subscribe();
    if (place === null) throw failWith('rate_limited', 'this socket has too many subscriptions: close some first');
    using _place = place;
    const aborted = signal ?? new AbortController().signal;
    try {
      for await (const chunk of ctx.app.media.media(ctx.caller.tenantId, input.sessionId, aborted)) {
        await ctx.connection?.drained(aborted);
        yield chunk;
      }
    } catch (error) {
      throw error instanceof MediaRefused ? failure(error.refusal) : error;
    }
  }),
  renewToken: asStudent
    .input(api.session.renewToken.input)
    .output(api.session.renewToken.output)
    .mutation(async ({ ctx, input }) => orFail(await ctx.app.sessions.renew(ctx.caller, input.sessionId))),
});
