import { api } from '@virtual-tutor/schemas';
import { turnIdOf } from '../app/ids.ts';
import { failure } from './failure.ts';
import { asStudent, router } from './trpc.ts';

/** What a student says and how she stops the tutor. The answers come through `session.events`. */
export const chatRouter = router({
  send: asStudent
    .input(api.chat.send.input)
    .output(api.chat.send.output)
    .mutation(async ({ ctx, input }) => {
      const { sessionId, clientMessageId, text } = input;
      const handled = await ctx.app.lessons.receive(sessionId, { clientMessageId, text, spoken: null }, ctx.command);
      if (handled.status === 'refused') throw failure(handled.refusal);
      return { turnId: turnIdOf(sessionId, clientMessageId), revision: handled.revision };
    }),
  interrupt: asStudent
    .input(api.chat.interrupt.input)
    .output(api.chat.interrupt.output)
    .mutation(async ({ ctx, input }) => {
      const outcome = await ctx.app.lessons.interrupt(input.sessionId, { turnId: input.turnId ?? null, by: 'student' }, ctx.command);
      if ('refused' in outcome) throw failure(outcome.refused);
      return outcome;
    }),
});
