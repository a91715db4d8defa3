import type { TurnComparison } from '@virtual-tutor/engine/scenario';
import type { Locale } from '@virtual-tutor/schemas';

/** What a scenario and its re-run say to people, in the language of the lesson. */
export const texts = {
  en: {
    made: (file: string, turns: number) => `${file}: ${turns} turns`,
    courseWords:
      'It holds no words of the student but those that are the course’s or everybody’s; ▮ stands for the rest. Read it before you give it away: a rule is not a reader.',
    allowedWords: (by: string) =>
      `It holds the student’s words, as ${by} allowed. Delete it when she is to be forgotten: it names its lesson.`,
    erased: (turns: number) =>
      `${turns} turns have no words: the student was forgotten, or the words have expired. They are placeholders, and cannot be asked again.`,
    unproven: (turns: number) =>
      `${turns} answers had another prompt than what the log has of it makes now: they may differ for that alone.`,
    toRead: 'These words would be in the file. Nothing is written yet:',
    toConfirm:
      'Does any of it tell who she is? Take it out with --hide WORD. Once you have read all of it and may use it for tests, say so: --confirmed-by "YOUR NAME".',
    speakers: { question: 'student', heard: 'tutor  ' },
    verdicts: {
      same: 'same answer',
      changed: 'ANOTHER ANSWER',
      lost: 'NO ANSWER ANY MORE',
      answered: 'ANSWERED NOW, and was not then',
      failed: 'no answer, as then',
      erased: 'erased: not asked',
    } satisfies Record<TurnComparison['verdict'], string>,
    turn: (number: number, verdict: string) => `turn ${number}: ${verdict}`,
    otherPassages: ', OTHER PASSAGES CITED',
    labels: {
      question: 'question',
      cited: 'cited',
      model: 'model',
      tutor: 'tutor',
      course: 'course',
      time: 'first word',
      total: 'in all',
      failure: 'failed',
    },
    revision: (number: number) => `revision ${number}`,
    unnumbered: 'from a file',
    none: 'none',
    sum: (same: number, asked: number) => `${same} of ${asked} turns answered as then`,
    nothingToAsk: 'there is nothing to ask: all words of this lesson are erased',
  },
  zh: {
    made: (file: string, turns: number) => `${file}：${turns} 轮对话`,
    courseWords: '除课程用词和日常用词外，文件中没有学生的话；其余以 ▮ 代替。交给他人之前请通读一遍：规则不能代替人。',
    allowedWords: (by: string) => `文件包含学生的原话，由 ${by} 确认可用。需要遗忘该学生时请删除此文件：其中写明了课次。`,
    erased: (turns: number) => `${turns} 轮没有文字：学生已被遗忘，或文字已过保留期。这些轮次只是占位，无法再问。`,
    unproven: (turns: number) => `${turns} 个回答当时的提示词与日志现在还原的不同：仅因此就可能不一样。`,
    toRead: '文件将包含以下文字，目前尚未写入：',
    toConfirm: '其中有没有能看出学生身份的内容？用 --hide 词语 去掉。通读全部并确认可用于测试后，请写明：--confirmed-by "您的姓名"。',
    speakers: { question: '学生', heard: '老师' },
    verdicts: {
      same: '回答相同',
      changed: '回答不同',
      lost: '现在没有回答',
      answered: '现在有回答，当时没有',
      failed: '与当时一样没有回答',
      erased: '文字已删除，未提问',
    },
    turn: (number: number, verdict: string) => `第 ${number} 轮：${verdict}`,
    otherPassages: '，引用的段落不同',
    labels: { question: '问题', cited: '引用', model: '模型', tutor: '老师', course: '课程', time: '首字', total: '总计', failure: '失败' },
    revision: (number: number) => `版本 ${number}`,
    unnumbered: '来自文件',
    none: '无',
    sum: (same: number, asked: number) => `${asked} 轮中有 ${same} 轮回答与当时相同`,
    nothingToAsk: '没有可问的内容：这节课的文字已全部删除',
  },
} as const satisfies Record<Locale, unknown>;
