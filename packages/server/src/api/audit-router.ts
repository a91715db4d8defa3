import { tracked } from '@trpc/server';
import { api, streams } from '@virtual-tutor/schemas';
import { failWith } from './failure.ts';
import { asRole, router } from './trpc.ts';

const asAuditor = asRole('auditor');
const asOperator = asRole('operator');
const tooMany = () => failWith('rate_limited', 'this socket has too many subscriptions: close some first');
const noRevision = () => failWith('not_found', 'there is nothing under this id and revision');
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
  appearances: asAuditor
    .input(api.audit.appearances.input)
    .output(api.audit.appearances.output)
    .query(async ({ ctx, input }) => {
      const appearances = await ctx.app.audit.appearances(ctx.caller.tenantId, input.sessionId);
      if (appearances === null) throw noSession();
      return [...appearances];
    }),
  verify: asAuditor
    .input(api.audit.verify.input)
    .output(api.audit.verify.output)
    .query(async ({ ctx, input }) => {
      const verdict = await ctx.app.audit.verify(ctx.caller.tenantId, input.sessionId);
      if (verdict === null) throw noSession();
      return verdict;
    }),
  tutor: asAuditor
    .input(api.audit.tutor.input)
    .output(api.audit.tutor.output)
    .query(async ({ ctx, input }) => {
      const tutor = await ctx.app.materials.tutor(ctx.caller.tenantId, input);
      if (tutor === null) throw noRevision();
      return tutor;
    }),
  course: asAuditor
    .input(api.audit.course.input)
    .output(api.audit.course.output)
    .query(async ({ ctx, input }) => {
      const page = await ctx.app.materials.course(ctx.caller.tenantId, input);
      if (page === null) throw noRevision();
      return { ...page, documents: [...page.documents] };
    }),
  coverage: asAuditor
    .input(api.audit.coverage.input)
    .output(api.audit.coverage.output)
    .query(async ({ ctx, input }) => {
      if ((await ctx.app.sessions.find(ctx.caller.tenantId, input.sessionId)) === null) throw noSession();
      return ctx.app.seals.coverage(streams.session(input.sessionId));
    }),
  seals: asAuditor
    .input(api.audit.seals.input)
    .output(api.audit.seals.output)
    .query(async ({ ctx, input }) => [...(await ctx.app.seals.page(input))]),
  verifyLog: asAuditor.input(api.audit.verifyLog.input).subscription(async function* ({ ctx, input, signal }) {
    const place = ctx.connection?.subscribe();
    if (place === null) throw tooMany();
    using _place = place;
    for await (const said of ctx.app.seals.verify(input.noted)) {
      if (signal?.aborted === true) return;
      yield said;
    }
  }),
  export: asAuditor.input(api.audit.export.input).subscription(async function* ({ ctx, input, signal }) {
    const place = ctx.connection?.subscribe();
    if (place === null) throw tooMany();
    using _place = place;
    const aborted = signal ?? new AbortController().signal;
    const lines = await ctx.app.evidence.lines(ctx.caller.tenantId, input);
    if (lines === null) throw noSession();
    for await (const line of lines) {
      await ctx.connection?.drained(aborted);
      if (aborted.aborted) return;
      yield line;
    }
  }),
  rotateKey: asOperator.output(api.audit.rotateKey.output).mutation(async ({ ctx }) => {
    const rotated = await ctx.app.seals.rotateKey();
    if ('refused' in rotated) throw failWith('unavailable', rotated.refused);
    return rotated;
  }),
  tail: asAuditor.input(api.audit.tail.input).subscription(async function* ({ ctx, input, signal }) {
    const place = ctx.connection?.subscribe();
    if (place === null) throw tooMany();
    using _place = place;
    const aborted = signal ?? new AbortController().signal;
    for await (const event of ctx.app.audit.tail(ctx.caller.tenantId, Number(input.lastEventId ?? 0), aborted)) {
      await ctx.connection?.drained(aborted);
      yield tracked(String(event.position), event);
    }
  }),
});
