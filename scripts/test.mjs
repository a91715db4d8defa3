// `npm test`: install what the tests need, then run them all.
import { ensurePage } from './build-page.mjs';
import { ensureInstalled } from './install.mjs';
import { run } from './run.mjs';

ensureInstalled();
ensurePage();
run(['scripts/test.ts', ...process.argv.slice(2)]);
