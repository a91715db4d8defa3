import { performance } from 'node:perf_hooks';
import { createTutorClient, type TutorClient } from '@virtual-tutor/sdk';
import { type Joined, joinLesson } from './lesson.ts';

export interface ClassOptions {
  readonly url: string;
  readonly apiKey: string;
  readonly students: number;
  readonly turns: number;
}

export interface ClassReport {
  readonly answered: number;
  /** Replies that hold another student's words. */
  readonly crossed: number;
  readonly deltas: number;
  readonly firstTokenMs: readonly number[];
}

/** Questions that name their student: a reply that quotes another one's words has crossed over. */
function questionOf(student: number, turn: number): string {
  const topics = ['Why is the sky blue', 'What is photosynthesis', 'How does rain form', 'What is friction', 'Why does ice float'];
  return `${topics[(student + turn) % topics.length]}? I am codename-${student}-${turn}.`;
}

/** Many students at once, each with a lesson of a few turns through the SDK. */
export async function holdClass(options: ClassOptions): Promise<ClassReport> {
  const client: TutorClient = createTutorClient({ url: options.url, apiKey: options.apiKey });
  const firstTokenMs: number[] = [];
  let [answered, crossed, deltas] = [0, 0, 0];

  async function study(student: number): Promise<void> {
    await using joined: Joined = await joinLesson(client, { studentId: `student-${student}` });
    for (let turn = 0; turn < options.turns; turn += 1) {
      const askedAt = performance.now();
      let first: number | null = null;
      for await (const event of joined.session.chat.send(questionOf(student, turn))) {
        if (event.type === 'text') {
          first ??= performance.now() - askedAt;
          deltas += 1;
        }
        if (event.type === 'done' && event.reason === 'completed' && event.reply !== '') answered += 1;
      }
      firstTokenMs.push(first ?? Number.NaN);
    }
    const messages = joined.session.view.turns.map(({ message }) => message ?? '');
    crossed += messages.filter((message, turn) => message !== questionOf(student, turn)).length;
  }

  await Promise.all(Array.from({ length: options.students }, (_, student) => study(student)));
  return { answered, crossed, deltas, firstTokenMs };
}
