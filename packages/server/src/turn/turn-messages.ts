import { z } from 'zod';

/* What the engine process and the process of the embedded TURN server say to each other. */

const port = z.number().int();
const ports = z.tuple([port, port]).readonly();

export const TurnOrder = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('serve'),
    listen: z.array(z.string()).readonly(),
    port,
    realm: z.string(),
    secret: z.string(),
    user: z.object({ username: z.string(), password: z.string() }).nullable(),
    relayAddress: z.string(),
    relayPorts: ports,
    peers: z.object({ address: z.string(), ports }),
    quotas: z.object({ perUser: z.number(), total: z.number(), bytesPerSecond: z.number() }),
  }),
  z.object({ type: z.literal('ping') }),
]);
export type TurnOrder = z.infer<typeof TurnOrder>;
export type ServeOrder = Extract<TurnOrder, { readonly type: 'serve' }>;

export const TurnFact = z.discriminatedUnion('type', [
  z.object({ type: z.literal('serving') }),
  /** `UDP port 10110 is taken`. The process ends after this. */
  z.object({ type: z.literal('refused'), reason: z.string() }),
  z.object({ type: z.literal('pong') }),
]);
export type TurnFact = z.infer<typeof TurnFact>;
