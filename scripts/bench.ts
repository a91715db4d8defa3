import { runNamed } from './named-program.ts';

/** `npm run bench -- NAME [--json]`: one claim, measured against a peer or a limit; with `--json` the last line is one object. */
await runNamed({ script: 'bench', folder: 'bench', limitMinutes: 15 });
