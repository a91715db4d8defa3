/** Their dot ends no sentence. `etc.`, `a.m.` and the like are not here: before a capital they do. */
const neverLast = new Set(
  'mr mrs ms dr prof st rev hon gen col sgt capt lt e.g i.e cf vs viz ca approx incl esp resp dept univ assn'.split(' '),
);

/** Their dot ends no sentence when a number follows. */
const beforeNumbers = new Set(
  'no nos fig figs eq eqs ch sec sect vol vols p pp pg pt art ex nr jan feb mar apr jun jul aug sep sept oct nov dec'.split(' '),
);

/** Whether the dot right after `before` is part of a word, an initial or a list number rather than the end of a sentence. */
export function isAbbreviation(before: string, following: string): boolean {
  if (/^[\s#>*+-]*(?:\d{1,3}|[A-Za-z])$/u.test(before)) return true;
  const word = /[\p{L}\p{N}.]*$/u.exec(before.slice(-24))?.[0] ?? '';
  const known = word.toLowerCase();
  if (neverLast.has(known)) return true;
  if (/^\p{N}$/u.test(following)) return beforeNumbers.has(known);
  return word !== 'I' && /^(?:\p{Lu}\.)*\p{Lu}$/u.test(word);
}
