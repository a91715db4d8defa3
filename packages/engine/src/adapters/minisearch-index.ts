import MiniSearch from 'minisearch';
import { documentTerms, queryTerms } from '../knowledge/terms.ts';
import type { Passage, PassageIndex, RankedPassage } from '../ports.ts';

/** A passage must hold at least this share of the question's words, rare ones counting more. Chosen by the questions of the test beside: a quarter lets unrelated ones through, 0.4 loses good ones. */
const leastCoverage = 1 / 3;

/** Of a longer question the first ones count: a fuzzy term costs milliseconds in a large course, and all lessons wait meanwhile. */
const mostTerms = 32;

/** Full-text search in memory (BM25+), for Chinese and English. Empty when no passage covers enough of the question. */
export function createMiniSearchIndex(): PassageIndex {
  /** In how many passages a term occurs. */
  const frequencies = new Map<string, number>();
  const search = new MiniSearch<Passage>({
    idField: 'passageId',
    fields: ['title', 'text'],
    tokenize: (text) => [...documentTerms(text)],
    processTerm: (term) => term,
    searchOptions: {
      tokenize: (text) => [...askedTerms(text)],
      boost: { title: 2 },
      // A slip of the pen: only a long word that the course does not have.
      fuzzy: (term) => (!frequencies.has(term) && /^[a-z]{7,}$/.test(term) ? 0.2 : false),
      combineWith: 'OR',
    },
  });
  const documents = new Map<string, readonly Passage[]>();
  const passages = new Map<string, Passage>();

  const count = (passage: Passage, by: 1 | -1) => {
    for (const term of new Set(documentTerms(`${passage.title}\n${passage.text}`))) {
      const frequency = (frequencies.get(term) ?? 0) + by;
      if (frequency === 0) frequencies.delete(term);
      else frequencies.set(term, frequency);
    }
  };
  const rarity = (term: string) => {
    const frequency = frequencies.get(term) ?? 0;
    // Of the Chinese pairs that the course lacks, about half are no words but seams between words.
    const doubt = frequency === 0 && /^\p{sc=Han}/u.test(term) ? 0.5 : 1;
    return doubt * Math.log(1 + passages.size / (1 + frequency));
  };
  const weight = (terms: readonly string[]) => terms.reduce((sum, term) => sum + rarity(term), 0);

  const removeDocument = (documentId: string) => {
    for (const passage of documents.get(documentId) ?? []) {
      search.remove(passage);
      passages.delete(passage.passageId);
      count(passage, -1);
    }
    documents.delete(documentId);
  };

  return {
    add(added) {
      const [first] = added;
      if (first === undefined) return;
      removeDocument(first.documentId);
      documents.set(first.documentId, added);
      for (const passage of added) {
        search.add(passage);
        passages.set(passage.passageId, passage);
        count(passage, 1);
      }
    },
    removeDocument,
    passage: (passageId) => passages.get(passageId) ?? null,
    titles: () => [...documents.values()].flatMap((of) => of[0]?.title ?? []),
    search(query, limit) {
      const asked = new Set(askedTerms(query));
      const wanted = weight([...asked]);
      if (wanted === 0) return [];
      const found: RankedPassage[] = [];
      for (const { id, score, queryTerms: matched } of search.search(query)) {
        const passage = passages.get(id);
        if (passage === undefined) continue;
        if (weight(matched) >= leastCoverage * wanted || isNamed(passage.title, asked)) found.push({ ...passage, score });
        if (found.length === limit) break;
      }
      return found;
    },
  };
}

function askedTerms(query: string): readonly string[] {
  return queryTerms(query).slice(0, mostTerms);
}

/** The question says the whole title: whatever else it asks, this is the document it means. */
function isNamed(title: string, asked: ReadonlySet<string>): boolean {
  const terms = queryTerms(title);
  return terms.length > 0 && terms.every((term) => asked.has(term));
}
