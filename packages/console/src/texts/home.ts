import type { TextTable } from './table.ts';

export const homeTexts = {
  homeTitle: { en: 'Lessons', zh: '课程' },
  homeHeadline: { en: 'What would you like to understand today?', zh: '今天想弄懂什么？' },
  homeLead: {
    en: 'Choose a tutor and ask in your own words. Answers come with the passages of the course they rest on.',
    zh: '选一位导师，用自己的话提问。每个回答都附有所依据的课程原文。',
  },
  tutors: { en: 'Tutors', zh: '导师' },
  startLesson: { en: 'Start a lesson', zh: '开始上课' },
  startLessonWith: { en: 'Start a lesson with {name}', zh: '开始上课：{name}' },
  starting: { en: 'Starting…', zh: '正在开始…' },
  noTutorsTitle: { en: 'No tutor yet', zh: '还没有导师' },
  noTutorsBody: { en: 'Set one up on the teacher’s desk.', zh: '请在教师工作台中添加。' },
  student: { en: 'Student', zh: '学生' },
  studentHint: {
    en: 'A pseudonym: letters, digits, “_”, “.” and “-”. Never a name.',
    zh: '化名：字母、数字、“_”、“.”、“-”。请勿使用真实姓名。',
  },
  studentInvalid: { en: 'Use letters, digits, “_”, “.” and “-”, at most 64.', zh: '只能使用字母、数字、“_”、“.”、“-”，最多 64 个字符。' },
  openLessons: { en: 'Open lessons', zh: '进行中的课程' },
  continueLesson: { en: 'Continue', zh: '继续' },
  questionsAsked: { en: 'Questions: {count}', zh: '提问：{count}' },
  engine: { en: 'Engine', zh: '引擎' },
  engineOk: { en: 'Everything is running', zh: '一切正常' },
  engineDegraded: { en: 'Running with limits', zh: '部分功能受限' },
  engineDown: { en: 'Not able to teach right now', zh: '暂时无法上课' },
  engineNumbers: {
    en: '{active} of {max} places taken · version {version} · {node}',
    zh: '已占用 {active}/{max} 个名额 · 版本 {version} · {node}',
  },
  statusOk: { en: 'running', zh: '正常' },
  statusDegraded: { en: 'limited', zh: '受限' },
  statusDown: { en: 'down', zh: '停止' },
  dependency_eventLog: { en: 'Event log', zh: '事件日志' },
  dependency_projections: { en: 'Read models', zh: '读模型' },
  dependency_languageModel: { en: 'Language model', zh: '语言模型' },
} as const satisfies TextTable;
