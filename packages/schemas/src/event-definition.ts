import type { z } from 'zod';

/**
 * What the catalogue knows of one event type. `payload` is stored in clear; `personal` is sealed
 * with the student's data key and is gone (null on reading) once that key is destroyed.
 */
export interface EventDefinition {
  readonly version: number;
  readonly payload: z.ZodObject;
  readonly personal?: z.ZodObject;
  /** `upcasts[v]` turns a payload of version v into one of version v + 1; one for every version ever written. */
  readonly upcasts?: Readonly<Record<number, (payload: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>>>;
}

/** A stored payload as the newest version has it; null for a version that this definition does not know. */
export function upcast(definition: EventDefinition, version: number, payload: unknown): unknown {
  if (version < 1 || version > definition.version) return null;
  let current = payload;
  for (let from = version; from < definition.version; from += 1) {
    const step = definition.upcasts?.[from];
    if (step === undefined || typeof current !== 'object' || current === null) return null;
    current = step({ ...current });
  }
  return current;
}

export type EventCatalogue = Readonly<Record<string, EventDefinition>>;

type Sealed<D extends EventDefinition> = D extends { readonly personal: infer P extends z.ZodObject }
  ? { readonly personal: z.infer<P> }
  : unknown;
type Opened<D extends EventDefinition> = D extends { readonly personal: infer P extends z.ZodObject }
  ? { readonly personal: z.infer<P> | null }
  : unknown;

/** An event about to be appended: personal fields are present. */
export type NewEventOf<C extends EventCatalogue> = {
  [T in keyof C & string]: { readonly type: T; readonly payload: z.infer<C[T]['payload']> } & Sealed<C[T]>;
}[keyof C & string];

/** An event read back: `personal` is null once the student was forgotten. */
export type EventOf<C extends EventCatalogue> = {
  [T in keyof C & string]: { readonly type: T; readonly payload: z.infer<C[T]['payload']> } & Opened<C[T]>;
}[keyof C & string];
