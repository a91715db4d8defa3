import { type TimedViseme, visemes } from '../../packages/engine/src/media/ports.ts';

/** Random visemes of 50 to 180 ms, the same every time, for so long, ms. */
export function babble(lastsMs: number): TimedViseme[] {
  let seed = 5;
  let endMs = 0;
  const next = () => {
    seed = (seed * 16_807) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  return Array.from({ length: Math.ceil(lastsMs / 50) }, () => {
    const startMs = endMs;
    endMs += 50 + next() * 130;
    return { viseme: visemes[Math.floor(next() * visemes.length)] ?? 'sil', startMs, endMs };
  });
}
