import { Check, Warning } from '../parts/icons.tsx';
import { useSpeech } from '../texts/use-language.tsx';
import type { CitationProof } from './timeline.ts';

/** A passage that a sentence cites, and whether it was found for this question. */
export function Citation({ citation }: { readonly citation: CitationProof }) {
  const { say, number } = useSpeech();
  const { found, passageId } = citation;
  if (found === null) {
    return (
      <li className="proof proof-missing">
        <Warning />
        <div>
          <p>{say('proofMissing')}</p>
          <code className="hash">{passageId}</code>
        </div>
      </li>
    );
  }
  const { revision, rank, total, score, contentHash, knowledgeBaseId, knowledgeRevision } = found;
  return (
    <li className="proof">
      <Check />
      <div>
        <p>{say('proofFound', { revision, rank, total, score: score === null ? '–' : number(score) })}</p>
        <p className="hint">{say('proofKnowledge', { id: knowledgeBaseId, revision: knowledgeRevision ?? '–' })}</p>
        <code className="hash">{passageId}</code>
        <code className="hash">sha-256 {contentHash}</code>
      </div>
    </li>
  );
}
