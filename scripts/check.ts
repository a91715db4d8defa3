import { runChecks } from './steps.ts';

/** `npm run check`: types, lint, arrows, documents. */
const results = await runChecks();
process.exit(results.every(({ passed }) => passed) ? 0 : 1);
