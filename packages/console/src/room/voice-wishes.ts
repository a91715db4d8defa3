/** How this person likes to have lessons, on this device. */
export interface VoiceWishes {
  /** No voice and no picture. */
  readonly inWriting: boolean;
  readonly mode: 'open' | 'push';
}

const storageKey = 'virtual-tutor-voice';

export function keptWishes(): VoiceWishes {
  try {
    const words = new Set((localStorage.getItem(storageKey) ?? '').split(' '));
    return { inWriting: words.has('writing'), mode: words.has('push') ? 'push' : 'open' };
  } catch {
    return { inWriting: false, mode: 'open' };
  }
}

export function keepWishes({ inWriting, mode }: VoiceWishes): void {
  try {
    localStorage.setItem(storageKey, `${inWriting ? 'writing' : 'voice'} ${mode}`);
  } catch {
    // A storage that is full or forbidden: the wish holds until the page is left.
  }
}
