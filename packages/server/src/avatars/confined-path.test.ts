import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ConfinedPath, confinedTarget, openRegular } from './confined-path.ts';

let base: string;
let folder: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'confined-'));
  folder = join(base, 'videos');
  await mkdir(join(folder, 'class'), { recursive: true });
  await mkdir(join(base, 'videos-of-others'));
  await writeFile(join(folder, 'class', 'ada.mp4'), 'inside');
  await writeFile(join(base, 'secret.mp4'), 'outside');
  await writeFile(join(base, 'videos-of-others', 'ada.mp4'), 'outside');
});
afterEach(() => rm(base, { recursive: true, force: true }));

const openConfined = async (confined: ConfinedPath) => openRegular(await confinedTarget(confined));

async function read(path: string, from = folder): Promise<string> {
  await using file = await openConfined({ folder: from, path });
  return file.handle.readFile('utf8');
}

/** Descriptors of this process that lead into the folder's parent. */
async function openHere(): Promise<number> {
  const links = await Promise.all((await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
  return links.filter((target) => target.startsWith(base)).length;
}

describe('what may be read', () => {
  test('a file in the folder, by a relative or an absolute path, with its length', async () => {
    expect(await read('class/ada.mp4')).toBe('inside');
    expect(await read(join(folder, 'class', 'ada.mp4'))).toBe('inside');
    expect(await read('class/../class/./ada.mp4')).toBe('inside');
    await using file = await openConfined({ folder, path: 'class/ada.mp4' });
    expect(file.bytes).toBe(6);
  });

  test('a file whose name begins with dots', async () => {
    await writeFile(join(folder, '..ada.mp4'), 'dots');
    expect(await read('..ada.mp4')).toBe('dots');
  });

  test('through links that stay inside, and in a folder that is a link itself', async () => {
    await symlink('class/ada.mp4', join(folder, 'link.mp4'));
    await symlink(folder, join(base, 'door'));
    expect(await read('link.mp4')).toBe('inside');
    expect(await read('class/ada.mp4', join(base, 'door'))).toBe('inside');
    expect(await read(join(base, 'door', 'class', 'ada.mp4'), join(base, 'door'))).toBe('inside');
    expect(await read(join(folder, 'class', 'ada.mp4'), join(base, 'door'))).toBe('inside');
  });

  test('what was opened stays readable when the path is taken over', async () => {
    await using file = await openConfined({ folder, path: 'class/ada.mp4' });
    await rm(join(folder, 'class', 'ada.mp4'));
    await symlink(join(base, 'secret.mp4'), join(folder, 'class', 'ada.mp4'));
    expect(await file.handle.readFile('utf8')).toBe('inside');
  });
});

describe('what is refused', () => {
  test.each([
    '../secret.mp4',
    'class/../../secret.mp4',
    '../videos-of-others/ada.mp4',
    '/etc/passwd',
    '/',
    '..',
    '../there/is/nothing.mp4',
    '/there/is/nothing.mp4',
  ])('a path that leads out by its name: %s', async (path) => {
    await expect(read(path)).rejects.toMatchObject({ code: 'outside' });
  });

  test('a backslash or a percent sign is a letter like any other', async () => {
    await expect(read('..\\secret.mp4')).rejects.toMatchObject({ code: 'not_found' });
    await expect(read('%2e%2e/secret.mp4')).rejects.toMatchObject({ code: 'not_found' });
  });

  test.each([
    { name: 'way.mp4', target: '../secret.mp4', path: 'way.mp4' },
    { name: 'way', target: '../videos-of-others', path: 'way/ada.mp4' },
    { name: 'way', target: '/', path: 'way/etc/passwd' },
  ])('a link that leads out to $target', async ({ name, target, path }) => {
    await symlink(target, join(folder, name));
    await expect(read(path)).rejects.toMatchObject({ code: 'outside' });
  });

  test('a chain of links of which the last leads out', async () => {
    await symlink('two', join(folder, 'one'));
    await symlink('class/three', join(folder, 'two'));
    await symlink(join(base, 'secret.mp4'), join(folder, 'class', 'three'));
    await expect(read('one')).rejects.toMatchObject({ code: 'outside' });
  });

  test('links in a circle', async () => {
    await symlink('b.mp4', join(folder, 'a.mp4'));
    await symlink('a.mp4', join(folder, 'b.mp4'));
    await expect(read('a.mp4')).rejects.toMatchObject({ code: 'changed' });
  });

  test('a directory, the folder itself, a FIFO without waiting for its writer, a socket and a device', async () => {
    execFileSync('mkfifo', [join(folder, 'fifo.mp4')]);
    const server = createServer().listen(join(folder, 'socket.mp4'));
    await once(server, 'listening');
    for (const path of ['class', '.', 'fifo.mp4', 'socket.mp4']) await expect(read(path)).rejects.toMatchObject({ code: 'not_a_file' });
    server.close();
    await expect(read('null', '/dev')).rejects.toMatchObject({ code: 'not_a_file' });
    await expect(read('zero', '/dev')).rejects.toMatchObject({ code: 'not_a_file' });
  });

  test('a missing file, a file used as a directory, an endless name', async () => {
    for (const path of ['none.mp4', 'class/ada.mp4/more.mp4', 'x'.repeat(5000)]) {
      await expect(read(path)).rejects.toMatchObject({ code: 'not_found' });
    }
  });

  test('no path, a path with a NUL, a folder that is not there', async () => {
    await expect(read('')).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(read('class/ada.mp4\0.png')).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(read('ada.mp4', join(base, 'nowhere'))).rejects.toMatchObject({ code: 'no_folder' });
  });

  test('a file that the engine may not read', async () => {
    await chmod(base, 0o755);
    await chmod(join(folder, 'class', 'ada.mp4'), 0);
    // Root reads everything: so be somebody else meanwhile.
    const wasRoot = process.geteuid?.() === 0;
    if (wasRoot) process.seteuid?.(65_534);
    try {
      await expect(read('class/ada.mp4')).rejects.toMatchObject({ code: 'unreadable' });
    } finally {
      if (wasRoot) process.seteuid?.(0);
    }
  });

  test('no refusal names the file, and none leaves it open', async () => {
    await mkdir(join(folder, 'ada-lovelace'));
    for (const path of ['ada-lovelace', '../ada-lovelace.mp4', 'ada-lovelace.mov']) {
      const error: unknown = await read(path).catch((refused: unknown) => refused);
      expect(error).toBeInstanceOf(Error);
      expect(error instanceof Error && `${error.message}${String(error.cause)}`).not.toContain('lovelace');
    }
    expect(await openHere()).toBe(0);
  });
});

describe('a path that is swapped while it is opened', () => {
  let swapper: ChildProcess;
  afterEach(async () => {
    const ended = once(swapper, 'close');
    swapper.kill('SIGKILL');
    await ended;
  });

  /** Puts `name.link` in the place of `name` and back, without end. */
  async function swap(name: string): Promise<void> {
    const program = `const fs = require('fs'); const [name] = process.argv.slice(1);
      process.stdout.write('swapping');
      for (;;) {
        fs.renameSync(name, name + '.kept'); fs.renameSync(name + '.link', name);
        fs.renameSync(name, name + '.link'); fs.renameSync(name + '.kept', name);
      }`;
    const child = spawn(process.execPath, ['-e', program, name], { stdio: ['ignore', 'pipe', 'inherit'] });
    swapper = child;
    await once(child.stdout, 'data');
  }

  async function outcomes(path: string): Promise<Set<string>> {
    const seen = new Set<string>();
    for (let attempt = 0; attempt < 3000; attempt += 1) {
      seen.add(await read(path).catch((error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : 'unknown')));
    }
    return seen;
  }

  test('the file for a link that leads out: never what is outside', async () => {
    await writeFile(join(base, 'secret.mp4'), 'leaked');
    await symlink(join(base, 'secret.mp4'), join(folder, 'class', 'ada.mp4.link'));
    await swap(join(folder, 'class', 'ada.mp4'));
    const seen = await outcomes('class/ada.mp4');
    expect(seen).toContain('inside');
    expect(seen).not.toContain('leaked');
  });

  test('its directory for a link that leads out: never what is outside', async () => {
    await writeFile(join(base, 'videos-of-others', 'ada.mp4'), 'leaked');
    await symlink(join(base, 'videos-of-others'), join(folder, 'class.link'));
    await swap(join(folder, 'class'));
    const seen = await outcomes('class/ada.mp4');
    expect(seen).toContain('inside');
    expect(seen).not.toContain('leaked');
  });

  test('the file for a FIFO: never waits for its writer', async () => {
    execFileSync('mkfifo', [join(folder, 'class', 'ada.mp4.link')]);
    await swap(join(folder, 'class', 'ada.mp4'));
    const seen = await outcomes('class/ada.mp4');
    expect([...seen].filter((outcome) => !['inside', 'not_a_file', 'not_found', 'changed'].includes(outcome))).toEqual([]);
    expect(seen).toContain('inside');
  });
});
