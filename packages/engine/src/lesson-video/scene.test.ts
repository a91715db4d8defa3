import { expect, test } from 'vitest';
import { sceneAt } from './scene.ts';

const appearance = (fromMs: number, character: 'ada' | 'xiaolan') => ({ fromMs, voice: null, character, film: null }) as const;

test('the tutor is seen while voice or picture reach the student, moves its mouth with the picture alone, and looks as at the last opening', () => {
  const modes = [
    { fromMs: 0, quality: 'text' },
    { fromMs: 100, quality: 'video' },
    { fromMs: 200, quality: 'voice' },
    { fromMs: 300, quality: 'text' },
    { fromMs: 400, quality: 'video' },
  ] as const;
  const appearances = [appearance(100, 'ada'), appearance(400, 'xiaolan')];
  const scenes = [99, 100, 199, 200, 300, 399, 400].map((atMs) => {
    const { appearance: seen, mouthMoves } = sceneAt(atMs, { modes }, appearances);
    return [seen?.character ?? null, mouthMoves];
  });
  expect(scenes).toEqual([
    [null, false],
    ['ada', true],
    ['ada', true],
    ['ada', false],
    [null, false],
    [null, false],
    ['xiaolan', true],
  ]);
});
