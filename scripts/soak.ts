import { runNamed } from './named-program.ts';

/** `npm run soak -- NAME [--minutes N]`: a long run; its file says what must hold all the while. */
await runNamed({ script: 'soak', folder: 'test/soak', limitMinutes: 180 });
