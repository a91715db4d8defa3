import fc from 'fast-check';

export type Drafts = readonly { readonly payload: Readonly<Record<string, unknown>>; readonly sealed: Uint8Array | null }[];

const payload = fc.dictionary(fc.string({ unit: 'binary', maxLength: 8 }), fc.jsonValue({ stringUnit: 'binary', maxDepth: 3 }), {
  maxKeys: 4,
});

/** What one command may hold: any JSON, any bytes. */
export const anyEvents: fc.Arbitrary<Drafts> = fc.array(fc.record({ payload, sealed: fc.option(fc.uint8Array({ maxLength: 40 })) }), {
  minLength: 1,
  maxLength: 4,
});
