/** Written numbers, as far as the sentences have them; British spelling as American. */
const sameWords: Readonly<Record<string, string>> = { '42': 'forty two', '7': 'seven', '0': 'zero', practise: 'practice', lets: 'let us' };

function wordsOf(text: string): readonly string[] {
  const plain = text
    .toLowerCase()
    .replace(/['’]/g, '')
    .replace(/[^a-z0-9]+/g, ' ')
    .trim();
  return plain.split(' ').flatMap((word) => (sameWords[word] ?? word).split(' '));
}

/** Words put in, left out or exchanged (Levenshtein), and how many were said. */
export function wordErrors(said: string, understood: string): { readonly errors: number; readonly words: number } {
  const want = wordsOf(said);
  const got = understood.trim() === '' ? [] : wordsOf(understood);
  let row = Array.from({ length: got.length + 1 }, (_, index) => index);
  for (const [line, word] of want.entries()) {
    const next = [line + 1];
    for (const [index, other] of got.entries()) {
      const exchanged = (row[index] ?? 0) + (word === other ? 0 : 1);
      next.push(Math.min(exchanged, (row[index + 1] ?? 0) + 1, (next[index] ?? 0) + 1));
    }
    row = next;
  }
  return { errors: row[got.length] ?? 0, words: want.length };
}
