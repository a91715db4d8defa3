import {
  type AvatarEvent,
  catalogue,
  categoryOf,
  type EventCatalogue,
  type EventDefinition,
  type KnowledgeEvent,
  type NewAvatarEvent,
  type NewKnowledgeEvent,
  type NewSessionEvent,
  type NewTenantEvent,
  type NewTutorEvent,
  type SessionEvent,
  type StreamName,
  type TenantEvent,
  type TutorEvent,
  upcast,
} from '@virtual-tutor/schemas';
import type { KeyVault, StoredEvent, StoredEventDraft, Subject } from './ports.ts';

export type DomainEvent = SessionEvent | AvatarEvent | TutorEvent | KnowledgeEvent | TenantEvent;
export type NewDomainEvent = NewSessionEvent | NewAvatarEvent | NewTutorEvent | NewKnowledgeEvent | NewTenantEvent;

type Clear<E> = E extends { readonly type: infer T; readonly payload: infer P } ? { readonly type: T; readonly payload: P } : never;

/** A stored event with its payload parsed; the personal part stays sealed. Projections and policies need no more. */
export type ClearEvent = Clear<DomainEvent> & { readonly stored: StoredEvent };

/** A stored event with its personal part opened. */
export type OpenEvent<E extends DomainEvent = DomainEvent> = E & { readonly stored: StoredEvent };

/** The log holds an event that this version does not know: it was written by a newer engine. */
export class UnknownEvent extends Error {
  override readonly name = 'UnknownEvent';
  constructor(stored: Pick<StoredEvent, 'type' | 'schemaVersion' | 'position'>) {
    super(`event ${stored.position} is a ${stored.type} v${stored.schemaVersion}, which this engine does not know: upgrade the engine`);
  }
}

function definitionOf(stream: StreamName, type: string): EventDefinition | undefined {
  const events: EventCatalogue = catalogue[categoryOf(stream)];
  return events[type];
}

function knownDefinition(stored: StoredEvent): EventDefinition {
  const definition = definitionOf(stored.stream, stored.type);
  if (definition === undefined || stored.schemaVersion > definition.version) throw new UnknownEvent(stored);
  return definition;
}

function payloadOf(definition: EventDefinition, stored: StoredEvent): unknown {
  return definition.payload.parse(upcast(definition, stored.schemaVersion, stored.payload));
}

/** Binds a ciphertext to its event: swapped between events or streams it no longer opens. */
function aadOf(stream: StreamName, draft: Pick<StoredEventDraft, 'id' | 'type'>): Uint8Array {
  return new TextEncoder().encode(`${stream}|${draft.id}|${draft.type}`);
}

/** Throws `UnknownEvent`. */
export function decodeClear(stored: StoredEvent): ClearEvent {
  const definition = knownDefinition(stored);
  // The catalogue ties the type's name to its payload's schema; the compiler cannot follow that through the look-up.
  return { type: stored.type, payload: payloadOf(definition, stored), stored } as unknown as ClearEvent;
}

export interface EventCodec {
  /** Checks an event against the catalogue and seals its personal part for `subject`. */
  seal(draft: SealRequest): Promise<StoredEventDraft>;
  /** Opens the personal part, or leaves null where the key was destroyed. Throws `UnknownEvent`. */
  open(stored: StoredEvent): Promise<OpenEvent>;
  /** The key of this event's personal part alone; null as `KeyVault.disclose` has it, and where nothing is sealed. */
  disclose(stored: StoredEvent): Promise<Uint8Array | null>;
}

export interface SealRequest {
  readonly stream: StreamName;
  readonly event: NewDomainEvent;
  readonly id: StoredEventDraft['id'];
  readonly meta: StoredEventDraft['meta'];
  /** Whose personal data it is; null is an error for events that have any. `withheld`: they are left out, and nobody can ever open them. */
  readonly subject: Subject | 'withheld' | null;
}

export function createEventCodec(vault: Pick<KeyVault, 'seal' | 'open' | 'disclose'>): EventCodec {
  return {
    async seal({ stream, event, id, meta, subject }) {
      const definition = definitionOf(stream, event.type);
      if (definition === undefined) throw new Error(`${event.type} is not an event of ${categoryOf(stream)} streams`);
      const draft = { id, type: event.type, schemaVersion: definition.version, payload: definition.payload.parse(event.payload), meta };
      if (definition.personal === undefined || subject === 'withheld') return { ...draft, sealed: null, keyId: null };
      if (subject === null) throw new Error(`${event.type} holds personal data but no subject was named`);
      const personal = definition.personal.parse('personal' in event ? event.personal : undefined);
      const plaintext = new TextEncoder().encode(JSON.stringify(personal));
      const { keyId, sealed } = await vault.seal(subject, plaintext, aadOf(stream, draft));
      return { ...draft, sealed, keyId };
    },
    async open(stored) {
      const definition = knownDefinition(stored);
      const clear = { type: stored.type, payload: payloadOf(definition, stored), stored };
      if (definition.personal === undefined) return clear as unknown as OpenEvent;
      const plaintext =
        stored.sealed === null || stored.keyId === null
          ? null
          : await vault.open(stored.keyId, stored.sealed, aadOf(stored.stream, stored));
      const personal = plaintext === null ? null : definition.personal.parse(JSON.parse(new TextDecoder().decode(plaintext)));
      return { ...clear, personal } as unknown as OpenEvent;
    },
    disclose: async (stored) =>
      stored.sealed === null || stored.keyId === null ? null : vault.disclose(stored.keyId, stored.sealed, aadOf(stored.stream, stored)),
  };
}
