// `npm start`: install, build the page, serve. Nothing else is needed on the machine.
import { ensurePage } from './build-page.mjs';
import { ensureInstalled } from './install.mjs';
import { run, settings } from './run.mjs';

ensureInstalled();
ensurePage();
run([...settings(), 'packages/server/src/main.ts', ...process.argv.slice(2)]);
