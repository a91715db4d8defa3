import { api } from '@virtual-tutor/schemas';
import { repeatable } from './command-context.ts';
import { failWith, orFail } from './failure.ts';
import { asPublic, asRole, asStudentOrRole, router } from './trpc.ts';

const asOperator = asRole('operator');
const asStaff = asRole('operator', 'teacher', 'auditor');

/** Sessions from the web server's side. */
export const sessionsRouter = router({
  create: asOperator
    .input(api.sessions.create.input)
    .output(api.sessions.create.output)
    .mutation(async ({ ctx, input }) => orFail(await ctx.app.sessions.create(input, ctx.command))),
  get: asStaff
    .input(api.sessions.get.input)
    .output(api.sessions.get.output)
    .query(async ({ ctx, input }) => {
      const session = await ctx.app.sessions.find(ctx.caller.tenantId, input.sessionId);
      if (session === null) throw failWith('not_found', 'there is no such session');
      return session;
    }),
  list: asStaff
    .input(api.sessions.list.input)
    .output(api.sessions.list.output)
    .query(({ ctx, input }) => ctx.app.sessions.page(ctx.caller.tenantId, input)),
  end: asStudentOrRole('operator')
    .input(api.sessions.end.input)
    .output(api.sessions.end.output)
    .mutation(async ({ ctx, input }) => {
      const reason = ctx.caller.kind === 'student' ? 'student' : 'operator';
      return orFail(await ctx.app.sessions.end(input.sessionId, reason, repeatable(ctx.command, 'sessions.end', input.idempotencyKey)));
    }),
  issueToken: asOperator
    .input(api.sessions.issueToken.input)
    .output(api.sessions.issueToken.output)
    .mutation(async ({ ctx, input }) => orFail(await ctx.app.sessions.issueToken(ctx.caller.tenantId, input.sessionId))),
  invite: asRole('operator', 'teacher')
    .input(api.sessions.invite.input)
    .output(api.sessions.invite.output)
    .mutation(async ({ ctx, input }) =>
      orFail(await ctx.app.sessions.invite(input, repeatable(ctx.command, 'sessions.invite', input.idempotencyKey))),
    ),
  join: asPublic
    .input(api.sessions.join.input)
    .output(api.sessions.join.output)
    .mutation(async ({ ctx, input }) => orFail(await ctx.app.sessions.join(input.code))),
  transcript: asStaff
    .input(api.sessions.transcript.input)
    .output(api.sessions.transcript.output)
    .query(async ({ ctx, input }) => orFail(await ctx.app.sessions.transcript(ctx.caller.tenantId, input.sessionId, input))),
});
