import { expect, test } from 'vitest';
import type { MediaElement } from '../media-contract.ts';
import { Screens } from './screens.ts';

/** What a browser does of an element: refuses sound before a gesture. */
class Element implements MediaElement {
  srcObject: unknown = null;
  muted = false;
  volume = 1;
  readyState = 0;
  videoWidth = 0;
  played = 0;
  readonly #listeners = new Set<() => void>();
  readonly #browser: { gesture: boolean };

  constructor(browser: { gesture: boolean }) {
    this.#browser = browser;
  }

  async play(): Promise<void> {
    if (!this.#browser.gesture && !this.muted) throw Object.assign(new Error('no gesture yet'), { name: 'NotAllowedError' });
    this.played += 1;
  }

  addEventListener(type: string, listener: () => void): void {
    if (type === 'loadeddata') this.#listeners.add(listener);
  }

  removeEventListener(_type: string, listener: () => void): void {
    this.#listeners.delete(listener);
  }

  showFrame(): void {
    this.readyState = 2;
    this.videoWidth = 512;
    for (const listener of this.#listeners) listener();
  }
}

/** A stream of no tracks: what is in it is the browser's business. */
class Stream {
  readonly tracks: unknown[] = [];
  getTracks = () => [...this.tracks];
  addTrack = (track: unknown) => void this.tracks.push(track);
  removeTrack = (track: unknown) => void this.tracks.splice(this.tracks.indexOf(track), 1);
}

function screensIn(browser: { gesture: boolean }) {
  Reflect.set(globalThis, 'MediaStream', Stream);
  const seen: { picture: boolean; sound: string; volume: number }[] = [];
  const screens = new Screens((shown) => seen.push(shown));
  const element = new Element(browser);
  return { screens, element, now: () => seen.at(-1) };
}

const track = (): MediaStreamTrack => Object.create(null);
const settle = () => new Promise((resolve) => setImmediate(resolve));

test('before a gesture the face moves without a sound, and says so; after it, the tutor is heard', async () => {
  const browser = { gesture: false };
  const { screens, element, now } = screensIn(browser);
  screens.attach(element);
  screens.show([track(), track()]);
  await settle();
  expect(now()).toMatchObject({ sound: 'blocked' });
  expect(element).toMatchObject({ muted: true, played: 1 });
  browser.gesture = true;
  await screens.resume();
  expect(now()).toMatchObject({ sound: 'on' });
  expect(element).toMatchObject({ muted: false, played: 2 });
});

test('the last picture stays while one connection takes over from another', async () => {
  const { screens, element, now } = screensIn({ gesture: true });
  screens.attach(element);
  screens.show([track()]);
  element.showFrame();
  expect(now()).toMatchObject({ picture: true });
  const stream = element.srcObject;
  screens.show([track()]);
  await settle();
  expect(element.srcObject).toBe(stream);
  expect(stream).toMatchObject({ tracks: [expect.anything()] });
  expect(now()).toMatchObject({ picture: true });
});

test('sound that was turned off stays off over connections, and the volume holds', async () => {
  const { screens, element, now } = screensIn({ gesture: true });
  screens.attach(element);
  screens.setSound({ on: false, volume: 0.3 });
  screens.show([track()]);
  await settle();
  expect(element).toMatchObject({ muted: true, volume: 0.3 });
  screens.setSound({ on: true });
  expect(element.muted).toBe(false);
  screens.setSound({ volume: 7 });
  expect(now()).toEqual({ picture: false, sound: 'on', volume: 1 });
});

test('an element that was taken off shows nothing and is told nothing any more', async () => {
  const { screens, element, now } = screensIn({ gesture: true });
  const detach = screens.attach(element);
  screens.show([track()]);
  detach();
  element.showFrame();
  expect(element.srcObject).toBeNull();
  expect(now()?.picture ?? false).toBe(false);
});
