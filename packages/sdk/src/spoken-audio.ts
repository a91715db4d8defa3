import { type CommandHost, Commands } from './commands.ts';
import type { SpokenAudio } from './contract.ts';
import { TutorError } from './errors.ts';

/** Two seconds at 16 kHz: the most that the engine takes in one call. */
const maxSamples = 32_000;

/** The student's voice in pieces, in the order they were appended. */
export function spokenAudio(sessionId: string, host: CommandHost): SpokenAudio {
  const commands = new Commands(host);
  return {
    async append(samples) {
      if (samples.length === 0 || samples.length > maxSamples) {
        throw new TutorError('invalid_input', `samples: append 1 to ${maxSamples} at a time`);
      }
      const pcm = base64Of(samples);
      await commands.run((link) => link.appendAudio({ sessionId, pcm }, host.closing));
    },
    commit: () => commands.run((link) => link.commitAudio(sessionId, host.closing)),
  };
}

/** Little-endian, whatever this machine is. */
export function base64Of(samples: Int16Array): string {
  const view = new DataView(new ArrayBuffer(samples.length * 2));
  samples.forEach((sample, at) => {
    view.setInt16(at * 2, sample, true);
  });
  let binary = '';
  for (const byte of new Uint8Array(view.buffer)) binary += String.fromCharCode(byte);
  return btoa(binary);
}
