import type { AuditedEvent } from '@virtual-tutor/sdk';
import { useMemo } from 'react';
import { Check, Warning } from '../parts/icons.tsx';
import { useSpeech } from '../texts/use-language.tsx';
import { type CitationProof, proofs } from './timeline.ts';

/** What each citing sentence rests on. */
export function Proofs({ events, revision }: { readonly events: readonly AuditedEvent[]; readonly revision: number }) {
  const { say } = useSpeech();
  const sentences = useMemo(() => proofs(events, revision), [events, revision]);
  if (sentences.length === 0) return <p className="empty">{say('proofNone')}</p>;
  return (
    <>
      <p className="hint">{say('proofLead')}</p>
      <ol className="proofs">
        {sentences.map(({ turnId, index, text, citations }) => (
          <li key={`${turnId} ${index}`}>
            <blockquote>{text ?? <em>{say('personalForgotten')}</em>}</blockquote>
            <ul>
              {citations.map((citation) => (
                <Citation key={citation.passageId} citation={citation} />
              ))}
            </ul>
          </li>
        ))}
      </ol>
    </>
  );
}

function Citation({ citation }: { readonly citation: CitationProof }) {
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
