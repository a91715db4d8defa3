import { tracked } from '@trpc/server';
import { api } from '@virtual-tutor/schemas';
import { failWith } from './failure.ts';
import { asRole, router } from './trpc.ts';

const asAuditor = asRole('auditor');
const noSession = () => failWith('not_found', 'there is no such session');

/** Reading the log. */
export const auditRouter = router({
  sessions: asAuditor
    .input(api.audit.sessions.input)
    .output(api.audit.sessions.output)
    .query(({ ctx, input }) => ctx.app.sessions.page(ctx.caller.tenantId, input)),
  events: asAuditor
    .input(api.audit.events.input)
    .output(api.audit.events.output)
    .query(async ({ ctx, input }) => {
      const page = await ctx.app.audit.events(ctx.caller.tenantId, input);
      if (page === null) throw noSession();
      return page;
    }),
  state: asAuditor
    .input(api.audit.state.input)
    .output(api.audit.state.output)
    .query(async ({ ctx, input }) => {
      const state = await ctx.app.audit.state(ctx.caller.tenantId, input);
      if (state === null) throw noSession();
      return state;
    }),
  verify: asAuditor
    .input(api.audit.verify.input)
    .output(api.audit.verify.output)
    .query(async ({ ctx, input }) => {
      const verdict = await ctx.app.audit.verify(ctx.caller.tenantId, input.sessionId);
      if (verdict === null) throw noSession();
      return verdict;
    }),
  tail: asAuditor.input(api.audit.tail.input).subscription(async function* ({ ctx, input, signal }) {
    const place = ctx.connection?.subscribe();
    if (place === null) throw failWith('rate_limited', 'this socket has too many subscriptions: close some first');
    using _place = place;
    const aborted = signal ?? new AbortController().signal;
    for await (const event of ctx.app.audit.tail(ctx.caller.tenantId, Number(input.lastEventId ?? 0), aborted)) {
      await ctx.connection?.drained(aborted);
      yield tracked(String(event.position), event);
    }
  }),
});
