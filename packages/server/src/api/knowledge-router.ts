import { api } from '@virtual-tutor/schemas';
import { repeatable } from './command-context.ts';
import { failWith, orFail } from './failure.ts';
import { asRole, router } from './trpc.ts';

const asTeacher = asRole('operator', 'teacher');

export const knowledgeRouter = router({
  create: asTeacher
    .input(api.knowledge.create.input)
    .output(api.knowledge.create.output)
    .mutation(async ({ ctx, input }) =>
      orFail(
        await ctx.app.knowledge.create(
          input.knowledgeBaseId,
          input.name,
          repeatable(ctx.command, 'knowledge.create', input.idempotencyKey),
        ),
      ),
    ),
  get: asTeacher
    .input(api.knowledge.get.input)
    .output(api.knowledge.get.output)
    .query(async ({ ctx, input }) => {
      const base = await ctx.app.knowledge.find(ctx.caller.tenantId, input.knowledgeBaseId);
      if (base === null) throw failWith('not_found', 'there is no such knowledge base');
      return base;
    }),
  list: asTeacher
    .input(api.knowledge.list.input)
    .output(api.knowledge.list.output)
    .query(({ ctx, input }) => ctx.app.knowledge.page(ctx.caller.tenantId, input)),
  addDocument: asTeacher
    .input(api.knowledge.addDocument.input)
    .output(api.knowledge.addDocument.output)
    .mutation(async ({ ctx, input }) =>
      orFail(await ctx.app.knowledge.addDocument(input, repeatable(ctx.command, 'knowledge.addDocument', input.idempotencyKey))),
    ),
  documents: asTeacher
    .input(api.knowledge.documents.input)
    .output(api.knowledge.documents.output)
    .query(async ({ ctx, input }) => orFail(await ctx.app.knowledge.documents(ctx.caller.tenantId, input.knowledgeBaseId, input))),
  removeDocument: asTeacher
    .input(api.knowledge.removeDocument.input)
    .output(api.knowledge.removeDocument.output)
    .mutation(async ({ ctx, input }) => {
      const context = repeatable(ctx.command, 'knowledge.removeDocument', input.idempotencyKey);
      return orFail(await ctx.app.knowledge.removeDocument(input.knowledgeBaseId, input.documentId, context));
    }),
});
