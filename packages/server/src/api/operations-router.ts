import { api } from '@virtual-tutor/schemas';
import { repeatable } from './command-context.ts';
import { failWith, orFail } from './failure.ts';
import { asLocal, asPublic, asRole, router } from './trpc.ts';

const asOperator = asRole('operator');

/** What the bundled page needs to sign in. */
export const consoleRouter = router({
  signIn: asLocal.output(api.console.signIn.output).mutation(({ ctx }) => ctx.app.signInConsole()),
  whoami: asRole('operator', 'teacher', 'auditor')
    .output(api.console.whoami.output)
    .query(({ ctx }) => ({ tenantId: ctx.caller.tenantId, roles: [...ctx.caller.roles] })),
});

export const keysRouter = router({
  create: asOperator
    .input(api.keys.create.input)
    .output(api.keys.create.output)
    .mutation(async ({ ctx, input }) =>
      orFail(await ctx.app.access.issue(input, repeatable(ctx.command, 'keys.create', input.idempotencyKey))),
    ),
  list: asOperator.output(api.keys.list.output).query(({ ctx }) => ctx.app.access.list(ctx.caller.tenantId)),
  revoke: asOperator
    .input(api.keys.revoke.input)
    .output(api.keys.revoke.output)
    .mutation(async ({ ctx, input }) =>
      orFail(await ctx.app.access.revoke(input.keyId, repeatable(ctx.command, 'keys.revoke', input.idempotencyKey))),
    ),
});

export const privacyRouter = router({
  retention: asOperator.output(api.privacy.retention.output).query(({ ctx }) => ctx.app.privacy.retention(ctx.caller.tenantId)),
  configureRetention: asOperator
    .input(api.privacy.configureRetention.input)
    .output(api.privacy.configureRetention.output)
    .mutation(async ({ ctx, input }) => {
      const context = repeatable(ctx.command, 'privacy.configureRetention', input.idempotencyKey);
      return orFail(await ctx.app.privacy.configureRetention(input.wordsDays, context));
    }),
  exportStudent: asOperator
    .input(api.privacy.exportStudent.input)
    .output(api.privacy.exportStudent.output)
    .mutation(async ({ ctx, input }) =>
      orFail(await ctx.app.studentExport.page(input, repeatable(ctx.command, 'privacy.exportStudent', input.idempotencyKey))),
    ),
  forgetStudent: asOperator
    .input(api.privacy.forgetStudent.input)
    .output(api.privacy.forgetStudent.output)
    .mutation(async ({ ctx, input }) =>
      orFail(await ctx.app.privacy.forget(input.studentId, repeatable(ctx.command, 'privacy.forgetStudent', input.idempotencyKey))),
    ),
});

export const projectionsRouter = router({
  list: asOperator.output(api.projections.list.output).query(async ({ ctx }) => [...(await ctx.app.projections.list())]),
  rebuild: asOperator
    .input(api.projections.rebuild.input)
    .output(api.projections.rebuild.output)
    .mutation(async ({ ctx, input }) => {
      const started = await ctx.app.projections.rebuild(input.name);
      if (started === null) throw failWith('not_found', 'there is no such projection: list them first');
      return started;
    }),
});

export const health = asPublic.output(api.health.output).query(({ ctx }) => ctx.app.health());
