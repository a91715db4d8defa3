import type { Captions, Hearing, MediaState, MicState } from '../media-contract.ts';

export const idleMedia: MediaState = {
  status: 'idle',
  error: null,
  retrying: false,
  quality: 'text',
  abilities: null,
  picture: false,
  sound: 'on',
  volume: 1,
};

export const micOff: MicState = { status: 'off', problem: null, mode: 'open', muted: false, sending: false, deviceId: null };

export const noCaptions: Captions = { current: null, heard: null };

export const nothingHeard: Hearing = { voice: false, partial: '', notUnderstood: null };
