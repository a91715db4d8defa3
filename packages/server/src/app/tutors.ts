import { streams, type TenantId, type Tutor, type TutorId, type TutorSettings } from '@virtual-tutor/schemas';
import type { Refusal } from '../domain/decision.ts';
import type { TutorCommand } from '../domain/tutor.ts';
import { knowledgeBases, tutors } from './aggregates.ts';
import type { CommandContext, Handle } from './handle.ts';
import type { Outcome } from './lessons.ts';
import type { Page, PageRequest, Projections, ReadModel } from './read-model.ts';

export interface TutorsOptions {
  readonly handle: Handle;
  readonly readModel: ReadModel;
  readonly projections: Projections;
}

const notThere: Refusal = { code: 'not_found', message: 'there is no such tutor' };

export class Tutors {
  readonly #options: TutorsOptions;

  constructor(options: TutorsOptions) {
    this.#options = options;
  }

  find(tenantId: TenantId, tutorId: TutorId): Promise<Tutor | null> {
    return this.#options.readModel.tutor(tenantId, tutorId);
  }

  page(tenantId: TenantId, request: PageRequest): Promise<Page<Tutor>> {
    return this.#options.readModel.tutors(tenantId, request);
  }

  async configure(tutorId: TutorId, settings: TutorSettings, context: CommandContext): Promise<Outcome<Tutor>> {
    const { knowledgeBaseId } = settings;
    if (knowledgeBaseId !== null) {
      const { tenantId } = context;
      const base = await this.#options.handle.load(knowledgeBases, streams.knowledge(tenantId, knowledgeBaseId), { tenantId });
      if (base.revision === 0) return { refused: { code: 'not_found', message: 'there is no such knowledge base: create it first' } };
    }
    return this.#command(tutorId, { type: 'ConfigureTutor', settings }, context);
  }

  retire(tutorId: TutorId, context: CommandContext): Promise<Outcome<Tutor>> {
    return this.#command(tutorId, { type: 'RetireTutor' }, context);
  }

  async #command(tutorId: TutorId, command: TutorCommand, context: CommandContext): Promise<Outcome<Tutor>> {
    const stream = streams.tutor(context.tenantId, tutorId);
    const handled = await this.#options.handle.handle({ aggregate: tutors, stream, commands: () => [command], context });
    if (handled.status === 'refused') return { refused: handled.refusal };
    if (handled.position !== null) await this.#options.projections.waitFor(handled.position);
    return (await this.find(context.tenantId, tutorId)) ?? { refused: notThere };
  }
}
