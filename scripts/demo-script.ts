export interface Question {
  readonly text: string;
  /** `cut`: the demo breaks its own connection in the middle. `interrupt`: it stops the tutor after a sentence of the course. */
  readonly event?: 'cut' | 'interrupt';
}

export interface DemoLesson {
  readonly tutorId: string;
  readonly questions: readonly Question[];
}

/** What the student says to the bundled tutors. */
export const demoLessons = {
  en: {
    tutorId: 'ada',
    questions: [
      { text: 'Why is the sky blue?' },
      { text: 'How do plants make their food?', event: 'cut' },
      { text: 'What happens to water when it evaporates?', event: 'interrupt' },
    ],
  },
  zh: {
    tutorId: 'xiaolan',
    questions: [
      { text: '天空为什么是蓝色的？' },
      { text: '植物是怎样制造养分的？', event: 'cut' },
      { text: '水蒸发的时候发生了什么？', event: 'interrupt' },
    ],
  },
} as const satisfies Readonly<Record<string, DemoLesson>>;
