import { execFile } from 'node:child_process';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LogVerdict } from '@virtual-tutor/schemas';
import postgres from 'postgres';
import { expect, test } from 'vitest';
import { startEngine } from '../support/engine.ts';
import { describeWith } from '../support/loud-skip.ts';
import { postgresAvailable, startPostgres } from '../support/postgres.ts';
import { exportedSeals, temporaryFolder } from '../support/sealed-log.ts';

const cli = new URL('../../packages/server/src/cli/vtutor.ts', import.meta.url).pathname;

describeWith(postgresAvailable, 'PostgreSQL')('vtutor audit verify', () => {
  test('holds the running engine’s log against its seals, a copy of them and what was noted, and says where it was tampered with', async () => {
    await using server = await startPostgres();
    const env = { DATABASE_URL: server.url, SEAL_EVENTS: '5', SEAL_MINUTES: '0.01' };
    await using engine = await startEngine(env);
    const vtutor = (...args: readonly string[]) =>
      new Promise<{ readonly code: number; readonly output: string }>((resolve) => {
        const own = { ...env, PATH: process.env['PATH'], DATA_DIR: engine.dataDir, MANAGEMENT_API_PORT: String(engine.port) };
        execFile(process.execPath, [cli, 'audit', ...args], { env: own }, (error, stdout, stderr) =>
          resolve({ code: typeof error?.code === 'number' ? error.code : 0, output: stdout + stderr }),
        );
      });
    await expect.poll(async () => (await exportedSeals(engine.dataDir)).length, { timeout: 20_000 }).toBeGreaterThan(2);
    using copy = temporaryFolder();
    cpSync(join(engine.dataDir, 'seals'), copy.path, { recursive: true });

    const intact = await vtutor('verify', '--seals', copy.path, '--json');
    expect(intact.code).toBe(0);
    const verdict = LogVerdict.parse(JSON.parse(intact.output));
    if (verdict.verdict === 'broken') expect.fail();
    const noted = verdict.newestSeal?.hash ?? expect.fail();
    expect(verdict.events).toBeGreaterThan(5);

    const sql = postgres(server.url, { max: 1, fetch_types: false, onnotice: () => {} });
    await sql.unsafe(`set session_replication_role = replica; update es_event set payload = replace(payload, 'a', 'b') where position = 3`);
    await sql.end();
    const told = await vtutor('verify', '--noted', noted);
    expect(told).toMatchObject({ code: 1, output: expect.stringContaining('BROKEN event 3 ') });
    expect(told.output).toContain('content_changed');

    writeFileSync(join(copy.path, '00000001.json'), '{}');
    expect(await vtutor('verify', '--seals', copy.path)).toMatchObject({
      code: 1,
      output: expect.stringContaining('copied folder: seal 1'),
    });
    expect(await vtutor('verify', '--noted', 'abc')).toMatchObject({ code: 2, output: expect.stringContaining('64 hex digits') });
    expect(await vtutor('rotate-key')).toMatchObject({ code: 0, output: expect.stringContaining('hands over to key') });
  });
});
