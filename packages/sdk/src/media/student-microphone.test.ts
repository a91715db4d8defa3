import { afterEach, expect, test, vi } from 'vitest';
import { levelOf } from './level-meter.ts';
import { problemOf, StudentMicrophone } from './student-microphone.ts';

afterEach(() => void vi.unstubAllGlobals());

/** A browser with one microphone, which is allowed. */
function oneMicrophone(): { live: number } {
  const browser = { live: 0 };
  const getUserMedia = async () => {
    browser.live += 1;
    const track = Object.assign(new EventTarget(), {
      readyState: 'live',
      stop() {
        browser.live -= 1;
      },
    });
    return { getAudioTracks: () => [track] };
  };
  vi.stubGlobal('navigator', { mediaDevices: { getUserMedia } });
  return browser;
}

test.each([
  ['NotAllowedError', 'denied'],
  ['NotFoundError', 'no_device'],
  ['OverconstrainedError', 'no_device'],
  ['NotReadableError', 'busy'],
  ['TypeError', 'unsupported'],
])('%s reads as %s', (name, problem) => {
  expect(problemOf(Object.assign(new Error('of the browser'), { name }))).toBe(problem);
});

test('a page that may have no microphone says so, in state and error', async () => {
  const problems: unknown[] = [];
  const microphone = new StudentMicrophone({
    connect: () => Promise.reject(new Error('not asked for')),
    send: () => {},
    commit: () => {},
    onState: ({ status, problem }) => problems.push([status, problem]),
  });
  await expect(microphone.start()).rejects.toMatchObject({ code: 'media_blocked', retryable: false });
  expect(problems).toEqual([
    ['asking', null],
    ['blocked', 'unsupported'],
  ]);
  microphone.stop();
  expect(microphone.state.status).toBe('off');
});

test('nobody is recorded for a connection that is gone for good, and nothing is committed to it', async () => {
  const browser = oneMicrophone();
  const told: string[] = [];
  const microphone = new StudentMicrophone({
    connect: async () => {},
    send: (track) => told.push(track === null ? 'silence' : 'voice'),
    commit: () => told.push('commit'),
    onState: () => {},
  });
  await microphone.start();
  expect(browser.live).toBe(1);
  microphone.drop();
  expect(browser.live).toBe(0);
  expect(microphone.state).toMatchObject({ status: 'off', sending: false });
  expect(told).toEqual(['voice', 'silence']);
  await microphone.start();
  microphone.stop();
  expect(browser.live).toBe(0);
  expect(told).toEqual(['voice', 'silence', 'voice', 'commit', 'silence']);
});

test('loudness goes from nothing to full over 50 dB', () => {
  const tone = (amplitude: number) => Float32Array.from({ length: 480 }, (_, at) => amplitude * Math.sin(at));
  expect(levelOf(new Float32Array(480))).toBe(0);
  expect(levelOf(tone(0.0005))).toBe(0);
  expect(levelOf(tone(0.02))).toBeCloseTo(0.46, 1);
  expect(levelOf(tone(1))).toBe(1);
});
