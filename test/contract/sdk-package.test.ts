import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const sdk = join(root, 'packages/sdk');
const bin = join(root, 'node_modules/.bin');
const vite = join(root, 'packages/console/node_modules/.bin/vite');
const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

let scratch = '';
let tarball = '';

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'vt-sdk-'));
  await run(process.execPath, [join(sdk, 'node_modules/tsdown/dist/run.mjs')], { cwd: sdk });
  await run('npx', ['--yes', packageManager, 'pack', '--pack-destination', scratch], { cwd: sdk });
  const packed = readdirSync(scratch).find((name) => name.endsWith('.tgz'));
  if (packed === undefined) throw new Error('pnpm packed nothing');
  tarball = join(scratch, packed);
  await writeFile(join(scratch, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  // Offline: whatever it needed from a registry would be a dependency.
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', tarball], { cwd: scratch });
});

afterAll(async () => {
  await rm(scratch, { recursive: true, force: true });
});

/** This Node, and the system's own where there is one: most often an older one. */
const nodes = [process.execPath, '/usr/bin/node'].filter((path) => existsSync(path));

async function answersOf(file: string, program: string): Promise<readonly unknown[]> {
  await writeFile(join(scratch, file), program);
  return Promise.all(nodes.map(async (node) => JSON.parse((await run(node, [file], { cwd: scratch })).stdout)));
}

/** One lesson without a network, and the two clients refused or made: the same for each module system. */
const lesson = `
  const session = scriptedSession({ reply: (message) => ({ sentences: [['You said ', message + '.']] }) });
  const reply = await session.chat.send('hello').text();
  await session.close();
  const client = createTutorClient({ url: 'http://localhost:9000', apiKey: 'vt_key_x' });
  const refused = await connectSession({ url: 'nonsense', sessionId: 's', token: 't' }).catch((error) => error);
  console.log(JSON.stringify({ reply, methods: Object.keys(client), code: refused.code, known: TutorError.is(refused) }));
`;
const answer = {
  reply: 'You said hello.',
  methods: ['health', 'whoami', 'sessions', 'tutors', 'knowledge', 'avatars', 'audit', 'privacy'],
  code: 'invalid_input',
  known: true,
};

/** A page that uses one entry point; built as its visitors would get it. */
async function builtPage(name: string, script: string): Promise<string> {
  const folder = join(scratch, name);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'index.html'), '<!doctype html><script type="module" src="./main.js"></script>');
  await writeFile(join(folder, 'main.js'), script);
  // React is the page's own, and not installed beside the package.
  const alias = { react: join(root, 'packages/console/node_modules/react') };
  await writeFile(join(folder, 'vite.config.js'), `export default ${JSON.stringify({ resolve: { alias } })};`);
  await run(vite, ['build', folder, '--logLevel', 'error', '--minify', 'oxc', '--target', 'es2022']);
  const assets = join(folder, 'dist/assets');
  return readdirSync(assets)
    .filter((file) => file.endsWith('.js'))
    .map((file) => readFileSync(join(assets, file), 'utf8'))
    .join('\n');
}

function gzippedBytes(code: string): number {
  return gzipSync(code, { level: 9 }).length;
}

describe('the published package', () => {
  test('brings no dependencies along', () => {
    const installed = readdirSync(join(scratch, 'node_modules')).filter((name) => !name.startsWith('.'));
    expect(installed).toEqual(['@virtual-tutor']);
    expect(readdirSync(join(scratch, 'node_modules/@virtual-tutor'))).toEqual(['sdk']);
  });

  test('works from ES modules', async () => {
    const imports = `
      import { createTutorClient, TutorError } from '@virtual-tutor/sdk';
      import { connectSession } from '@virtual-tutor/sdk/browser';
      import { scriptedSession } from '@virtual-tutor/sdk/testing';
    `;
    expect(await answersOf('esm.mjs', imports + lesson)).toEqual(nodes.map(() => answer));
  });

  test('works from CommonJS', async () => {
    const requires = `
      const { createTutorClient, TutorError } = require('@virtual-tutor/sdk');
      const { connectSession } = require('@virtual-tutor/sdk/browser');
      const { scriptedSession } = require('@virtual-tutor/sdk/testing');
    `;
    expect(await answersOf('cjs.cjs', `${requires}(async () => {${lesson}})();`)).toEqual(nodes.map(() => answer));
  });

  test('type-checks for whoever imports it, without skipping its declarations', async () => {
    const program = `
      import { createTutorClient, type TutorClient } from '@virtual-tutor/sdk';
      import { connectSession, joinSession } from '@virtual-tutor/sdk/browser';
      import { scriptedSession } from '@virtual-tutor/sdk/testing';
      export const client: TutorClient = createTutorClient({ url: 'http://localhost:9000', apiKey: 'vt_key_x' });
      export async function lesson(code: string): Promise<string> {
        const session = await connectSession(await joinSession('http://localhost:9000', code));
        for await (const event of session.chat.send('hello')) if (event.type === 'text') return event.delta;
        // @ts-expect-error there is no such event
        session.on('nothing', () => {});
        return scriptedSession({ reply: () => ({ sentences: [] }) }).id;
      }
    `;
    const options = ['--strict', '--noEmit', '--target', 'es2022', '--lib', 'es2022,esnext.disposable,dom', '--module', 'nodenext'];
    for (const file of ['consumer.mts', 'consumer.cts']) {
      await writeFile(join(scratch, file), program);
      await run(join(bin, 'tsc'), [...options, file], { cwd: scratch });
    }
  });

  test('is in order by publint and by are-the-types-wrong', async () => {
    await run(join(bin, 'publint'), [tarball, '--strict']);
    await run(join(bin, 'attw'), [tarball, '--profile', 'node16']);
  });

  test('is small: the control plane at most 12 kB, a lesson at most 25 kB', async () => {
    const control = await builtPage(
      'control',
      "import { createTutorClient } from '@virtual-tutor/sdk'; globalThis.make = createTutorClient;",
    );
    const student = await builtPage(
      'student',
      "import { connectSession, joinSession } from '@virtual-tutor/sdk/browser'; Object.assign(globalThis, { connectSession, joinSession });",
    );
    const sizes = { '.': gzippedBytes(control), './browser': gzippedBytes(student) };
    console.log(`bundle, minified and gzipped, bytes: ${JSON.stringify(sizes)}`);
    expect(sizes['.']).toBeLessThanOrEqual(12_000);
    expect(sizes['./browser']).toBeLessThanOrEqual(25_000);
    expect([student, control].map((code) => code.includes('globalThis.WebSocket'))).toEqual([true, false]);
  });

  test('builds into a page with React, whose hooks bring no transport of their own', async () => {
    const page = await builtPage(
      'react',
      "import { useSessionView, useTutorSession } from '@virtual-tutor/sdk/react'; Object.assign(globalThis, { useSessionView, useTutorSession });",
    );
    expect(page).toContain('useTutorSession');
    expect(page).not.toContain('WebSocket');
  });

  test('leaves tRPC to those who bring their own', () => {
    const links = readFileSync(join(scratch, 'node_modules/@virtual-tutor/sdk/dist/trpc.mjs'), 'utf8');
    expect(links).toContain('from "@trpc/client"');
    expect(links).not.toContain('class TRPCClientError');
  });
});
