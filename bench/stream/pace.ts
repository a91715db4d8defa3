import { setTimeout as sleep } from 'node:timers/promises';

/** Text at a fixed pace; every piece says when it was made, in microseconds since the epoch. A sentence a second. */
export async function* pacedText(options: {
  readonly perSecond: number;
  readonly seconds: number;
}): AsyncGenerator<string, void, undefined> {
  const startedAt = performance.now();
  const total = options.perSecond * options.seconds;
  for (let i = 1; i <= total; i += 1) {
    const due = startedAt + (i * 1000) / options.perSecond;
    await sleep(Math.max(0, due - performance.now()));
    const madeAt = Math.round((performance.timeOrigin + performance.now()) * 1000);
    yield `${i === total || i % options.perSecond === 0 ? `at${madeAt}.` : `at${madeAt}`} `;
  }
}
