import { type AvatarId, streams, type TenantId, type Tutor, type TutorId, type TutorSettings } from '@virtual-tutor/schemas';
import type { Refusal } from '../domain/decision.ts';
import type { TutorCommand } from '../domain/tutor.ts';
import { knowledgeBases, tutors } from './aggregates.ts';
import type { CommandContext, Handle } from './handle.ts';
import type { Outcome } from './lessons.ts';
import type { Page, PageRequest, Projections, ReadModel } from './read-model.ts';

export interface TutorsOptions {
  readonly handle: Handle;
  readonly readModel: Pick<ReadModel, 'tutor' | 'tutors'>;
  readonly projections: Pick<Projections, 'waitFor'>;
  /** Records that the tutor is given this filmed face, or says why it cannot be. */
  readonly giveFace: (tutorId: TutorId, avatarId: AvatarId, context: CommandContext) => Promise<Refusal | null>;
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
    const { state } = await this.#options.handle.load(tutors, streams.tutor(context.tenantId, tutorId), { tenantId: context.tenantId });
    const worn = state.status === 'absent' ? null : state.settings.avatarId;
    // A face that was withdrawn since must not stand in the way of other changes: it is not seen anyway.
    if (settings.avatarId !== null && settings.avatarId !== worn) {
      const refused = await this.#options.giveFace(tutorId, settings.avatarId, context);
      if (refused !== null) return { refused };
    }
    return this.#command(tutorId, { type: 'ConfigureTutor', settings }, context);
  }

  /** Gives the tutor this filmed face, unless it is gone or was given another one. */
  async wear(tutorId: TutorId, avatarId: AvatarId, context: CommandContext): Promise<void> {
    const { state } = await this.#options.handle.load(tutors, streams.tutor(context.tenantId, tutorId), { tenantId: context.tenantId });
    if (state.status === 'active' && state.settings.avatarId === null)
      await this.configure(tutorId, { ...state.settings, avatarId }, context);
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
