import { api } from '@virtual-tutor/schemas';
import { repeatable } from './command-context.ts';
import { failWith, orFail } from './failure.ts';
import { asRole, router } from './trpc.ts';

const asTeacher = asRole('operator', 'teacher');

export const tutorsRouter = router({
  configure: asTeacher
    .input(api.tutors.configure.input)
    .output(api.tutors.configure.output)
    .mutation(async ({ ctx, input }) =>
      orFail(
        await ctx.app.tutors.configure(input.tutorId, input.settings, repeatable(ctx.command, 'tutors.configure', input.idempotencyKey)),
      ),
    ),
  get: asTeacher
    .input(api.tutors.get.input)
    .output(api.tutors.get.output)
    .query(async ({ ctx, input }) => {
      const tutor = await ctx.app.tutors.find(ctx.caller.tenantId, input.tutorId);
      if (tutor === null) throw failWith('not_found', 'there is no such tutor');
      return tutor;
    }),
  list: asTeacher
    .input(api.tutors.list.input)
    .output(api.tutors.list.output)
    .query(({ ctx, input }) => ctx.app.tutors.page(ctx.caller.tenantId, input)),
  retire: asTeacher
    .input(api.tutors.retire.input)
    .output(api.tutors.retire.output)
    .mutation(async ({ ctx, input }) =>
      orFail(await ctx.app.tutors.retire(input.tutorId, repeatable(ctx.command, 'tutors.retire', input.idempotencyKey))),
    ),
});
