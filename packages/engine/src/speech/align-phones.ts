/*
 * Which of the phones of a sentence belong to which word, when the synthesiser tells only the phones
 * of the sentence and, asked apart, those of each word. They differ a little: in a sentence "a" is
 * "ax", alone it is "ey".
 */

const vowels = new Set('aa ae ah ao aw ax ay eh er ey ih iy ow oy uh uw'.split(' '));

const missing = 1;

/** For each phone of the sentence, the index of its word. `words` are the phones of each word alone. */
export function alignPhones(sentence: readonly string[], words: readonly (readonly string[])[]): readonly number[] {
  const expected = words.flatMap((phones, index) => phones.map((phone) => ({ phone, word: index })));
  const columns = expected.length + 1;
  // costs[row * columns + column]: of matching the first `row` phones of the sentence with the first `column` expected ones.
  const costs = new Float64Array((sentence.length + 1) * columns);
  for (let column = 1; column < columns; column += 1) costs[column] = column * missing;
  for (let row = 1; row <= sentence.length; row += 1) {
    costs[row * columns] = row * missing;
    for (let column = 1; column < columns; column += 1) {
      const above = (row - 1) * columns + column;
      costs[row * columns + column] = Math.min(
        at(costs, above - 1) + difference(sentence[row - 1], expected[column - 1]?.phone),
        at(costs, above) + missing,
        at(costs, row * columns + column - 1) + missing,
      );
    }
  }
  const aligned: number[] = [];
  let column = expected.length;
  for (let row = sentence.length; row > 0; ) {
    const here = at(costs, row * columns + column);
    const above = (row - 1) * columns + column;
    if (column > 0 && here === at(costs, above - 1) + difference(sentence[row - 1], expected[column - 1]?.phone)) {
      aligned.push(expected[column - 1]?.word ?? 0);
      row -= 1;
      column -= 1;
    } else if (here === at(costs, above) + missing) {
      aligned.push(expected[Math.max(0, column - 1)]?.word ?? 0);
      row -= 1;
    } else column -= 1;
  }
  return aligned.reverse();
}

function at(costs: Float64Array, index: number): number {
  return costs[index] ?? Number.POSITIVE_INFINITY;
}

/** A vowel for another vowel is likelier than a vowel for a consonant. */
function difference(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0;
  return vowels.has(a ?? '') === vowels.has(b ?? '') ? 0.75 : 1.5;
}
