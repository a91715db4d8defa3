import { listeningRate } from '../media/ports.ts';

/*
 * A small recogniser that hears a word cut in two, or noise, says the same few tokens for ever. Speech
 * has an upper speed, and nobody says five words three times in a row.
 */

/** Longest loop looked for, tokens. */
const longestLoop = 16;

/** The most that this much audio can hold. */
export function mostTokens(samples: number, tokensPerSecond: number): number {
  return Math.max(4, Math.ceil((samples / listeningRate) * tokensPerSecond));
}

/** How often the last `period` tokens stand at the end, one after another. */
function timesAtEnd(tokens: readonly unknown[], period: number): number {
  let same = 0;
  for (let index = tokens.length - 1; index >= period && tokens[index] === tokens[index - period]; index -= 1) same += 1;
  return 1 + Math.floor(same / period);
}

/** "no no no" is speech; one token six times is not, nor are several tokens four times. */
function tooOften(period: number): number {
  if (period === 1) return 6;
  return period < 4 ? 4 : 3;
}

/** The period of the loop at the end of `tokens`, or 0. */
function loopOf(tokens: readonly unknown[]): number {
  const longest = Math.min(longestLoop, Math.floor(tokens.length / 2));
  for (let period = 1; period <= longest; period += 1) {
    if (timesAtEnd(tokens, period) >= tooOften(period)) return period;
  }
  return 0;
}

export function endsInRepetition(tokens: readonly unknown[]): boolean {
  return loopOf(tokens) > 0;
}

/** The tokens with the loop at their end said once. */
export function withoutRepetition<Token>(tokens: readonly Token[]): readonly Token[] {
  const period = loopOf(tokens);
  if (period === 0) return tokens;
  return tokens.slice(0, tokens.length - (timesAtEnd(tokens, period) - 1) * period);
}
