import { randomUUID } from 'node:crypto';
import { DocumentId, KnowledgeBaseId, type NewSessionEvent, PassageId, type StudentId, TurnId, type TutorId } from '@virtual-tutor/schemas';

export type LessonEvent = NewSessionEvent;

const knowledgeBaseId = KnowledgeBaseId.parse('physics');
const documentId = DocumentId.parse(randomUUID());
const passageId = PassageId.parse(`${documentId}#1`);
const hash = 'ab'.repeat(32);

function turnEvents(): readonly LessonEvent[] {
  const turnId = TurnId.parse(randomUUID());
  const sentences = [
    'The sky is blue because air scatters short waves more. ',
    'At dusk the way through the air is longer, so red is left.',
  ];
  return [
    {
      type: 'MessageReceived',
      payload: { turnId, clientMessageId: randomUUID(), modality: 'text', language: 'en', asr: null },
      personal: { text: 'Why is the sky blue, and why is it red in the evening?' },
    },
    {
      type: 'PassagesRetrieved',
      payload: {
        turnId,
        knowledgeBaseId,
        knowledgeRevision: 3,
        passages: [{ documentId, passageId, contentHash: hash, score: 7.25 }],
      },
    },
    {
      type: 'ReplyStarted',
      payload: { turnId, provider: 'ollama', model: 'qwen3', promptHash: hash, temperature: 0.4, tutorRevision: 2, fallback: null },
    },
    ...sentences.flatMap((text, index): readonly LessonEvent[] => [
      { type: 'SentenceGenerated', payload: { turnId, index, citations: [passageId] }, personal: { text } },
      { type: 'SentenceHeard', payload: { turnId, index, playout: { medium: 'text' } } },
    ]),
    {
      type: 'ReplyCompleted',
      payload: {
        turnId,
        sentences: sentences.length,
        usage: { promptTokens: 812, completionTokens: 31 },
        timings: { asrMs: null, retrieveMs: 4, firstTokenMs: 212, firstAudioMs: null, firstFrameMs: null, totalMs: 1_820 },
      },
    },
  ];
}

/** What the log holds of a lesson from its creation to its end. */
export function lessonEvents({
  studentId,
  tutorId,
  turns,
}: {
  readonly studentId: StudentId;
  readonly tutorId: TutorId;
  readonly turns: number;
}): readonly LessonEvent[] {
  return [
    {
      type: 'SessionCreated',
      payload: {
        tutorId,
        tutorRevision: 2,
        studentId,
        knowledgeBaseId: null,
        locale: 'en',
        limits: { maxDurationMs: 3_600_000, idleMs: 900_000 },
        mode: 'session',
      },
    },
    { type: 'SessionHosted', payload: { node: 'bench', epoch: 1 } },
    ...Array.from({ length: turns }, turnEvents).flat(),
    { type: 'SessionEnded', payload: { reason: 'student' } },
  ];
}
