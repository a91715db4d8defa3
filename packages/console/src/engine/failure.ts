import type { ErrorCode } from '@virtual-tutor/sdk';
import { isTextKey, type Say } from '../texts/texts.ts';
import { isRecord } from './plain-data.ts';

/** What went wrong, by the engine's code; anything else, and codes of newer engines, read as `internal`. */
export function codeOf(error: unknown): ErrorCode {
  return isRecord(error) && isCode(error['code']) ? error['code'] : 'internal';
}

export function sayCode(code: ErrorCode, say: Say): string {
  return say(`error_${isCode(code) ? code : 'internal'}`);
}

export function sayFailure(error: unknown, say: Say): string {
  return sayCode(codeOf(error), say);
}

function isCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && isTextKey(`error_${code}`);
}
