import { KnowledgeBaseId, TutorId, TutorSettings } from '@virtual-tutor/schemas';
import { z } from 'zod';
import { defaultTenant } from './access.ts';
import type { App } from './app.ts';
import type { CommandContext } from './handle.ts';
import type { Outcome } from './lessons.ts';

/** The bundled course: `course/demo-tutors.json`, its documents' texts read. */
export const Course = z.object({
  knowledgeBases: z.array(
    z.object({ id: KnowledgeBaseId, name: z.string(), documents: z.array(z.object({ title: z.string(), file: z.string() })) }),
  ),
  tutors: z.array(TutorSettings.omit({ llmModel: true, temperature: true }).extend({ id: TutorId, knowledgeBaseId: KnowledgeBaseId })),
});
export type Course = z.infer<typeof Course>;

export interface FirstStart {
  /** The operator's first API key: the only time it is seen. */
  readonly apiKey: string;
}

/**
 * Makes the default school, the demo course, and last the first key; null when there is a key
 * already. Cut short, the next start does it again: every step is safe to repeat.
 */
export async function firstStart(
  app: App,
  {
    node,
    course,
    readDocument,
  }: { readonly node: string; readonly course: Course; readonly readDocument: (file: string) => Promise<string> },
): Promise<FirstStart | null> {
  const context: CommandContext = { tenantId: defaultTenant, actor: { kind: 'system', id: node } };
  if ((await app.access.list(defaultTenant)).length > 0) return null;
  must(await app.access.createTenant('Default school', context));
  for (const { id, name, documents } of course.knowledgeBases) {
    must(await app.knowledge.create(id, name, context));
    for (const { title, file } of documents) {
      const document = { knowledgeBaseId: id, title, mime: 'text/markdown', text: await readDocument(file), idempotencyKey: file } as const;
      must(await app.knowledge.addDocument(document, context));
    }
  }
  for (const { id, ...settings } of course.tutors) {
    must(await app.tutors.configure(id, { ...settings, llmModel: null, temperature: null }, context));
  }
  return { apiKey: must(await app.access.issue({ role: 'operator', label: 'first start' }, context)).key };
}

function must<T extends object>(outcome: Outcome<T>): T {
  if ('refused' in outcome) throw new Error(`the first start was refused: ${outcome.refused.message}`);
  return outcome;
}
