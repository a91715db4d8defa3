// `npm start`: install, build the page, serve. Nothing else is needed on the machine.
import { ensurePage } from './build-page.mjs';
import { ensureInstalled } from './install.mjs';
import { run } from './run.mjs';

ensureInstalled();
ensurePage();
run(['packages/server/src/main.ts', ...process.argv.slice(2)]);
